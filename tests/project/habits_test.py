"""What keeps the project's habits: the workflow and the hooks before a commit."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW, HOOKS = ROOT / ".github/workflows/ci.yml", ROOT / ".pre-commit-config.yaml"


def test_the_workflow_is_one():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_calls_what_people_call():
    targets = {line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ":" in line}
    steps = [step for job in yaml.safe_load(WORKFLOW.read_text())["jobs"].values() for step in job["steps"]]
    commands = [step["run"] for step in steps if "run" in step]
    assert commands
    for command in commands:
        make, target = command.split()
        assert make == "make"
        assert target in " ".join(targets).split()


@pytest.mark.parametrize(("subject", "accepted"), [("x" * 72, True), ("x" * 73, False)])
def test_long_subjects_are_refused(tmp_path, subject, accepted):
    (tmp_path / "message").write_text(f"{subject}\n\n{'y' * 100}\n")
    hook = next(hook for hook in yaml.safe_load(HOOKS.read_text())["repos"][0]["hooks"] if hook["id"] == "subject")
    done = subprocess.run(f"{hook['entry']} {tmp_path / 'message'}", shell=True, capture_output=True, check=False)
    assert (done.returncode == 0) == accepted
