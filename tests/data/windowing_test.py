import re

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings, strategies as st
from support.budget import examples

from agegait import SkeletonNormalization, data

J = 2


def walks_of(lengths):
    """Walks whose every coordinate says which walk and frame it is of."""

    def generate():
        for number, length in enumerate(lengths):
            frames = 100 * number + np.arange(length, dtype="float32")
            yield {
                "skeleton": np.broadcast_to(frames[:, None, None], (length, J, 3)),
                "tracked": np.broadcast_to(frames[:, None] % 2 == 0, (length, J)),
                "walk": f"walk {number}",
                "person": number,
            }

    spec = {
        "skeleton": tf.TensorSpec([None, J, 3], tf.float32),
        "tracked": tf.TensorSpec([None, J], tf.bool),
        "walk": tf.TensorSpec([], tf.string),
        "person": tf.TensorSpec([], tf.int64),
    }
    return tf.data.Dataset.from_generator(generate, output_signature=spec)


def frames_of(windows):
    """Numbers of the frames of each window."""
    return [window["skeleton"][:, 0, 0].astype(int).tolist() for window in windows]


def test_walks_are_cut_in_order_and_what_fills_no_window_is_left_out():
    windows = list(data.windows(walks_of([7, 2, 3]), frames=3, stride=3).as_numpy_iterator())
    assert frames_of(windows) == [[0, 1, 2], [3, 4, 5], [200, 201, 202]]


def test_windows_may_overlap_or_leave_gaps():
    assert frames_of(data.windows(walks_of([5]), 3, 1).as_numpy_iterator()) == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert frames_of(data.windows(walks_of([9]), 2, 4).as_numpy_iterator()) == [[0, 1], [4, 5]]


def test_labels_and_what_was_tracked_are_carried_along():
    windows = list(data.windows(walks_of([4, 4]), frames=3, stride=1).as_numpy_iterator())
    assert [window["walk"] for window in windows] == [b"walk 0", b"walk 0", b"walk 1", b"walk 1"]
    assert [window["person"] for window in windows] == [0, 0, 1, 1]
    for window, frames in zip(windows, frames_of(windows), strict=True):
        np.testing.assert_array_equal(window["tracked"], [[frame % 2 == 0] * J for frame in frames])


def test_shapes_are_known_before_a_window_is_seen():
    spec = data.windows(walks_of([]), frames=3).element_spec
    assert spec["skeleton"] == tf.TensorSpec([3, J, 3], tf.float32)
    assert spec["tracked"] == tf.TensorSpec([3, J], tf.bool)
    assert spec["walk"] == tf.TensorSpec([], tf.string)


def test_windows_are_cut_from_each_start_in_turn():
    found = frames_of(data.windows(walks_of([6]), 3, 2, starts=[1, 0, 9]).as_numpy_iterator())
    assert found == [[1, 2, 3], [3, 4, 5], [0, 1, 2], [2, 3, 4]]


@settings(max_examples=examples(15), deadline=None)
@given(
    st.lists(st.integers(0, 9), max_size=3),
    st.integers(1, 4),
    st.integers(1, 5),
    st.lists(st.integers(0, 6), min_size=1, max_size=3),
)
def test_any_lengths_against_a_plain_loop(lengths, frames, stride, starts):
    expected = []
    for number, length in enumerate(lengths):
        for start in starts:
            while start + frames <= length:
                expected.append([100 * number + frame for frame in range(start, start + frames)])
                start += stride
    assert frames_of(data.windows(walks_of(lengths), frames, stride, starts).as_numpy_iterator()) == expected


def test_windows_are_centred_as_models_centre_walks():
    skeleton = np.random.default_rng(0).normal(3, 1, (13, 4, 3)).astype("float32")
    walks = tf.data.Dataset.from_tensors({"skeleton": skeleton, "person": 1})
    raw, centred = (
        np.stack([window["skeleton"] for window in data.windows(walks, center=center).as_numpy_iterator()])
        for center in (None, 2)
    )
    np.testing.assert_array_equal(raw, [skeleton[:6], skeleton[6:12]])
    np.testing.assert_array_equal(centred, SkeletonNormalization(center=2)(raw))
    with pytest.raises(ValueError, match="center: expected the index of a joint or None, received -1"):
        data.windows(walks, center=-1)


@pytest.mark.parametrize(("frames", "stride"), [(0, 1), (3, 0), (-1, 2)])
def test_refuses_sizes_below_one(frames, stride):
    with pytest.raises(ValueError, match=f"expected at least 1, received {frames} and {stride}"):
        data.windows(walks_of([3]), frames, stride)


@pytest.mark.parametrize("starts", [[], [0, -1]])
def test_refuses_starts_that_are_no_frames(starts):
    with pytest.raises(ValueError, match=re.escape(f"starts: expected frames from 0, received {starts}.")):
        data.windows(walks_of([3]), starts=starts)


def test_refuses_what_are_no_walks():
    with pytest.raises(ValueError, match='walks: expected examples with "skeleton"'):
        data.windows(tf.data.Dataset.range(3))
