"""What the README promises: its Python runs as written, its commands exist, its links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_python_example_runs_and_names_a_person(tmp_path):
    (example,) = blocks("python")
    assert "identifier.identify(" in example
    *_, last = example.strip().splitlines()
    script = example.replace(last, f"print({last})")
    environment = {**os.environ, "TFDS_DATA_DIR": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"Identification\(person='walker\d\d', score=0\.\d+, fault=''\)", done.stdout.splitlines()[-1])


def test_every_command_exists():
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    commands = {line.split()[1]: line for line in lines if line.startswith("agegait ")}
    assert set(commands) >= {"train", "evaluate", "export", "serve", "identify"}
    for command, line in commands.items():
        done = subprocess.run(
            [sys.executable, "-m", "agegait", command, "--help"], capture_output=True, text=True, check=True
        )
        for option in re.findall(r"--[a-z-]+", line):
            assert option in done.stdout
    makefile = (ROOT / "Makefile").read_text()
    for target in [line.split()[1] for line in lines if line.startswith("make ")]:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def leads_somewhere(link):
    path, _, place = link.partition("#")
    if not (ROOT / path).exists():
        return False
    headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), re.MULTILINE) if place else []
    return not place or place in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert len(links) > 2
    assert [link for link in links if not leads_somewhere(link)] == []
    assert not leads_somewhere("docs/speed.md#no-such-heading")
