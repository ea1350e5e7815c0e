"""The benchmark of floods in small: that it runs to its end. What it measures is not for a test to say."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks/serving_floods.py"


@pytest.mark.slow
def test_floods_of_a_server():
    floods = [word for flood in ("WINDOW_UPDATE", "unread") for word in ("--only", flood)]
    command = [sys.executable, str(SCRIPT), *floods, "--seconds", "0.5", "--connections", "4", "--calls", "2"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "│" in line]
    rows = [row for row in rows if row[0]]  # the first line of each
    assert [row[0] for row in rows] == ["WINDOW_UPDATE", "unread"]
    for _, connections, *callers, end, memory in rows:
        assert int(connections.replace(",", "")) > 0
        assert all(" ms, " in caller for caller in callers)
        assert len(callers) == 3
        assert " s; " in end
        assert memory.endswith(" MB")
