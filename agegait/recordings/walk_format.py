"""How your own walks are read."""

import math
from dataclasses import dataclass

from agegait import skeletons

UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}
"""Metres in each unit of length that files may be in."""

MISSING = ("refuse", "interpolate")

MOST_HZ = 1000


@dataclass(frozen=True)
class WalkFormat:
    """What the files of walks hold, where they do not say it themselves, and what is to become of it.

    Attributes:
        joints: A key of `agegait.skeletons.SCHEMAS`; `"auto"` goes by the joints' names, else by how many there are,
            else by which schema gives limbs of human lengths.
        units: Of coordinates, a key of `UNITS`. A file that names its units is believed, unless other units than
            metres are given here.
        missing: What becomes of coordinates that are not there (NaN, or an empty field) and of canonical joints that
            the schema has not: `"refuse"`, or `"interpolate"` between the frames around a gap and among the joints
            around a joint.
        frame_rate: Of the recordings, in Hz; None where unknown, or as the file says.
        resample: Frame rate wanted, in Hz; None leaves frames as they are.
        person_column: The column of a table that tells who walks; None for the usual names of one.
        pose_model: File of the model that finds people in videos, see `agegait.recordings.video.pose_model`; None for
            the one that `AGEGAIT_POSE_MODEL` names, or a download.

    Raises:
        ValueError: An unknown name, or a rate that makes no sense.
    """

    joints: str = "auto"
    units: str = "m"
    missing: str = "refuse"
    frame_rate: float | None = None
    resample: float | None = None
    person_column: str | None = None
    pose_model: str | None = None

    def __post_init__(self) -> None:
        if self.joints != "auto":
            try:
                object.__setattr__(self, "joints", skeletons.schema(self.joints).name)
            except ValueError:
                known = ", ".join(("auto", *skeletons.SCHEMAS))
                raise ValueError(f"joints: expected one of {known}, received {self.joints!r}.") from None
        for name, known_names in (("units", UNITS), ("missing", MISSING)):
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
