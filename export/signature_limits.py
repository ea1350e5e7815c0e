import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMITS_FILE = Path("assets.extra/agegait.json")
"""In a version's folder, what signatures can't say of their inputs and of what a request takes."""


@dataclass(frozen=True)
class SignatureLimits:
    """What a signature needs, and what a request to it takes; 0 where that is not known.

    Attributes:
        min_frames: Frames that a walk has at least.
        frames: Frames of a window.
        stride: Frames from the start of a window to the next.
        piece: Windows that the graph works on at once.
        window_bytes: Working memory of each of them.
        answer_row_bytes: What each row of the batch adds to the answer.
        answer_window_bytes: What each window adds to it.
        frame_rate: Frames a second to which the graph resamples walks, which need `min_frames` after that.
    """

    min_frames: int = 0
    frames: int = 0
    stride: int = 0
    piece: int = 0
    window_bytes: int = 0
    answer_row_bytes: int = 0
    answer_window_bytes: int = 0
    frame_rate: float = 0.0


def write_limits(version_folder: Path, limits: Mapping[str, SignatureLimits]) -> None:
    """Writes the limits of each signature into a version's folder."""
    fields = [field.name for field in dataclasses.fields(SignatureLimits)]
    content = {field: {name: getattr(one, field) for name, one in limits.items()} for field in fields}
    (version_folder / LIMITS_FILE).write_text(json.dumps(content) + "\n")


def read_limits(version_folder: Path) -> dict[str, SignatureLimits]:
    """The limits of each signature of a version; none where it has no such file.

    Raises:
        ValueError: A file that holds something else.
    """
    file = version_folder / LIMITS_FILE
    if not file.exists():
        return {}
    try:
        content = json.loads(file.read_text())
        kinds: dict[str, Any] = {
            field.name: float if field.name == "frame_rate" else int for field in dataclasses.fields(SignatureLimits)
        }
        names = {name for field in kinds for name in content.get(field, {})}
        return {
            name: SignatureLimits(*(kind(content.get(field, {}).get(name, 0)) for field, kind in kinds.items()))
            for name in names
        }
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f"{LIMITS_FILE}: expected numbers by field and signature") from None
