"""Every example runs as it stands, on small data."""

import os
import re
import sys
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest
from support import forked

from agegait.serving import Server
from tfds_builders.walkers import generator

EXAMPLES = Path(__file__).parents[2] / "examples"
PERSONS = generator.PERSONS[:4]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory, few_walkers_dir):
    """Where examples run: walks of four people, the data set of walkers, and what the examples leave."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "data").symlink_to(few_walkers_dir)
    for person, name in enumerate(PERSONS):
        (folder / "walks" / name).mkdir(parents=True)
        for number in range(4):
            skeleton, _ = generator.walk(person, "a", number)
            np.save(folder / "walks" / name / f"{number}.npy", skeleton)
    return folder


SHORT_EPOCHS = """
import runpy, sys
from agegait.training import stages
stages.BATCHES_AN_EPOCH = 2
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""An example as it stands, but for the epochs of its embedder."""


def run(folder, example, *arguments):
    environment = {**os.environ, "TFDS_DATA_DIR": str(folder / "data")}
    command = [sys.executable, "-c", SHORT_EPOCHS, str(EXAMPLES / example), *map(str, arguments)]
    done = forked.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def own_folder(folder):
    """What the example on an own folder prints; its run and its export are then there."""
    return run(folder, "own_folder.py", "walks", "--epochs", 1, "--out", "own")


def test_every_example_is_tested_here():
    tested = Path(__file__).read_text()
    assert [path.name for path in EXAMPLES.iterdir() if path.is_file() and path.name not in tested] == []


def test_an_own_folder_is_trained_on_and_exported(folder, own_folder):
    assert "Rank-1" in own_folder
    assert (folder / "own/served/identifier/1/saved_model.pb").is_file()


def test_a_run_is_compared_with_baselines(folder, own_folder):
    printed = run(folder, "compare_with_baseline.py", "own")
    assert re.search(r"AGE\b", printed)
    assert "D13 + KNN" in printed


def test_a_live_sensor_is_followed(folder, own_folder):
    with Server(folder / "own/served", port=0) as server:
        printed = run(folder, "live_sensor.py", folder / f"walks/{PERSONS[0]}/0.npy", "--server", server.address)
    first, *_, last = printed.splitlines()
    assert first.startswith("frame 6: ")
    assert re.fullmatch(rf"frame \d+: ({'|'.join(PERSONS)}) \(\d+%, \d+ windows\)", last)


def test_layers_work_in_a_functional_model(folder):
    accuracy = float(re.search(r"Accuracy on test windows: ([\d.]+)%", run(folder, "functional_model.py"))[1])
    assert accuracy > 50  # of 20 people


def test_the_notebook_runs(folder, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(folder / "data"))
    notebook = nbformat.read(EXAMPLES / "first_steps.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # as committed
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()))
    assert re.search(r"walker\d\d/a5: walker\d\d, score \d+%", printed)
