"""Files of walks: your own, and those of the published data sets."""

from os import PathLike
from pathlib import Path

import numpy as np

from agegait.recordings.files import opening
from agegait.recordings.formats import frame_folders
from agegait.recordings.joint_recognition import recognize_joints
from agegait.recordings.lost_bodies import without_lost
from agegait.recordings.no_places import without_fillers
from agegait.recordings.pieces import pieces_of
from agegait.recordings.recording import Recording
from agegait.recordings.registry import format_of
from agegait.recordings.repeated_frames import without_repeats
from agegait.recordings.rigs import with_rig_joints
from agegait.recordings.walk import Walk
from agegait.recordings.walk_format import WalkFormat


def read_walk(path: str | PathLike, walk_format: WalkFormat | None = None) -> np.ndarray:
    """Reads one walk in canonical joints and metres.

    Args:
        path: A file, by its ending: `.npy`, an array [T, J, 3] or [T, 3 J]; `.npz`, see
            `agegait.recordings.formats.walk_arrays.read_npz`; `.csv`, `.tsv` or `.parquet`, a table, see
            `agegait.recordings.formats.walk_columns.find_columns`; `.txt`, of KGBD. Or a folder of frames
            `*_skel.txt` as BIWI and IAS-Lab have them.
        walk_format: What the file holds where it does not say so, and what is to become of it.

    Returns:
        float32 `[T, 20, 3]`.

    Raises:
        ValueError: No such file, an unknown ending, or a content that is not a walk. The message says where.

    Example:
        >>> skeleton = read_walk("anna/1.csv", WalkFormat(units="mm"))
    """
    return load_walk(path, walk_format).skeleton


def load_walk(path: str | PathLike, walk_format: WalkFormat | None = None) -> Walk:
    """Reads one walk as `read_walk` does, with all that is known of it."""
    return Walk.of(read_recording(path, walk_format=walk_format), walk_format or WalkFormat())


def load_walks(path: str | PathLike, walk_format: WalkFormat | None = None) -> list[Walk]:
    """Reads all walks that a file holds: of several people or bodies, and those before and after holes in time.

    Args:
        path: As of `read_walk`.
        walk_format: As of `read_walk`.

    Raises:
        ValueError: As of `read_walk`.
    """
    walk_format = walk_format or WalkFormat()
    pieces = pieces_of(read_recordings(path, walk_format=walk_format))
    schema = recognize_joints([piece.recording for piece in pieces], walk_format)
    return [Walk.of(piece.recording, walk_format, schema) for piece in pieces]


def read_recording(
    path: str | PathLike, within: Path | None = None, walk_format: WalkFormat | None = None
) -> Recording:
    """Reads the one walk that a file or folder of frames holds, as it holds it. For its arguments, see
    `read_recordings`.

    Raises:
        ValueError: As `read_recordings`, or a file with more than one walk.
    """
    recordings = read_recordings(path, within, walk_format)
    if len(recordings) != 1:
        raise ValueError(f"{path}: expected one walk, found {len(recordings)}: load_walks reads them all.")
    return recordings[0]


def read_recordings(
    path: str | PathLike, within: Path | None = None, walk_format: WalkFormat | None = None
) -> list[Recording]:
    """Reads the walks that a file or folder of frames holds, as it holds them.

    Args:
        path: The file or folder.
        within: The folder that links may not lead out of; None for any place.
        walk_format: What the file holds where it does not say so.

    Raises:
        ValueError: No such file, an unknown kind of file, something other than a regular file, a link out of the
            folder, or a content that is not a walk or too large. The message says where.
    """
    path = Path(path)
    try:
        if path.is_dir():
            if within is not None:
                opening.inside(path, within)
            found = frame_folders.read_frames(path, within)
        else:
            found = format_of(path, within).read(path, within, walk_format or WalkFormat())
        return [
            with_rig_joints(without_repeats(without_lost(without_fillers(recording))), walk_format or WalkFormat())
            for recording in found
        ]
    except OSError as error:
        raise ValueError(f"{path}: expected a walk's file: {error.strerror or error}.") from None
