"""Walks as folders with a file for each frame, as BIWI and IAS-Lab have them."""

from pathlib import Path

import numpy as np

from agegait import skeletons
from agegait.data.files import biwi_text
from agegait.data.files.recording import Recording

PATTERN = "*_skel.txt"
"""What the files of frames are called; sorted by name they are in order. Other files are not read."""


def frame_files(folder: Path) -> list[Path]:
    """The files of a folder's frames, in order; none where it is no walk."""
    return sorted(path for path in folder.glob(PATTERN) if not path.name.startswith("."))


def read_frames(folder: Path) -> Recording:
    """Reads a folder of frames.

    Raises:
        ValueError: No files of frames, or one that is no frame.
    """
    files = frame_files(folder)
    if not files:
        raise ValueError(f"{folder}: expected a walk's file, or a folder of frames {PATTERN}, found a folder without.")
    frames = [biwi_text.parse(file.read_bytes(), str(file)) for file in files]
    coordinates, tracked = (np.stack(parts) for parts in zip(*frames, strict=True))
    return Recording(str(folder), coordinates.astype("float64"), names=skeletons.JOINTS, tracked=tracked)
