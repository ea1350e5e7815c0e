"""The benchmark of floods in small: that it runs to its end. What it measures is not for a test to say."""

import runpy
import sys
from pathlib import Path

import pytest
from support import forked

SCRIPT = Path(__file__).parents[2] / "benchmarks/serving_floods.py"


@pytest.mark.slow
def test_floods_of_a_server(monkeypatch, capsys):
    floods = [word for flood in ("WINDOW_UPDATE", "unread") for word in ("--only", flood)]
    words = [*floods, "--seconds", "0.5", "--connections", "4", "--calls", "2"]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *words])
    monkeypatch.setattr("subprocess.Popen", forked.Popen)
    runpy.run_path(str(SCRIPT))["main"]()
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]
    rows = [row for row in rows if row[0]]  # the first line of each
    assert [row[0] for row in rows] == ["WINDOW_UPDATE", "unread"]
    for _, connections, *callers, end, memory in rows:
        assert int(connections.replace(",", "")) > 0
        assert all(" ms, " in caller for caller in callers)
        assert len(callers) == 3
        assert " s; " in end
        assert memory.endswith(" MB")
