import numpy as np
import pytest
import tensorflow as tf

from agegait.data import hold_out, windows


def walks(*lengths):
    def generate():
        for walk, length in enumerate(lengths):
            frames = 1000 * walk + np.arange(length)
            skeleton = np.broadcast_to(frames[:, None, None], (length, 20, 3))
            yield {"skeleton": skeleton, "tracked": skeleton[..., 0] % 2 == 0, "person": walk, "walk": f"w{walk}"}

    spec = {
        "skeleton": tf.TensorSpec((None, 20, 3), tf.float32),
        "tracked": tf.TensorSpec((None, 20), tf.bool),
        "person": tf.TensorSpec((), tf.int64),
        "walk": tf.TensorSpec((), tf.string),
    }
    return tf.data.Dataset.from_generator(generate, output_signature=spec)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.01, 0.99])
def test_the_parts_make_up_the_walks_and_have_no_frame_in_common(share):
    lengths = (0, 1, 2, 7, 100)
    whole = walks(*lengths)
    first, last = hold_out(whole, share), hold_out(whole, share, end=True)
    assert first.element_spec == last.element_spec == whole.element_spec
    for walk, before, after in zip(*(part.as_numpy_iterator() for part in (whole, first, last)), strict=True):
        assert len(after["skeleton"]) == round(np.float32(share) * len(walk["skeleton"]))
        for name in ("skeleton", "tracked"):
            np.testing.assert_array_equal(np.concatenate([before[name], after[name]]), walk[name])
        for name in ("person", "walk"):
            assert before[name] == after[name] == walk[name]


def test_windows_of_both_parts():
    whole = walks(60, 30)
    assert len(list(windows(hold_out(whole)))) == 8 + 4
    assert len(list(windows(hold_out(whole, end=True)))) == 2 + 1


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_shares_that_make_no_sense(share):
    with pytest.raises(ValueError, match="share: expected more than 0 and less than 1"):
        hold_out(walks(3), share)


def test_walks_without_skeletons():
    with pytest.raises(ValueError, match='walks: expected examples with "skeleton"'):
        hold_out(tf.data.Dataset.range(3))
