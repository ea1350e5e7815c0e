"""A walk of your own data, in the joints and units that models are trained on."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from agegait.recordings.axes import turned
from agegait.recordings.body_checks import body_axis, depth_fault, neck_fault, picture_fault, scatter_fault, score_fault
from agegait.recordings.body_jumps import jump_remark, turns_fault
from agegait.recordings.frame_times import rate_of
from agegait.recordings.gaps import tracked_by_place, without_gaps
from agegait.recordings.joint_recognition import in_schema_order, names_remark, recognize_joints
from agegait.recordings.posture import posture_remarks
from agegait.recordings.recording import Recording
from agegait.recordings.resampling import alike, resample
from agegait.recordings.walk_format import WalkFormat, metres_of
from agegait.skeletons import Schema
from agegait.skeletons.sides import sides_exchanged, turned_against_each_other


@dataclass(frozen=True, eq=False)
class Walk:
    """A walk as the data sets hold it.

    Attributes:
        skeleton: [T, 20, 3] float32, metres, canonical joints.
        tracked: [T, 20], bool
        frame_rate: Hz; None where unknown.
        schema: Name of the schema that the joints were of; `"joint_map"` where a map of the user's own says.
        units: That lengths were in, see `WalkFormat`.
        up: The axis that pointed up.
        remarks: What a reader of the file should know, such as columns that were not read.
    """

    skeleton: np.ndarray
    tracked: np.ndarray
    frame_rate: float | None
    schema: str
    units: str = "m"
    up: str = "y"
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
                no frame rate to resample from, no depth, parts of a picture, a body along another axis than y that
                nobody has said to point up, frames missing in between. The message names the file, the frame and the
                joint.
        """
        source = recording.source
        if recording.breaks:
            raise ValueError(f"{source}: expected a walk without holes; load_walks splits it where frames are missing.")
        schema = schema or recognize_joints([recording], walk_format)
        order = in_schema_order(recording, schema, walk_format)
        seconds, frame_rate = _times(recording, walk_format)
        needed = np.zeros(recording.coordinates.shape[1], bool)
        needed[[order[schema.joints.index(name)] for names in schema.sources for name in names]] = True
        coordinates, tracked = without_gaps(recording, needed, walk_format.missing, seconds)
        try:
            skeleton = schema.to_canonical(
                coordinates[:, order], "interpolate" if recording.places_joints else walk_format.missing
            )
            tracked = schema.to_canonical_tracked(tracked[:, order])
            for fault in (
                depth_fault(recording),
                picture_fault(skeleton, schema),
                score_fault(skeleton),
                neck_fault(coordinates[:, order], schema),
                turns_fault(skeleton),
                scatter_fault(skeleton, tracked),
            ):
                if fault:
                    raise ValueError(f"{fault}.")
            up = _up(recording, walk_format, skeleton, schema.name)
            skeleton = turned(skeleton, up)
            if walk_format.resample is not None:
                if seconds is None:
                    raise ValueError(
                        "expected a known frame rate to resample, found none in the file: frame_rate=30 states it."
                    )
                skeleton, tracked = resample(skeleton, tracked, seconds, walk_format.resample)
                frame_rate = float(walk_format.resample)
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from None
        units = _units(recording, walk_format)
        skeleton = (skeleton * metres_of(units)).astype("float32")
        unseen = 0 if walk_format.missing == "interpolate" else int((~tracked_by_place(coordinates))[:, needed].sum())
        remarks = (
            *recording.remarks,
            *([f"{unseen} places of joints are (0, 0, 0), as if not seen: {_FILLS}"] if unseen else []),
            *filter(None, [names_remark(recording, order, walk_format)]),
            *([_TAKEN_AS_Y_DOWN] if up == "-y" and walk_format.up == "auto" and recording.up is None else []),
            *filter(None, [jump_remark(skeleton), *posture_remarks(skeleton)]),
            *([ONE_PAIR_EXCHANGED] if (one_pair := turned_against_each_other(skeleton)) else []),
            *([SIDES_EXCHANGED] if not one_pair and sides_exchanged(skeleton) else []),
        )
        return cls(skeleton, tracked, frame_rate, schema.name, units, up, remarks)

    def at_rate(self, frame_rate: float) -> "Walk":
        """The walk at a frame rate; the same one where its own is unknown, or within a tenth.

        Raises:
            ValueError: It would have too many frames.
        """
        if self.frame_rate is None or alike(self.frame_rate, frame_rate) or not len(self.skeleton):
            return self
        seconds = np.arange(len(self.skeleton)) / self.frame_rate
        skeleton, tracked = resample(self.skeleton, self.tracked, seconds, frame_rate)
        return dataclasses.replace(self, skeleton=skeleton, tracked=tracked, frame_rate=frame_rate)


SIDES_EXCHANGED = "left and right look exchanged, or the coordinates are mirrored: feet and knees point backwards"

_Y_DOWN = ("mediapipe_pose", "azure_kinect")
"""Schemas of which the sensors themselves have y down."""

_TAKEN_AS_Y_DOWN = "y points down, as these joints' sensor has it, and was turned up"

_FILLS = 'missing="interpolate" would fill them'

ONE_PAIR_EXCHANGED = "left and right look exchanged in the arms or in the legs: hips and shoulders face opposite ways"


def _units(recording: Recording, walk_format: WalkFormat) -> str:
    """The unit of length: the one given, else the file's, else metres."""
    return (recording.units or "m") if walk_format.units == "auto" else str(walk_format.units)


def _up(recording: Recording, walk_format: WalkFormat, skeleton: np.ndarray, schema: str) -> str:
    """The axis that points up: the one given, else the file's, else y, or -y of sensors whose bodies are so.

    Raises:
        ValueError: Nobody has given one, and the body stands along another.
    """
    if walk_format.up != "auto":
        return walk_format.up
    if recording.up is None and schema in _Y_DOWN and body_axis(skeleton, any_limbs=True) == "-y":
        return "-y"
    up, standing = recording.up or "y", body_axis(skeleton)
    if standing not in (None, up):
        by_file = ", as the file says" if recording.up else ""
        upside_down = standing.strip("-") == up.strip("-") if standing else False
        received = "that is upside down, head below feet" if upside_down else f"that stands along {standing}"
        raise ValueError(f'expected {up} to point up{by_file}, found a body {received}: up="{standing}" turns it.')
    return up


def _times(recording: Recording, walk_format: WalkFormat) -> tuple[np.ndarray | None, float | None]:
    """When frames were taken, in seconds, and how often, as far as is known; the walk format counts first."""
    rate = walk_format.frame_rate
    if rate is None and recording.seconds is not None:
        return recording.seconds, rate_of(recording.seconds)
    rate = rate or recording.frame_rate
    return (None, None) if rate is None else (np.arange(len(recording.coordinates)) / rate, float(rate))
