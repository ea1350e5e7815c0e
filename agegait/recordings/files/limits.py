"""How much a file of somebody's walk may hold: what is larger is refused before it takes memory."""

MIB = 1 << 20

MOST_BYTES = 256 * MIB
"""Of one file on disk."""

MOST_FRAMES = 100_000
"""Of one walk: 55 minutes at 30 Hz."""

MOST_COORDINATES = 12_000_000
"""Numbers of one walk, which are frames times joints times 3."""

MOST_JOINTS = 1000

MOST_COLUMNS = 5000
"""Of a table."""

MOST_LINE = MIB
"""Characters of one line of text, and of one row of a table."""

MOST_FRAME_BYTES = MIB
"""Of a file that holds one frame. BIWI's have 7 KB, those of OpenPose with hands and face 20 KB."""

MOST_JSON_MEMORY = 1024 * MIB
"""Of what a file of JSON becomes when it is parsed, which may be many times its bytes on disk."""

MOST_HEADER = 10_000
"""Bytes of an array's header in NumPy's files, as NumPy itself has it."""

MOST_ARRAYS_LISTED = MIB
"""Bytes of the table of contents of a `.npz` file."""

MOST_BESIDES = MIB
"""Bytes of an array of names, of units or of a frame rate in a `.npz` file."""

MOST_WINDOW_BYTES = 4096 * MIB
"""Of a file of windows in the authors' layout; it takes no more memory than it has bytes on disk."""

MOST_LABEL_BYTES = 64 * MIB
"""Of the labels in the authors' layout, which are a pickle."""

MOST_LABEL_STEPS = 5_000_000
"""Pickle's opcodes in them: each may take much more memory than its one byte."""


def check_size(source: str, frames: int, joints: int) -> None:
    """Refuses a walk that is too large.

    Args:
        source: What it is called in errors: the file's path.
        frames: How many it has, or says that it has.
        joints: Of each frame.

    Raises:
        ValueError: More frames, joints or coordinates than a walk may have.
    """
    if frames > MOST_FRAMES:
        raise ValueError(f"{source}: expected at most {MOST_FRAMES:,} frames, found {frames:,}; cut the recording.")
    if joints > MOST_JOINTS:
        raise ValueError(f"{source}: expected at most {MOST_JOINTS:,} joints, found {joints:,}.")
    if frames * joints * 3 > MOST_COORDINATES:
        raise ValueError(
            f"{source}: expected at most {MOST_COORDINATES:,} coordinates, found {frames:,} frames of {joints:,} "
            "joints; cut the recording."
        )
