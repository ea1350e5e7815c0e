import numpy as np
import pytest
import tensorflow as tf

from agegait.data import Walks


def examples(lengths):
    for number, frames in enumerate(lengths):
        yield {
            "skeleton": np.full((frames, 4, 3), number, "float32"),
            "person": number // 2,
            "walk": f"walk-{number}",
        }


def dataset(lengths):
    signature = {
        "skeleton": tf.TensorSpec((None, 4, 3), tf.float32),
        "person": tf.TensorSpec((), tf.int64),
        "walk": tf.TensorSpec((), tf.string),
    }
    return tf.data.Dataset.from_generator(lambda: examples(lengths), output_signature=signature)


def test_walks_of_a_data_set_and_of_some_people():
    walks = Walks.from_dataset(dataset([3, 5, 2, 4]))
    assert [len(walk) for walk in walks.skeletons] == [3, 5, 2, 4]
    assert walks.persons.tolist() == [0, 0, 1, 1]
    assert walks.names.tolist() == ["walk-0", "walk-1", "walk-2", "walk-3"]
    own = walks.of_persons([1])
    assert [walk[0, 0, 0] for walk in own.skeletons] == [2, 3]
    assert own.names.tolist() == ["walk-2", "walk-3"]
    assert walks.take([3, 0]).names.tolist() == ["walk-3", "walk-0"]
    assert walks.of_persons([]).skeletons == []


def test_refuses_no_walks():
    with pytest.raises(ValueError, match="walks: expected at least one walk, received none"):
        Walks.from_dataset(dataset([]))


def test_cuts_walks_into_windows_without_overlap():
    walks = Walks.from_dataset(dataset([3, 5, 1, 4]))
    windows, places = walks.windows(2)
    assert windows.shape == (5, 2, 4, 3)
    assert windows[:, 0, 0, 0].tolist() == places.tolist() == [0, 1, 1, 3, 3]


def test_refuses_walks_that_are_all_shorter_than_a_window():
    with pytest.raises(ValueError, match="walks: expected walks of at least 9 frames, found none"):
        Walks.from_dataset(dataset([3, 5])).windows(9)
