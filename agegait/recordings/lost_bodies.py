"""Frames in which a sensor lost its body: a hole in time, although they have rows."""

import numpy as np

from agegait.recordings.frame_times import long_stretches
from agegait.recordings.gaps import tracked_by_place
from agegait.recordings.recording import Recording


def without_lost(recording: Recording) -> Recording:
    """A recording without long stretches in which nothing of the body was seen: it breaks there.

    Short ones stay, as single joints that are missing do: whether they may be filled is the user's to say.
    """
    places = recording.coordinates
    seen = tracked_by_place(places) & ~np.isnan(places).any(axis=-1)
    if recording.tracked is not None and recording.tracked.any():
        seen &= recording.tracked
    lost = ~seen.any(axis=1)
    long = long_stretches(lost)
    if not long or lost.all():
        return recording
    kept = np.ones(len(lost), bool)
    for start, end in long:
        kept[start:end] = False
    return recording.with_frames(kept, long, f"{int((~kept).sum())} frames in which no joint was seen were left out")
