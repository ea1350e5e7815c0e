"""The long tests of the server in small: benchmarks/serving_faults.py brings faults about and judges the answers."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "benchmarks/serving_faults.py"


def survived(*arguments):
    command = [sys.executable, str(SCRIPT), "--seconds", "1", "--malformed", "300", "--requests", "600", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_malformed_requests_and_the_end_under_load_are_survived():
    seen = survived("--only", "malformed", "--only", "drained")
    assert "INVALID_ARGUMENT" in seen
    assert "exit 0" in seen


@pytest.mark.slow
def test_the_other_faults_are_survived():
    faults = ("memory", "killed", "versions", "crowded", "rude")
    survived(*(word for fault in faults for word in ("--only", fault)))
