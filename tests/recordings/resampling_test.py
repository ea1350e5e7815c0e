import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from agegait.data import resample


def naive(skeleton, tracked, seconds, rate):
    """A new frame at a time."""
    frames, seen, count = [], [], 0
    while seconds[0] + count / rate <= seconds[-1] + 1e-9:
        time = seconds[0] + count / rate
        count += 1
        exact = [t for t in range(len(seconds)) if abs(seconds[t] - time) < 1e-9]
        if exact:
            frames.append(skeleton[exact[0]])
            seen.append(tracked[exact[0]])
            continue
        after = next(t for t in range(len(seconds)) if seconds[t] > time)
        share = (time - seconds[after - 1]) / (seconds[after] - seconds[after - 1])
        frames.append(skeleton[after - 1] + share * (skeleton[after] - skeleton[after - 1]))
        seen.append(tracked[after - 1] & tracked[after])
    return np.array(frames), np.array(seen)


@hypothesis.settings(deadline=None)
@hypothesis.given(
    st.lists(st.sampled_from([0.02, 0.033, 0.04, 0.1, 0.25]), max_size=12),
    st.sampled_from([1.0, 10.0, 15.0, 29.97, 100.0]),
    st.integers(0, 9),
)
def test_agrees_with_a_frame_at_a_time(steps, rate, seed):
    rng = np.random.default_rng(seed)
    seconds = 5 + np.concatenate([[0], np.cumsum(steps)])
    skeleton = rng.standard_normal((len(seconds), 20, 3))
    tracked = rng.random((len(seconds), 20)) < 0.8
    found, seen = resample(skeleton, tracked, seconds, rate)
    expected, expected_seen = naive(skeleton, tracked, seconds, rate)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(seen, expected_seen)


def test_a_line_stays_a_line():
    seconds = np.array([0, 0.1, 0.3, 0.35, 1.0])
    skeleton = np.broadcast_to(seconds[:, None, None], (5, 20, 3)).astype("float32")
    found, tracked = resample(skeleton, np.ones((5, 20), bool), seconds, 25)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 0, 0], np.arange(26) / 25, atol=1e-6)
    assert tracked.all()


@pytest.mark.parametrize("seconds", [[0, 1], [0, 2, 1], [], [0, np.nan, 1]])
def test_times_that_make_no_sense(seconds):
    with pytest.raises(ValueError, match="seconds: expected 3 times, at least one, that never fall"):
        resample(np.zeros((3, 20, 3)), np.ones((3, 20), bool), np.array(seconds), 10)


def test_times_in_other_units_than_they_are_said_to_be_in():
    with pytest.raises(ValueError, match="expected at most 100,000 frames at 30 Hz, found 1e\\+12 s"):
        resample(np.zeros((2, 20, 3)), np.ones((2, 20), bool), np.array([0, 1e12]), 30)
