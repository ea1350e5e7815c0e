"""The long tests of the server in small: benchmarks/serving_faults.py brings faults about and judges the answers."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks/serving_faults.py"


@pytest.mark.slow
def test_faults_are_survived():
    faults = [word for fault in ("malformed", "killed", "drained", "versions") for word in ("--only", fault)]
    command = [sys.executable, str(SCRIPT), *faults, "--seconds", "1", "--malformed", "300"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" yes ") == 4
