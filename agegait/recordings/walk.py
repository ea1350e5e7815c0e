"""A walk of your own data, in the joints and units that models are trained on."""

from dataclasses import dataclass

import numpy as np

from agegait.recordings.frame_times import rate_of
from agegait.recordings.gaps import without_gaps
from agegait.recordings.joint_recognition import in_schema_order, recognize_joints
from agegait.recordings.recording import Recording
from agegait.recordings.resampling import resample
from agegait.recordings.walk_format import UNITS, WalkFormat
from agegait.skeletons import Schema


@dataclass(frozen=True, eq=False)
class Walk:
    """A walk as the data sets hold it.

    Attributes:
        skeleton: [T, 20, 3] float32, metres, canonical joints.
        tracked: [T, 20], bool
        frame_rate: Hz; None where unknown.
        schema: Name of the schema that the joints were of.
        remarks: What a reader of the file should know, such as columns that were not read.
    """

    skeleton: np.ndarray
    tracked: np.ndarray
    frame_rate: float | None
    schema: str
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, recording: Recording, walk_format: WalkFormat, schema: Schema | None = None) -> "Walk":
        """The walk that a recording is.

        Args:
            recording: What a file holds.
            walk_format: What it holds where it does not say so, and what is to become of it.
            schema: Of the joints; recognized where it is not given.

        Raises:
            ValueError: Joints of another schema, coordinates that are infinite, or missing and not to be interpolated,
                no frame rate to resample from. The message names the file, the frame and the joint.
        """
        schema = schema or recognize_joints([recording], walk_format)
        order = in_schema_order(recording, schema)
        seconds, frame_rate = _times(recording, walk_format)
        needed = np.zeros(len(order), bool)
        needed[[order[schema.joints.index(name)] for names in schema.sources for name in names]] = True
        coordinates, tracked = without_gaps(recording, needed, walk_format.missing, seconds)
        try:
            skeleton = schema.to_canonical(
                coordinates[:, order], "interpolate" if recording.places_joints else walk_format.missing
            )
            tracked = schema.to_canonical_tracked(tracked[:, order])
            if walk_format.resample is not None:
                if seconds is None:
                    raise ValueError(
                        "expected a known frame rate to resample, found none in the file: frame_rate=30 states it."
                    )
                skeleton, tracked = resample(skeleton, tracked, seconds, walk_format.resample)
                frame_rate = float(walk_format.resample)
        except ValueError as error:
            raise ValueError(f"{recording.source}: {error}") from None
        skeleton = (skeleton * _metres(recording, walk_format)).astype("float32")
        return cls(skeleton, tracked, frame_rate, schema.name, recording.remarks)


def _metres(recording: Recording, walk_format: WalkFormat) -> float:
    """Metres of one of the recording's units."""
    own, asked = recording.units, walk_format.units
    if own is not None and asked not in ("m", own):
        raise ValueError(f"{recording.source}: expected lengths in {asked}, found that they are in {own}.")
    return UNITS[own or asked]


def _times(recording: Recording, walk_format: WalkFormat) -> tuple[np.ndarray | None, float | None]:
    """When frames were taken, in seconds, and how often, as far as is known; the walk format counts first."""
    rate = walk_format.frame_rate
    if rate is None and recording.seconds is not None:
        return recording.seconds, rate_of(recording.seconds)
    rate = rate or recording.frame_rate
    return (None, None) if rate is None else (np.arange(len(recording.coordinates)) / rate, float(rate))
