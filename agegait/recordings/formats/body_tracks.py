"""Bodies in frames, put together body by body."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from agegait.recordings.files.limits import check_size
from agegait.recordings.frame_times import MOST_MISSING, missing_frames
from agegait.recordings.natural_order import natural
from agegait.recordings.recording import Recording


@dataclass(frozen=True)
class Sighting:
    """A body in a frame.

    Attributes:
        frame: Number of the frame.
        coordinates: [J, 3], NaN where there are none.
        tracked: [J], bool; None where the file does not say.
        body: What tells this body from the others; None where the file does not say.
        seconds: When the frame was taken; None where the file does not say.
    """

    frame: int
    coordinates: np.ndarray
    tracked: np.ndarray | None = None
    body: str | None = None
    seconds: float | None = None


def recordings_of(
    sightings: Iterable[Sighting],
    source: str,
    names: Sequence[str],
    *,
    who: str,
    units: str | None,
    up: str | None,
    frame_rate: float | None = None,
    remarks: Iterable[str] = (),
) -> list[Recording]:
    """Puts sightings together, a recording for each body, in the order of the bodies' names.

    Frames in which a body is not seen are not among its own. Where they are more than a few, its walk is broken.

    Args:
        sightings: In the order of frames.
        source: The file's path.
        names: Of the joints.
        who: What in such files tells bodies apart, for errors.
        units: Of the coordinates.
        up: The axis that points up.
        frame_rate: Of the file, where it says so but not when each frame was taken.
        remarks: On the file.

    Raises:
        ValueError: No body; several in a frame that nothing tells apart; one twice in a frame; frames whose times do
            not rise; or too many frames.
    """
    tracks: dict[str | None, list[Sighting]] = defaultdict(list)
    begin: float | None = None
    for sighting in sightings:
        track = tracks[sighting.body]
        if track and track[-1].frame == sighting.frame:
            found = "several bodies" if sighting.body is None else f"body {sighting.body} twice"
            raise ValueError(
                f"{source}, frame {sighting.frame}: expected one body, or another {who} for each, found {found}: who "
                "is who is not said."
            )
        begin = sighting.seconds if begin is None else begin  # of the file: bodies come after each other
        track.append(sighting)
        check_size(source, len(track), len(names))
    if not tracks:
        raise ValueError(f"{source}: expected a body, found none in any frame.")
    unknown = len(tracks.pop(None)) if len(tracks) > 1 and None in tracks else 0
    said = (*remarks, *([f"{unknown} sightings of bodies without {who} were left out"] if unknown else []))
    return [
        _recording(track, source, tuple(names), units, up, frame_rate, said, begin or 0.0)
        for _, track in sorted(tracks.items(), key=lambda item: natural(item[0] or ""))
    ]


def _recording(
    track: Sequence[Sighting],
    source: str,
    names: tuple[str, ...],
    units: str | None,
    up: str | None,
    frame_rate: float | None,
    remarks: tuple[str, ...],
    begin: float,
) -> Recording:
    once = [track[0]] + [now for before, now in pairwise(track) if now.seconds is None or now.seconds != before.seconds]
    if repeated := len(track) - len(once):
        remarks = (*remarks, f"{repeated} frames are there twice, of the same time, and were left out")
    track, frames = once, np.array([sighting.frame for sighting in once])
    times = [sighting.seconds for sighting in track if sighting.seconds is not None]
    seconds = np.array(times) - begin if len(times) == len(track) else None
    if seconds is not None and (wrong := np.flatnonzero(np.diff(seconds) < 0)).size:
        raise ValueError(f"{source}, frame {frames[wrong[0] + 1]}: expected a later time than in the frame before.")
    if seconds is None and frame_rate and np.ptp(frames) >= len(frames):
        seconds = frames / frame_rate  # some are missing
    states = [sighting.tracked for sighting in track if sighting.tracked is not None]
    missing = missing_frames(frames, counted=True) if seconds is None else missing_frames(seconds)
    body = track[0].body
    if missing.any():
        of_body = "" if body is None else f" of body {body}"
        remarks = (*remarks, f"{int(missing.sum())} frames{of_body} are missing, most {_longest_hole(frames, missing)}")
    return Recording(
        source,
        np.stack([sighting.coordinates for sighting in track]),
        names=names,
        tracked=np.stack(states) if len(states) == len(track) else None,
        units=units,
        seconds=seconds,
        frame_rate=frame_rate,
        up=up,
        body=body,
        breaks=tuple(np.flatnonzero(missing > MOST_MISSING).tolist()),
        remarks=remarks,
    )


def _longest_hole(frames: np.ndarray, missing: np.ndarray) -> str:
    at = int(missing.argmax())
    return f"between {frames[at - 1]} and {frames[at]}"
