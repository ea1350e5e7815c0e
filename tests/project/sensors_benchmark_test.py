"""`benchmarks/sensors.py` in small; how well an adapted embedder recognises people is not for a test to say."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from agegait.data import Walks
from agegait.skeletons import STANDING, limbs
from agegait.training import EmbedderTraining


@pytest.fixture(scope="module")
def benchmark():
    folder = str(Path(__file__).parents[2] / "benchmarks")
    sys.path.insert(0, folder)
    yield importlib.import_module("sensors")
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def walks():
    random = np.random.default_rng(0)
    persons = np.repeat([f"p{number}" for number in range(10)], 2)
    skeletons = [(STANDING + random.normal(0, 0.01, (70, 20, 3))).astype("float32") for _ in persons]
    return Walks(skeletons, persons, np.array([f"walk-{number}" for number in range(20)]))


def test_a_second_sensor_sees_the_same_body_otherwise(benchmark, walks):
    seen = benchmark.second_sensor(walks)
    apart = np.stack(seen.skeletons).mean(axis=(0, 1)) - np.stack(walks.skeletons).mean(axis=(0, 1))
    assert 0.01 < np.linalg.norm(apart, axis=1).max() < 0.1  # some centimetres, the same in all walks
    again = benchmark.second_sensor(walks)
    np.testing.assert_array_equal(seen.skeletons[3], again.skeletons[3])
    summary = limbs.summarize([{"skeleton": skeleton} for skeleton in seen.skeletons])
    assert limbs.faults(summary) == []


@pytest.mark.slow
def test_a_line_for_each_sensor_and_gallery(benchmark, walks):
    training = EmbedderTraining(batches=1, embedder={"units": 4, "embedding_size": 4, "dilations": ()})
    found = benchmark.measure(walks, training, range(1), draws=1, resamples=5)
    table = benchmark.table(found)
    assert table.row_count == 6
    assert list(table.columns[0].cells)[::2] == list(found)
