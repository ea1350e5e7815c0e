"""Frames in which a sensor lost its body: a hole in time, although they have rows."""

import dataclasses

import numpy as np

from agegait.recordings.frame_times import MOST_MISSING
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
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]]).astype(int))).reshape(-1, 2)
    long = [(start, end) for start, end in edges.tolist() if end - start > MOST_MISSING]
    if not long or lost.all():
        return recording
    kept = np.ones(len(lost), bool)
    for start, end in long:
        kept[start:end] = False
    begins = {int(kept[:place].sum()) for place in (*recording.breaks, *(end for _, end in long))}

    def of_kept(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[kept]

    return dataclasses.replace(
        recording,
        coordinates=places[kept],
        tracked=of_kept(recording.tracked),
        seconds=of_kept(recording.seconds),
        lines=of_kept(recording.lines),
        breaks=tuple(sorted(begins - {0, int(kept.sum())})),
        remarks=(*recording.remarks, f"{int((~kept).sum())} frames in which no joint was seen were left out"),
    )
