"""A run on a folder of your own to which recordings are added later."""

import json

import numpy as np
import pytest

from agegait import cli, evaluation, training
from agegait.training import recipes
from tfds_builders.walkers import generator

pytestmark = pytest.mark.slow  # a training, and an evaluation three times

RECIPE = recipes.recipe(
    "best",
    epochs=1,
    recognizer_epochs=1,
    embedder_epochs=None,
    num_layers=1,
    units=8,
    recognizer_units=8,
    stride=None,
    mirror=False,
)


def record(folder, person, number):
    """Writes a recording of one of the walkers."""
    path = folder / person / f"{number}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, generator.walk(ord(person[0]) % 20, "a", number)[0][:60])


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A run, what it reached, and its folder, to which walks of old and new people were added since."""
    root = tmp_path_factory.mktemp("grown")
    folder = root / "walks"
    for person in ("ben", "cleo"):
        for number in range(3):
            record(folder, person, number)
    run = training.train(training.Settings(str(folder), preset="best", recipe=RECIPE), root / "run")
    before = run.load_data(), evaluation.evaluate(run)
    # Whatever the digests of the new names are: among so many, some would have been drawn in place of the old ones.
    for number in range(3, 9):
        record(folder, "ben", number)
    for number in range(2):
        record(folder, "anna", number)
    return run, before


def names(dataset, part):
    return {walk["walk"].decode() for walk in dataset.read(part).as_numpy_iterator()}


def test_old_walks_stay_where_they_were_and_new_ones_are_tests(grown):
    run, (before, _) = grown
    after = run.load_data()
    assert names(after, "train") == names(before, "train")
    assert names(after, "validation") == names(before, "validation")
    added = names(after, "test") - names(before, "test")
    assert names(before, "test") < names(after, "test")
    assert added == {f"ben/{number}" for number in range(3, 9)} | {"anna/0", "anna/1"}
    assert ("split", "as recorded before; walks without a record are test walks") in after.notes


def test_labels_stay_those_of_the_run(grown):
    run, _ = grown
    assert run.load_data().persons == ["ben", "cleo", "anna"]


def test_the_run_is_evaluated_on_new_walks_too(grown):
    run, (_, before) = grown
    after = evaluation.evaluate(run)
    of_walks = [next(row for row in found.tests["test"] if row.of == "walks") for found in (before, after)]
    assert [row.figures.samples for row in of_walks] == [2, 8]
    assert after.left_out == {"test": ["anna/0", "anna/1"]}


def test_training_again_changes_nothing(grown):
    run, _ = grown
    record_before = (run.folder / "run.json").read_text()
    training.train(run.settings, run.folder)
    assert (run.folder / "run.json").read_text() == record_before


def test_a_moved_folder_is_found_by_its_new_place(grown, tmp_path, capsys):
    run, _ = grown
    folder = tmp_path / "moved"
    (run.folder.parent / "walks").rename(folder)
    with pytest.raises(ValueError, match="or a folder of walks, received"):
        run.load_data()
    assert cli.main(["evaluate", str(run.folder)]) == 1
    assert "agegait: --dataset: expected one of" in capsys.readouterr().err
    assert cli.main(["evaluate", str(run.folder), "--dataset", str(folder), "--json"]) == 0
    after = json.loads(capsys.readouterr().out)
    assert after == json.loads((run.folder / "evaluation.json").read_text())
    assert after["left_out"] == {"test": ["anna/0", "anna/1"]}
    folder.rename(run.folder.parent / "walks")
