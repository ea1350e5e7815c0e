import collections

import numpy as np
import pytest
import tensorflow as tf

from agegait import data

J = 3


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
    kinect = data.Preparation(clip=10, drop_untracked=True, overlap=True)
    kgbd, walkers = data.Preparation(clip=10), data.Preparation()
    assert {"biwi": kinect, "ias": kinect, "kgbd": kgbd, "walkers": walkers} == data.PREPARATIONS


def recorded(lengths, seed=0):
    """Walks of random skeletons; one joint in 50 was not tracked."""
    random = np.random.default_rng(seed)
    return [
        {
            "skeleton": random.standard_normal((length, J, 3)).astype("float32"),
            "tracked": random.random((length, J)) > 0.02,
            "walk": f"{number:03}",
        }
        for number, length in enumerate(lengths)
    ]


def dataset(walks):
    spec = {
        "skeleton": tf.TensorSpec([None, J, 3], tf.float32),
        "tracked": tf.TensorSpec([None, J], tf.bool),
        "walk": tf.TensorSpec([], tf.string),
    }
    return tf.data.Dataset.from_generator(lambda: iter(walks), output_signature=spec)


def papers_windows(walk, name, frames, training):
    """Datasets as the papers describe them, frame by frame: the windows of one walk."""
    kept = []
    for skeleton, tracked in zip(walk["skeleton"], walk["tracked"], strict=True):
        if name in ("biwi", "ias") and not tracked.all():
            continue
        kept.append(np.array([joint - skeleton[0] for joint in skeleton]))
    if name != "walkers":
        kept = kept[10 : max(len(kept) - 10, 10)]
    found = []
    overlapping = training and name in ("biwi", "ias")
    for start in range(frames) if overlapping else [0]:
        first = start
        while first + frames <= len(kept):
            found.append(kept[first : first + frames])
            first += frames // 2 if overlapping else frames
    return found


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", ["biwi", "ias", "kgbd", "walkers"])
@pytest.mark.parametrize("frames", [6, 5])
def test_windows_are_the_whole_recipe(name, training, frames):
    walks = recorded([70, 26, 3, 0, 41])
    expected = [(window, walk["walk"]) for walk in walks for window in papers_windows(walk, name, frames, training)]
    found = list(data.PREPARATIONS[name].windows(dataset(walks), frames, training).as_numpy_iterator())
    assert [window["walk"].decode() for window in found] == [walk for _, walk in expected]
    np.testing.assert_array_equal([window["skeleton"] for window in found], [window for window, _ in expected])


def test_training_windows_of_the_papers_come_twice():
    walks = recorded([32])
    walks[0]["tracked"][:] = True
    windows = data.PREPARATIONS["ias"].windows(dataset(walks), training=True).as_numpy_iterator()
    seen = collections.Counter(window["skeleton"].tobytes() for window in windows)
    # Twelve frames are left: windows start at 0..6, and all but the first three are reached from two starts.
    assert sorted(seen.values()) == [1, 1, 1, 2, 2, 2, 2]


def test_windows_of_prepared_walks_are_cut_alike_and_left_where_they_are():
    walks, recipe = dataset(recorded([60, 50])), data.PREPARATIONS["biwi"]
    for training in (False, True):
        whole = list(recipe.windows(walks, 4, training).as_numpy_iterator())
        cut = list(recipe.cut(recipe(walks), 4, training).as_numpy_iterator())
        assert len(cut) == len(whole) > 0
        for uncentred, window in zip(cut, whole, strict=True):
            np.testing.assert_array_equal(uncentred["skeleton"] - uncentred["skeleton"][:, :1], window["skeleton"])
            assert uncentred["skeleton"][:, 0].any()


def test_windows_of_one_frame_overlap_with_nothing():
    walks = recorded([23])
    found = data.Preparation(clip=10, overlap=True).windows(dataset(walks), frames=1, training=True)
    centred = walks[0]["skeleton"] - walks[0]["skeleton"][:, :1]
    np.testing.assert_array_equal([window["skeleton"][0] for window in found.as_numpy_iterator()], centred[10:13])
