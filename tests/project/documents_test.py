"""What README and docs promise: their Python runs, their commands and names exist, their links lead somewhere."""

import contextlib
import functools
import io
import os
import pkgutil
import re
import sys
from pathlib import Path

import pytest
from support import forked

from agegait import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]
RESULTS = ROOT / "docs/results.md"
"""Its commands are those of the commits that stand beside them."""
README, GETTING_STARTED = ROOT / "README.md", ROOT / "docs/getting_started.md"

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def blocks(document, language):
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", document.read_text(), re.MULTILINE | re.DOTALL)


def prose(document):
    return re.sub(r"^ *```.*?^ *```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)


def spans(document):
    """Commands and names in running text."""
    return [re.sub(r"\s+", " ", span) for span in re.findall(r"`([^`]+)`", prose(document))]


def run(script, folder, few_walkers_dir):
    environment = {**os.environ, "TFDS_DATA_DIR": str(few_walkers_dir), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", script]
    done = forked.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_readme_identifies_a_person(tmp_path, few_walkers_dir):
    (example,) = blocks(README, "python")
    *_, last = example.strip().splitlines()
    assert last.startswith("identifier.identify(")
    printed = run(example.replace(last, f"print({last})"), tmp_path, few_walkers_dir)
    assert re.search(r"Identification\(person='walker\d\d', score=0\.\d+, fault=''\)", printed.splitlines()[-1])


@pytest.mark.slow
def test_getting_started_runs_from_top_to_bottom(tmp_path, few_walkers_dir):
    printed = run("".join(blocks(GETTING_STARTED, "python")), tmp_path, few_walkers_dir)
    assert re.fullmatch(r"walker\d\d 0\.\d+", printed.splitlines()[-1])
    assert (tmp_path / "identifier.keras").is_file()


@functools.cache
def help_of(command):
    with contextlib.redirect_stdout(io.StringIO()) as said, pytest.raises(SystemExit) as ended:
        cli.main([*command.split(), "--help"])
    assert ended.value.code in (None, 0)
    return said.getvalue()


@each_document
def test_every_command_and_option_exists(document):
    lines = [line for block in blocks(document, "sh") for line in block.replace("\\\n", " ").splitlines()]
    makefile = (ROOT / "Makefile").read_text()
    for line in [*lines, *spans(document)]:
        line = line.partition("  #")[0].partition("    #")[0]
        for command, arguments in re.findall(r"\bagegait ((?:gallery )?[a-z][a-z-]*)\b([^&|;]*)", line):
            for option in re.findall(r" (--[a-z][a-z0-9-]*)", "" if document == RESULTS else arguments):
                assert re.search(rf"{option}\b(?!-)", help_of(command)), f"agegait {command} {option}"
            assert help_of(command)
        for target in re.findall(r"^make ([a-z-]+)", line):
            assert re.search(rf"^([\w -]+ )?{target}\b[^=]*:", makefile, re.MULTILINE), line


@each_document
def test_every_name_exists(document):
    code = [*(block for block in blocks(document, "python")), *spans(document)]
    directives = re.findall(r"^::: (\S+)$", document.read_text(), re.MULTILINE)
    names = {name for text in code for name in re.findall(r"(?<![\w/.\"])agegait(?:\.\w+)+", text)}
    names = {name for name in names if not name.startswith("agegait.gallery.v1")}  # a gRPC package, not Python's
    names.discard("agegait.json")  # a file in exports for devices
    for name in names | set(directives):
        pkgutil.resolve_name(name)  # raises where there is none


def leads_somewhere(document, link):
    path, _, place = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.exists():
        return False
    headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE) if place else []
    return not place or place in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@each_document
def test_every_link_leads_somewhere(document):
    links = [link for link in re.findall(r"\]\(([^)]+)\)", prose(document)) if not link.startswith("http")]
    assert [link for link in links if not leads_somewhere(document, link)] == []


def test_a_link_to_nowhere_is_found():
    assert not leads_somewhere(README, "docs/speed.md#no-such-heading")
    assert not leads_somewhere(README, "docs/no_such_page.md")


def test_the_readme_is_short():
    assert len(README.read_text().split()) < 800
    assert len(blocks(README, "python")) == 1
