import numpy as np
import pytest
import tensorflow as tf

from agegait import data
from agegait.models.inputs import in_order

ROWS = np.arange(11, dtype="float32")


def test_batches_keep_the_order_and_lose_no_row():
    batches = list(data.batches(ROWS, 4).as_numpy_iterator())
    assert [len(batch) for batch in batches] == [4, 4, 3]
    assert np.concatenate(batches).tolist() == ROWS.tolist()


def test_rows_of_several_arrays_stay_together():
    for rows, doubles in data.batches((ROWS, 2 * ROWS), 4).as_numpy_iterator():
        assert doubles.tolist() == (2 * rows).tolist()


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="11"):
        data.batches((ROWS, ROWS[:5]), 4)


@pytest.mark.parametrize(
    "dataset",
    [
        data.batches(ROWS, 4),
        data.shuffled_epochs([ROWS], 4, seed=0, epochs=2),
        in_order(ROWS),
        data.untuned(tf.data.Dataset.range(3)),
    ],
    ids=["batches", "shuffled epochs", "predict", "untuned"],
)
def test_no_end_waits_for_a_tuner(dataset):
    assert dataset.options().autotune.enabled is False
    assert dataset.map(lambda row: row).options().autotune.enabled is False


def test_predict_reads_an_array_in_keras_batches_and_precision():
    batches = list(in_order(np.zeros((70, 2))).as_numpy_iterator())
    assert [batch.shape for batch in batches] == [(32, 2), (32, 2), (6, 2)]
    assert {batch.dtype.name for batch in batches} == {"float32"}


@pytest.mark.parametrize(
    "given", [tf.data.Dataset.range(3), np.zeros((0, 2)), [1.0, 2.0]], ids=["data set", "empty", "list"]
)
def test_predict_leaves_all_else_to_keras(given):
    assert in_order(given) is given


def test_predict_leaves_other_backends_to_keras(monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    assert in_order(ROWS) is ROWS
