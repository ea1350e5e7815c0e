"""`benchmarks/gallery.py` and `benchmarks/gallery_calibration.py` in small: what they find is not for a test to say."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.gallery_bodies import BoneLengths, walks

from agegait.gallery import Calibration

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize("words", [[], ["--postgresql"]])
def test_a_line_of_each_size(tmp_path, words):
    path = tmp_path / "gallery.json"
    command = [sys.executable, str(BENCHMARKS / "gallery.py"), "--quick", "--json", str(path), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = json.loads(path.read_text())["galleries"]
    assert line["templates"] == 200
    assert min(line.values()) > 0
    assert ("recall" in line) == bool(words)
    assert "enrol/s" in done.stdout


def test_false_alarms_beside_those_asked_for():
    sys.path.insert(0, str(BENCHMARKS))
    benchmark = importlib.import_module("gallery_calibration")
    sys.path.remove(str(BENCHMARKS))
    embedder, tested = BoneLengths(), walks(range(30), each=3)
    embeddings = embedder.embed(tested.skeletons)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    calibration = Calibration.measure(embedder, walks(range(100, 140)))
    lines = benchmark.measure(calibration, embeddings, tested.persons, people=(5, 10), draws=4)
    assert len(lines) == 8
    assert all(0 <= line["false_alarms"] < 0.5 < line["detected"] <= 1 for line in lines)
    assert benchmark.table(lines).row_count == 4
    assert benchmark.parsed([]).divisions == 3
