"""How your own walks are read."""

import math
from dataclasses import dataclass
from typing import Any

from agegait import skeletons
from agegait.recordings.axes import UPS
from agegait.recordings.joint_map import joint_map_of

UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}
"""Metres in each unit of length that files may be in."""

_LEAST_UNIT = 1e-6
"""Metres."""

MISSING = ("refuse", "interpolate")

MOST_HZ = 1000


@dataclass(frozen=True)
class WalkFormat:
    """What the files of walks hold, where they do not say it themselves, and what is to become of it.

    Attributes:
        joints: A key of `agegait.skeletons.SCHEMAS`; `"auto"` goes by the joints' names, else by how many there are,
            else by which schema gives limbs of human lengths. A schema that is given overrules names in a header.
        joint_map: Which of a file's joints each canonical joint is: by its name, by its number from 0 where joints have
            no names, or as a list of those whose middle it is. A mapping, or the path of a JSON file with one. It takes
            the place of a schema.
        up: The axis that points up: `"y"`, `"-y"`, `"z"`, `"-z"`, `"x"` or `"-x"`. Bodies are turned, so that left and
            right stay what they are. `"auto"` is as the file or its kind says, else y.
        units: Of coordinates: a key of `UNITS`, or how many metres one is, as a number; `"auto"` is as the file or its
            kind says, else metres. Held as text.
        missing: What becomes of coordinates that are not there (NaN, or an empty field) and of canonical joints that
            the schema has not: `"refuse"`, or `"interpolate"` between the frames around a gap and among the joints
            around a joint.
        frame_rate: Of the recordings, in Hz; None where unknown, or as the file says.
        resample: Frame rate wanted, in Hz; None leaves frames as they are.
        person_column: The column of a table that tells who walks; None for the usual names of one.
        pose_model: File of the model that finds people in videos, see `agegait.recordings.video.pose_model`; None for
            the one that `AGEGAIT_POSE_MODEL` names, or a download.
        skip_bad: Whether files that are no walks are left out, and said to be, where there are others.

    Raises:
        ValueError: An unknown name, or a rate that makes no sense.
    """

    joints: str = "auto"
    units: str | float = "auto"
    missing: str = "refuse"
    frame_rate: float | None = None
    resample: float | None = None
    person_column: str | None = None
    pose_model: str | None = None
    up: str = "auto"
    joint_map: dict[str, Any] | None = None  # a path or JSON text becomes one
    skip_bad: bool = False

    def __post_init__(self) -> None:
        if self.joints != "auto":
            try:
                object.__setattr__(self, "joints", skeletons.schema(self.joints).name)
            except ValueError:
                known = ", ".join(("auto", *skeletons.SCHEMAS))
                raise ValueError(f"joints: expected one of {known}, received {self.joints!r}.") from None
        if self.joint_map is not None:
            if self.joints != "auto":
                raise ValueError("joint_map: expected without joints, which names a schema, received both.")
            object.__setattr__(self, "joint_map", joint_map_of(self.joint_map))
        if self.units != "auto":
            object.__setattr__(self, "units", _units_of(self.units))
        known_names: tuple[str, ...]
        for name, known_names in (
            ("missing", MISSING),
            ("up", ("auto", *UPS)),
        ):
            if getattr(self, name) not in known_names:
                expected = ", ".join(known_names)
                raise ValueError(f"{name}: expected one of {expected}, received {getattr(self, name)!r}.")
        for name in ("frame_rate", "resample"):
            rate = getattr(self, name)
            if rate is not None and not is_rate(rate):
                raise ValueError(f"{name}: expected more than 0 and at most {MOST_HZ} Hz, received {rate!r}.")


def is_rate(rate: object) -> bool:
    """Whether something can be a frame rate in Hz."""
    return isinstance(rate, (int, float)) and not isinstance(rate, bool) and math.isfinite(rate) and 0 < rate <= MOST_HZ


def metres_of(units: str) -> float:
    """Metres in a unit as `WalkFormat` holds it."""
    return UNITS[units] if units in UNITS else float(units)


def _units_of(given: Any) -> str:
    """A unit in one form: a key of `UNITS`, or a number.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(given, str) and given in UNITS:
        return given
    try:
        metres = math.nan if isinstance(given, bool) else float(given)
    except (TypeError, ValueError, OverflowError):
        metres = math.nan
    if not _LEAST_UNIT <= metres <= 1 / _LEAST_UNIT:
        raise ValueError(
            f"units: expected one of {', '.join(('auto', *UNITS))}, or how many metres one is, received {given!r:.80}."
        )
    return f"{metres:.10g}"
