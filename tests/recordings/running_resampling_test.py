import hypothesis
import hypothesis.strategies as st
import numpy as np

from agegait.data import resample
from agegait.recordings.running_resampling import RunningResampler


@hypothesis.settings(deadline=None)
@hypothesis.given(
    st.lists(st.sampled_from([0.0166, 1 / 60, 0.02, 0.033, 0.04, 0.1, 0.25, 1.0]), max_size=20),
    st.sampled_from([1.0, 10.0, 15.0, 29.97, 30.0, 100.0]),
    st.sampled_from([0.0, 5.0, 1.7e9]),
)
def test_frames_are_those_of_the_whole_walk(steps, rate, start):
    seconds = start + np.concatenate([[0], np.cumsum(steps)])
    skeleton = np.random.default_rng(0).standard_normal((len(seconds), 4, 3))
    running = RunningResampler(rate)
    found = [new for frame, time in zip(skeleton, seconds, strict=True) for new in running.push(frame, time)]
    expected, _ = resample(skeleton, np.ones(skeleton.shape[:2], bool), seconds, rate)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_an_even_walk_at_the_same_rate_stays_as_it_is():
    walk = np.random.default_rng(0).standard_normal((100, 20, 3)).astype("float32")
    running = RunningResampler(30.0)
    found = [new for number, frame in enumerate(walk) for new in running.push(frame, number / 30)]
    np.testing.assert_array_equal(found, walk)
