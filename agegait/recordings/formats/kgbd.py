"""Text files of KGBD, Kinect Gait Biometry Dataset."""

from pathlib import Path

from agegait import skeletons
from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.formats import kgbd_text
from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    walk = kgbd_text.parse(opening.read_regular(path, within), str(path))
    coordinates, tracked = walk.astype("float64"), kgbd_text.tracked(walk)
    return [Recording(str(path), coordinates, names=skeletons.JOINTS, tracked=tracked, units="m", up="y")]


FORMATS = (FileFormat("kgbd", "text of KGBD", (".txt",), _read),)
