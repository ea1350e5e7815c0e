"""Walks as folders with a file for each frame, as BIWI, IAS-Lab and OpenPose have them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agegait import skeletons
from agegait.recordings.files import opening
from agegait.recordings.files.limits import MOST_FRAME_BYTES, check_size
from agegait.recordings.formats import biwi_text, openpose
from agegait.recordings.natural_order import natural
from agegait.recordings.recording import Recording


@dataclass(frozen=True)
class FrameFormat:
    """A kind of folder with a file for each frame.

    Attributes:
        pattern: What the files of frames are called; sorted by name, with the numbers in them as numbers, they are in
            order. Other files are not read.
        read: Given the folder, the files in order and their contents, which are read when they are asked for, returns
            the folder's recordings.
    """

    pattern: str
    read: Callable[[Path, Sequence[Path], Iterable[bytes]], list[Recording]]


def _read_biwi(folder: Path, files: Sequence[Path], contents: Iterable[bytes]) -> list[Recording]:
    check_size(str(folder), len(files), len(skeletons.JOINTS))
    frames = [biwi_text.parse(content, str(file)) for file, content in zip(files, contents, strict=True)]
    coordinates, tracked = (np.stack(parts) for parts in zip(*frames, strict=True))
    places = coordinates.astype("float64")
    return [Recording(str(folder), places, names=skeletons.JOINTS, tracked=tracked, units="m", up="y")]


_FORMATS = (
    FrameFormat("*_skel.txt", _read_biwi),
    FrameFormat("*_keypoints.json", openpose.read_frames),
)

PATTERN = " or ".join(known.pattern for known in _FORMATS)
"""What files of frames are called, for people to read."""


def frame_files(folder: Path) -> list[Path]:
    """The files of a folder's frames, in order; none where it is no walk."""
    return [file for known in _FORMATS for file in _frames_of(folder, known)]


def read_frames(folder: Path, within: Path | None = None) -> list[Recording]:
    """Reads a folder of frames.

    Args:
        folder: The folder.
        within: The folder that links may not lead out of; None for the frames' own.

    Raises:
        ValueError: No files of frames, too many, one that is no frame, or a link out of the folder.
    """
    kinds = [(known, files) for known in _FORMATS if (files := _frames_of(folder, known))]
    if not kinds:
        raise ValueError(f"{folder}: expected a walk's file, or a folder of frames {PATTERN}, found a folder without.")
    if len(kinds) > 1:
        raise ValueError(f"{folder}: expected frames {PATTERN}, found both.")
    ((known, files),) = kinds
    check_size(str(folder), len(files), 1)
    return known.read(folder, files, (opening.read_regular(file, within or folder, MOST_FRAME_BYTES) for file in files))


def _frames_of(folder: Path, known: FrameFormat) -> list[Path]:
    files = [path for path in folder.glob(known.pattern) if not path.name.startswith(".")]
    return sorted(files, key=lambda path: natural(path.name))
