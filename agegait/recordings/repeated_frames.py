"""Frames that a sensor or a program repeats: they say nothing new, and many at once are a hole in time."""

import dataclasses

import numpy as np

from agegait.recordings.frame_times import long_stretches
from agegait.recordings.recording import Recording

_FEW = 10
"""Fewer frames say nothing."""


def without_repeats(recording: Recording) -> Recording:
    """A recording without frames that are the one before, to the last digit; it breaks where more than a few are.

    A body that never moves at all is left as it is, and told.
    """
    places = recording.coordinates
    same = (places[1:] == places[:-1]) | (np.isnan(places[1:]) & np.isnan(places[:-1]))
    again = np.concatenate([[False], same.all(axis=(1, 2))])
    if len(places) < _FEW or not again.any():
        return recording
    if again[1:].all():
        told = "all frames are the same: nothing moves"
        return dataclasses.replace(recording, remarks=(*recording.remarks, told))
    if recording.seconds is None and recording.frame_rate:
        recording = dataclasses.replace(recording, seconds=np.arange(len(places)) / recording.frame_rate)
    count, frozen = int(again.sum()), long_stretches(again)
    remarks = [f"{count} {'frame repeats' if count == 1 else 'frames repeat'} the one before and were left out"]
    if frozen:
        start, end = max(frozen, key=lambda run: run[1] - run[0])
        remarks.append(f"the body is frozen for up to {end - start} frames, from frame {start} on")
    return recording.with_frames(~again, frozen, *remarks)
