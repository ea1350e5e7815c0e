"""What the file of a walk holds, before it is known which joint is which."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from agegait.recordings.files.limits import check_size

_LISTED = 5
_LONGEST_NAME = 100


def listed(names: Sequence[str]) -> str:
    """Names for people to read: the first few, and how many more there are."""
    short = (name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "..." for name in names[:_LISTED])
    shown = ", ".join(name if name.strip() else repr(name) for name in short)
    return shown + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")


@dataclass(frozen=True)
class Recording:
    """A walk as its file has it.

    Attributes:
        source: The file's path, for errors.
        coordinates: [T, J, 3] float64, NaN where there are none.
        names: Of the joints, where the file has them.
        tracked: [T, J], bool; None where the file does not say.
        units: A key of `agegait.recordings.walk_format.UNITS`; None where the file does not say.
        seconds: [T], when each frame was taken; None where the file does not say.
        frame_rate: Hz; None where the file does not say.
        lines: [T], line or row of the file that each frame is in; None where it has none.
        up: Which axis points up, as the file or its kind says: `"y"`, `"-y"`, `"z"`, `"-z"`, `"x"` or `"-x"`; None
            where it does not. Coordinates are as the file has them; they are turned later.
        person: Who walks, where the file itself says; else the folder does.
        walk: Which of the person's walks it is, where the file itself says.
        body: The sensor's number for the body, where the file has one.
        breaks: Rising indices of frames before which some are missing, more than a few: there a new piece begins, and
            nothing may reach from one piece into the next.
        remarks: What a reader of the file should know, such as columns that were not read.
        places_joints: Whether joints that the schema has not are placed among others without being asked for: whoever
            takes a video has no choice of joints.

    Raises:
        ValueError: No frames, or more than a walk may have.
    """

    source: str
    coordinates: np.ndarray
    names: tuple[str, ...] | None = None
    tracked: np.ndarray | None = None
    units: str | None = None
    seconds: np.ndarray | None = None
    frame_rate: float | None = None
    lines: np.ndarray | None = None
    up: str | None = None
    person: str | None = None
    walk: str | None = None
    body: str | None = None
    breaks: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()
    places_joints: bool = False

    def __post_init__(self) -> None:
        if not len(self.coordinates):
            raise ValueError(f"{self.source}: expected at least one frame, found none.")
        check_size(self.source, *self.coordinates.shape[:2])

    def with_frames(self, kept: np.ndarray, holes: Sequence[tuple[int, int]], *remarks: str) -> Self:
        """Some of the frames.

        Args:
            kept: `[T]`, bool, which ones.
            holes: First frames of stretches that are left out, and the frames behind them: there a new piece begins.
            remarks: What is to be said of it.
        """
        breaks = {int(kept[:place].sum()) for place in (*self.breaks, *(end for _, end in holes))}

        def those(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[kept]

        return dataclasses.replace(
            self,
            coordinates=self.coordinates[kept],
            tracked=those(self.tracked),
            seconds=those(self.seconds),
            lines=those(self.lines),
            breaks=tuple(sorted(breaks - {0, int(kept.sum())})),
            remarks=(*self.remarks, *remarks),
        )

    def joint(self, joint: int) -> str:
        """What a joint is called in errors."""
        return self.names[joint] if self.names else str(joint)

    def place(self, frame: int, joint: int) -> str:
        """Where a coordinate is in the file, for errors."""
        line = "" if self.lines is None else f"line {self.lines[frame]}, "
        return f"{line}frame {frame}, joint {self.joint(joint)}"
