"""`benchmarks/edge.py` in small; how fast and how well is not for a test to say."""

import importlib
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import agegait
from agegait.data import Walks
from agegait.skeletons import STANDING


@pytest.fixture(scope="module")
def benchmark():
    folder = str(Path(__file__).parents[2] / "benchmarks")
    sys.path.insert(0, folder)
    yield importlib.import_module("edge")
    sys.path.remove(folder)


def test_each_walk_is_looked_for_among_the_others(benchmark):
    angles = np.radians([0, 10, 90, 30, 200])  # the fourth walk is nearer to the first person's than to its own
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = benchmark.recognised(embeddings, np.array(["a", "a", "b", "b", "c"]))
    assert found["rank-1"] == 75
    assert found["map"] == pytest.approx(100 * (1 + 1 + 1 + 1 / 3) / 4)


def test_people_are_drawn_with_all_of_their_walks(benchmark):
    walks = Walks([np.full((4, 20, 3), number) for number in range(9)], np.repeat(["a", "b", "c"], 3), np.arange(9))
    some = benchmark.of_people(walks, 2)
    assert len(set(some.persons)) == 2
    assert len(some.names) == 6
    assert list(some.names) == list(benchmark.of_people(walks, 2).names)
    with pytest.raises(SystemExit, match="--people: expected at most 3, received 4"):
        benchmark.of_people(walks, 4)


@pytest.mark.slow
def test_a_row_of_each_file(benchmark, tmp_path):
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    skeletons = [(STANDING + random.normal(0, 0.01, (40, 20, 3))).astype("float32") for _ in range(4)]
    embedder = agegait.GaitEmbedder(embedding_size=6, units=8, segment=16)
    embedder.adapt(skeletons)
    rows = benchmark.measured(embedder, Walks(skeletons, np.array(["a", "a", "b", "b"]), np.arange(4)), tmp_path, 1)
    assert len(rows) == 8
    for name, row in rows.items():
        assert all(row[frames] > 0 for frames in benchmark.FRAMES)
        assert ("kib" in row) == (name.partition(",")[0] in ("onnx", "litert"))
