"""Results of AlphaPose and lists of COCO's keypoints, which have no depth."""

from pathlib import Path

from agegait.recordings.file_format import FileFormat
from agegait.recordings.formats.json_keys import has_key
from agegait.recordings.formats.openpose import FLAT
from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat


def _refuse(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    raise ValueError(
        f"{path}: expected 3D keypoints, found 2D keypoints (x, y and a score; the score is no z); {FLAT}."
    )


FORMATS = (
    FileFormat(
        "alphapose", "JSON of AlphaPose, which has no depth", (".json",), _refuse, has_key("image_id", "category_id")
    ),
)
