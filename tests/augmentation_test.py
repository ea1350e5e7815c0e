"""Windows changed at random, against plain loops and against what must not change."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agegait import augmentation
from agegait.skeletons import JOINTS

WINDOWS = np.random.default_rng(0).normal(size=(50, 9, len(JOINTS), 3)).astype("float32")


@given(st.integers(2, 20), st.floats(0, 0.99))
def test_a_wide_window_has_the_frames_that_the_fastest_walk_needs_and_no_more(frames, time_warp):
    wide = augmentation.wide(frames, time_warp)
    assert wide - 2 < (frames - 1) * (1 + time_warp) <= wide - 1


@pytest.mark.parametrize("time_warp", [0.1, 0.5])
def test_a_warped_window_is_walked_at_one_speed(time_warp):
    ramps = np.arange(9, dtype="float32")[None, :, None, None] * np.ones_like(WINDOWS)  # the time, as a coordinate
    times = augmentation.warped(ramps, 6, time_warp, np.random.default_rng(0))[:, :, 0, 0]
    speeds = np.diff(times, axis=1)
    np.testing.assert_allclose(speeds, np.repeat(speeds[:, :1], 5, axis=1), atol=1e-5)
    assert speeds.min() >= 1 - time_warp - 1e-5
    assert speeds.max() <= 1 + time_warp + 1e-5
    assert np.ptp(speeds) > time_warp
    assert times.min() >= 0
    assert times.max() <= 8


def test_a_warped_window_lies_on_the_lines_between_its_frames():
    ramps = np.arange(9, dtype="float32")[None, :, None, None] * np.ones_like(WINDOWS)
    times = augmentation.warped(ramps, 6, 0.5, np.random.default_rng(3))[:, :, 0, 0]
    found = augmentation.warped(WINDOWS, 6, 0.5, np.random.default_rng(3))
    for window, frame, joint, axis in np.ndindex(4, 6, len(JOINTS), 3):
        expected = np.interp(times[window, frame], np.arange(9), WINDOWS[window, :, joint, axis])
        assert found[window, frame, joint, axis] == pytest.approx(expected, abs=1e-4)


def test_a_window_cannot_be_warped_out_of_too_few_frames():
    with pytest.raises(ValueError, match="skeletons: expected at least 10 frames, received 9"):
        augmentation.warped(WINDOWS, 6, 0.8, np.random.default_rng(0))


def test_a_turned_window_is_turned_by_one_angle_about_the_vertical():
    found = augmentation.turned(WINDOWS, 20, np.random.default_rng(0))
    angles = []
    for window, other in zip(WINDOWS, found, strict=True):
        angle = math.atan2(window[0, 0, 2], window[0, 0, 0]) - math.atan2(other[0, 0, 2], other[0, 0, 0])
        angle = (angle + math.pi) % (2 * math.pi) - math.pi
        c, s = math.cos(angle), math.sin(angle)
        np.testing.assert_allclose(other, window @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T, atol=1e-5)
        angles.append(math.degrees(angle))
    assert -20.001 < min(angles) < -10
    assert 10 < max(angles) < 20.001


def test_noise_is_as_strong_as_asked_for_and_falls_on_every_coordinate_alone():
    noise = augmentation.noisy(WINDOWS, 0.01, np.random.default_rng(0)) - WINDOWS
    assert noise.std() == pytest.approx(0.01, rel=0.02)
    assert abs(noise.mean()) < 3e-4  # five times its standard error
    assert len(np.unique(noise.round(7))) > 0.5 * noise.size


@pytest.mark.parametrize(
    "change",
    [
        lambda random: augmentation.warped(WINDOWS, 9, 0.0, random),
        lambda random: augmentation.turned(WINDOWS, 0, random),
        lambda random: augmentation.noisy(WINDOWS, 0, random),
    ],
    ids=["warped", "turned", "noisy"],
)
def test_nothing_asked_for_changes_nothing(change):
    found = change(np.random.default_rng(0))
    np.testing.assert_array_equal(found, WINDOWS)
    assert found.dtype == WINDOWS.dtype
