"""The long tests of the server in small: benchmarks/serving_faults.py brings faults about and judges the answers."""

import runpy
import sys
from pathlib import Path

import pytest
from support import forked

SCRIPT = Path(__file__).parents[2] / "benchmarks/serving_faults.py"


@pytest.mark.slow
def test_faults_are_survived(monkeypatch, capsys):
    faults = [word for fault in ("malformed", "killed", "drained", "versions") for word in ("--only", fault)]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *faults, "--seconds", "0.5", "--malformed", "300"])
    monkeypatch.setattr("subprocess.Popen", forked.Popen)
    status = runpy.run_path(str(SCRIPT))["main"]()
    printed = capsys.readouterr().out
    assert status == 0, printed
    assert printed.count(" yes ") == 4
