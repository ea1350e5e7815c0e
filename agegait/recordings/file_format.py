"""What a kind of file is to agegait: how it is known, and what reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat

HEAD_BYTES = 65_536
"""How much of a file's beginning tells kinds of one ending apart."""


@dataclass(frozen=True)
class FileFormat:
    """A kind of file that holds walks.

    Attributes:
        name: Short, for the table of what was understood, such as `"trc"`.
        title: What it is, for people, such as `"TRC of OpenSim"`.
        endings: Of its files' names, in small letters, with the dot.
        read: Given the path, the folder that links may not lead out of (None for any) and the walk format, returns
            one recording for each walk: more than one where the file has several people, walks or bodies. Raises a
            `ValueError` that says where in which file something is not as expected; an `OSError` may pass.
        recognizes: Given the first `HEAD_BYTES` of a file with one of the endings, whether it is of this kind. None:
            each file of these endings is.

    Example:
        >>> agegait.recordings.register(FileFormat("mine", "my lab's logs", (".log",), read_log))
    """

    name: str
    title: str
    endings: tuple[str, ...]
    read: Callable[[Path, Path | None, WalkFormat], list[Recording]]
    recognizes: Callable[[bytes], bool] | None = None
