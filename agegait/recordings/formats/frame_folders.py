"""Walks as folders with a file for each frame, as BIWI and IAS-Lab have them."""

from pathlib import Path

import numpy as np

from agegait import skeletons
from agegait.recordings.files import opening
from agegait.recordings.files.limits import MOST_FRAME_BYTES, check_size
from agegait.recordings.formats import biwi_text
from agegait.recordings.recording import Recording

PATTERN = "*_skel.txt"
"""What the files of frames are called; sorted by name they are in order. Other files are not read."""


def frame_files(folder: Path) -> list[Path]:
    """The files of a folder's frames, in order; none where it is no walk."""
    return sorted(path for path in folder.glob(PATTERN) if not path.name.startswith("."))


def read_frames(folder: Path, within: Path | None = None) -> Recording:
    """Reads a folder of frames.

    Args:
        folder: The folder.
        within: The folder that links may not lead out of; None for the frames' own.

    Raises:
        ValueError: No files of frames, too many, one that is no frame, or a link out of the folder.
    """
    files = frame_files(folder)
    if not files:
        raise ValueError(f"{folder}: expected a walk's file, or a folder of frames {PATTERN}, found a folder without.")
    check_size(str(folder), len(files), len(skeletons.JOINTS))
    frames = [
        biwi_text.parse(opening.read_regular(file, within or folder, MOST_FRAME_BYTES), str(file)) for file in files
    ]
    coordinates, tracked = (np.stack(parts) for parts in zip(*frames, strict=True))
    return Recording(str(folder), coordinates.astype("float64"), names=skeletons.JOINTS, tracked=tracked)
