import numpy as np
import pytest
import tensorflow as tf

from agegait import data


def prepared(preparation, length=30, untracked=(), **labels):
    """Numbers of the frames that are kept of one walk, and its labels."""
    skeleton = np.broadcast_to(np.arange(length, dtype="float32")[:, None, None], (length, 2, 3))
    tracked = np.ones((length, 2), bool)
    for frame, joint in untracked:
        tracked[frame, joint] = False
    walks = tf.data.Dataset.from_tensors({"skeleton": skeleton, "tracked": tracked, **labels})
    (walk,) = preparation(walks).as_numpy_iterator()
    assert len(walk["tracked"]) == len(walk["skeleton"])
    return walk["skeleton"][:, 0, 0].astype(int).tolist(), walk


def test_nothing_is_done_unless_asked_for():
    kept, _ = prepared(data.Preparation(), untracked=[(3, 0)])
    assert kept == list(range(30))


def test_frames_at_both_ends_are_left_out():
    kept, _ = prepared(data.Preparation(clip=10))
    assert kept == list(range(10, 20))


@pytest.mark.parametrize("length", [0, 5, 19, 20])
def test_a_walk_shorter_than_both_ends_keeps_nothing(length):
    kept, _ = prepared(data.Preparation(clip=10), length=length)
    assert kept == []


def test_a_frame_with_one_untracked_joint_is_left_out_before_the_ends_are():
    kept, walk = prepared(data.Preparation(clip=2, drop_untracked=True), 9, untracked=[(1, 0), (5, 1), (8, 0)])
    # 0 2 3 4 6 7 are tracked; two at each end go.
    assert kept == [3, 4]
    assert walk["tracked"].all()


def test_labels_stay_as_they_are():
    _, walk = prepared(data.Preparation(clip=3), walk="ann1", person=7)
    assert (walk["walk"], walk["person"]) == (b"ann1", 7)


def test_untracked_frames_of_walks_that_say_nothing_of_tracking():
    walks = tf.data.Dataset.from_tensors({"skeleton": tf.zeros((9, 2, 3))})
    (walk,) = data.Preparation(clip=2)(walks).as_numpy_iterator()
    assert walk["skeleton"].shape == (5, 2, 3)
    with pytest.raises(ValueError, match=r"""expected examples with "tracked", received \['skeleton'\]"""):
        data.Preparation(drop_untracked=True)(walks)


def test_the_papers_recipes():
    kinect = data.Preparation(clip=10, drop_untracked=True)
    expected = {"biwi": kinect, "ias": kinect, "kgbd": data.Preparation(clip=10), "walkers": data.Preparation()}
    assert expected == data.PREPARATIONS
