"""`benchmarks/gallery.py` and `benchmarks/gallery_calibration.py` in small: what they find is not for a test to say."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from support.gallery_bodies import BoneLengths, walks

from agegait.gallery import Calibration

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def modules(monkeypatch):
    """Opens a benchmark as a module, as the benchmarks open each other."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


@pytest.mark.slow
@pytest.mark.parametrize("words", [[], ["--postgresql"]])
def test_a_line_of_each_size(modules, tmp_path, monkeypatch, capsys, words):
    path = tmp_path / "gallery.json"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")  # as the benchmark sets it
    monkeypatch.setattr(sys, "argv", ["gallery.py", "--quick", "--json", str(path), *words])
    held = np.ones(2**26)  # The benchmark's processes begin with less than the one that starts them.
    modules("gallery").main()
    (line,) = json.loads(path.read_text())["galleries"]
    assert line["templates"] == 200
    assert min(line.values()) > 0
    assert held.nbytes / 2**20 > max(line["check_mib"], line["peak_mib"]) != min(line["check_mib"], line["peak_mib"])
    assert ("recall" in line) == bool(words)
    assert "enrol/s" in capsys.readouterr().out


def test_false_alarms_beside_those_asked_for(modules):
    benchmark = modules("gallery_calibration")
    embedder, tested = BoneLengths(), walks(range(30), each=3)
    embeddings = embedder.embed(tested.skeletons)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    calibration = Calibration.measure(embedder, walks(range(100, 140)))
    lines = benchmark.measure(calibration, embeddings, tested.persons, people=(5, 10), draws=4)
    assert len(lines) == 8
    assert all(0 <= line["false_alarms"] < 0.5 < line["detected"] <= 1 for line in lines)
    assert all(0 <= line["least"] < line["asked"] < line["largest"] <= 1 for line in lines)
    assert benchmark.table(lines).row_count == 4
    assert benchmark.parsed([]).divisions == 5
