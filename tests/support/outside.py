"""What some tests read that is no part of the project, and why it is not; where it is absent they are skipped.

It is looked for in the folder `shared` beside the project, the published code's also in AGEGAIT_REFERENCE.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

_SHARED = Path(__file__).parents[3] / "shared"

KGBD = _SHARED / "data" / "kgbd"
BIWI_FRAME = _SHARED / "data" / "biwi" / "000_000000-d_8349192_skel.txt"
POSE_MODEL = _SHARED / "pose" / "pose_landmarker_full.task"
VIDEO = _SHARED / "pose" / "walk.mp4"
REFERENCE = Path(os.environ.get("AGEGAIT_REFERENCE", _SHARED / "reference"))


def _needs(path: Path, why: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not path.exists(), reason=f"{why}: no {path}")


needs_kgbd = _needs(
    KGBD,
    "needs the real KGBD, 100 MB of people's walks that its authors give out; files made up in its format are read "
    "without it",
)
needs_biwi_frame = _needs(
    BIWI_FRAME,
    "needs a real frame of BIWI, a person's skeleton that its authors give on request alone; frames made up in its "
    "format are read without it",
)
needs_reference = _needs(
    REFERENCE,
    "needs the published code's checkpoints and the windows that it printed its figures for, which are not ours to "
    "pass on; its graph is met by tests/golden without them",
)
needs_video = _needs(
    VIDEO if find_spec("mediapipe") else Path("mediapipe"),
    "needs MediaPipe (`agegait[video]`), its model that finds people, and a video of some, which are not ours to pass "
    "on; made-up poses are tracked without them",
)
