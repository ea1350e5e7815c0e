"""Coordinates that are missing from recordings."""

import numpy as np

from agegait.recordings.recording import Recording

_LARGEST = float(np.finfo("float32").max)


def without_gaps(
    recording: Recording, needed: np.ndarray, missing: str, seconds: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """A recording's joints, those that are needed without gaps.

    A joint with NaN among its coordinates is missing from that frame, as is one at (0, 0, 0) if such are to be filled,
    see `tracked_by_place`. It is put where a straight line in time has it,
    or where it is first or last seen, and is not tracked there.

    Args:
        recording: T frames of J joints.
        needed: [J], bool; joints that may be missing are left as they are.
        missing: `"refuse"` or `"interpolate"`.
        seconds: [T], when each frame was taken; None where unknown, for even steps.

    Returns:
        [T, J, 3] in the recording's units, and [T, J], whether each joint was tracked.

    Raises:
        ValueError: Infinite coordinates, missing ones to be refused, or a joint that is in no frame.
    """
    coordinates = recording.coordinates
    if (infinite := (np.abs(coordinates) > _LARGEST).any(axis=-1)).any():
        raise ValueError(f"{_first(recording, infinite)}: expected a finite coordinate, found infinity.")
    seen = tracked_by_place(coordinates)
    tracked = seen if recording.tracked is None else recording.tracked & seen
    gaps = np.isnan(coordinates).any(axis=-1)
    tracked, gaps = tracked & ~gaps, (gaps | ~seen if missing == "interpolate" else gaps) & needed
    if not gaps.any():
        return coordinates, tracked
    if missing == "refuse":
        raise ValueError(
            f"{_first(recording, gaps)}: expected coordinates, found none (NaN, an empty field or -1); "
            'missing="interpolate" would fill gaps.'
        )
    for joint in np.flatnonzero(gaps.all(axis=0)).tolist():
        name = recording.joint(joint)
        raise ValueError(f"{recording.source}: expected coordinates of joint {name}, found none in any frame.")
    coordinates, when = coordinates.copy(), np.arange(len(gaps)) if seconds is None else seconds
    for joint in np.flatnonzero(gaps.any(axis=0)).tolist():
        gap = gaps[:, joint]
        for axis in range(3):
            coordinates[gap, joint, axis] = np.interp(when[gap], when[~gap], coordinates[~gap, joint, axis])
    return coordinates, tracked


def _first(recording: Recording, wrong: np.ndarray) -> str:
    frame, joint = np.argwhere(wrong)[0]
    return f"{recording.source}, {recording.place(int(frame), int(joint))}"


def tracked_by_place(coordinates: np.ndarray) -> np.ndarray:
    """What was tracked where a file does not say: sensors write (0, 0, 0), their own place, for what they did not see.

    A joint that never leaves (0, 0, 0) is where the walk was centred.

    Args:
        coordinates: [T, J, 3]

    Returns:
        [T, J], bool
    """
    away = np.any(coordinates, axis=-1)
    return away | (~away.any(axis=0) & away.any(axis=1, keepdims=True))
