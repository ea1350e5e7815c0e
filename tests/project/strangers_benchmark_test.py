"""`benchmarks/strangers.py` in small, on a few bodies; how well it recognises them is not for a test to say."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from agegait.data import Walks
from agegait.skeletons import STANDING
from agegait.training import recipes

SIZES = {"units": 4, "embedding_size": 4, "dilations": ()}


@pytest.fixture(scope="module")
def benchmark():
    folder = str(Path(__file__).parents[2] / "benchmarks")
    sys.path.insert(0, folder)
    yield importlib.import_module("strangers")
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def walks():
    random = np.random.default_rng(0)
    persons = np.repeat(np.arange(10), 2)
    sizes = 1 + 0.1 * random.normal(size=(10, 20, 1))
    skeletons = [
        (STANDING * sizes[person] + random.normal(0, 0.01, (130, 20, 3))).astype("float32") for person in persons
    ]
    return Walks(skeletons, persons, np.array([f"walk-{number}" for number in range(20)]))


@pytest.mark.slow
def test_a_row_of_each_probe_and_gallery(benchmark, walks):
    options = benchmark.parsed(["--batches", "1", "--divisions", "1", "--draws", "1", "--resamples", "5"])
    found = benchmark.measure(walks, "persons", ("distances",), options, SIZES)
    assert len(found) == 8
    by_gallery = list(benchmark.tables({("persons", ("distances",)): found}))
    assert [table.row_count for table in by_gallery] == [4, 4]
    probes = list(by_gallery[0].columns[2].cells)
    assert probes == ["walks", "1 s", "2 s", "4 s"]
    assert benchmark.cell(0.123, (0.1, 0.2)) == "12.3 (10.0-20.0)"


@pytest.mark.slow
@pytest.mark.parametrize("learning", ["reconstruction", "cage"])
def test_encoders_of_windows_are_rows_too(benchmark, walks, learning):
    options = benchmark.parsed(["--learning", learning, "--divisions", "1", "--draws", "1", "--resamples", "5"])
    small = recipes.recipe("best", epochs=1, units=2, num_layers=1)
    found = benchmark.measure(walks, learning, benchmark.FEATURES, options, recipe=small)
    assert len(found) == 8
    table = next(benchmark.tables({(learning, benchmark.FEATURES): found}))
    assert next(iter(table.columns[1].cells)) == "ages"


@pytest.mark.usefixtures("eagerly")
def test_the_preset_is_a_row_that_learns_nothing_from_the_walks(benchmark, walks):
    options = benchmark.parsed(["--learning", "starter", "--divisions", "1", "--draws", "1", "--resamples", "5"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, "EmbedderTraining", None)
        found = benchmark.measure(walks, "starter", benchmark.FEATURES, options)
    assert len(found) == 8
    assert all(np.isfinite(one.equal_error_rate) for one in found)
