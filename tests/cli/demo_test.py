"""`make demo`'s command as it is, for what no small model shows."""

import json
import re
import sys

import pytest
from support import forked


@pytest.mark.slow
def test_the_demo_goes_from_walks_to_a_name(tmp_path):
    out = tmp_path / "demo"
    command = [sys.executable, "-m", "agegait", "demo", "--out", str(out)]
    done = forked.run(command, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr[-2000:]
    said = re.search(
        r"is a walk of (\S+); the server on port \d+ says (\S+), (\d+) % sure", " ".join(done.stdout.split())
    )
    assert said, done.stdout[-2000:]
    truth, named, sure = said.groups()
    assert named == truth
    assert int(sure) > 50
    assert (out / "run" / "report.html").stat().st_size > 10**6
    evaluation = json.loads((out / "run" / "evaluation.json").read_text())
    assert set(evaluation["tests"]) == {"test", "test_b"}
    for model in ("encoder", "recognizer", "identifier"):
        assert (out / "served" / model / "1" / "saved_model.pb").exists()
    gallery = done.stdout[done.stdout.index("5 a gallery") :]
    assert re.search(r"a walk of walker17: walker17 \(distance", gallery), gallery
    assert re.search(r"a walk of walker19: unknown \(distance", gallery), gallery
    assert re.search(r"forgotten: +walker17\nthe same walk of walker17: unknown \(distance", gallery), gallery
