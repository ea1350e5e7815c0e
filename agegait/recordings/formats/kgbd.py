"""Text files of KGBD, Kinect Gait Biometry Dataset."""

from pathlib import Path

from agegait import skeletons
from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.formats import kgbd_text
from agegait.recordings.formats.table import looks_like_number
from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    walk = kgbd_text.parse(opening.read_regular(path, within), str(path))
    coordinates, tracked = walk.astype("float64"), kgbd_text.tracked(walk)
    return [Recording(str(path), coordinates, names=skeletons.JOINTS, tracked=tracked, units="m", up="y")]


def _recognize(head: bytes) -> bool:
    """Whether a text begins as KGBD's do, with `Joint;x;y;z`: other text is a table."""
    fields = head.lstrip().partition(b"\n")[0].decode("latin-1").split(";")
    return len(fields) == 4 and not looks_like_number(fields[0]) and any(map(looks_like_number, fields[1:]))


FORMATS = (FileFormat("kgbd", "text of KGBD", (".txt",), _read, _recognize),)
