"""Joint schemas: which joint is which, which bones join them, and how other sensors' joints become ours."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

import numpy as np

JOINTS = (
    "HipCenter", "Spine", "ShoulderCenter", "Head",
    "ShoulderLeft", "ElbowLeft", "WristLeft", "HandLeft",
    "ShoulderRight", "ElbowRight", "WristRight", "HandRight",
    "HipLeft", "KneeLeft", "AnkleLeft", "FootLeft",
    "HipRight", "KneeRight", "AnkleRight", "FootRight",
)  # fmt: skip
"""The canonical joints, in the order of the Kinect v1 SDK."""

BONES = (
    (0, 1), (1, 2), (2, 3),
    (2, 4), (4, 5), (5, 6), (6, 7),
    (2, 8), (8, 9), (9, 10), (10, 11),
    (0, 12), (12, 13), (13, 14), (14, 15),
    (0, 16), (16, 17), (17, 18), (18, 19),
)  # fmt: skip
"""The 19 bones that join them, each from the joint nearer to the hip."""

STANDING = np.array([
    (0.00, 0.95, 2.5), (0.00, 1.02, 2.5), (0.00, 1.40, 2.5), (0.00, 1.60, 2.5),
    (-0.17, 1.36, 2.5), (-0.20, 1.08, 2.5), (-0.21, 0.84, 2.5), (-0.21, 0.76, 2.5),
    (0.17, 1.36, 2.5), (0.20, 1.08, 2.5), (0.21, 0.84, 2.5), (0.21, 0.76, 2.5),
    (-0.08, 0.88, 2.5), (-0.10, 0.48, 2.5), (-0.10, 0.10, 2.5), (-0.11, 0.04, 2.4),
    (0.08, 0.88, 2.5), (0.10, 0.48, 2.5), (0.10, 0.10, 2.5), (0.11, 0.04, 2.4),
])  # fmt: skip
"""A made-up body of 1.75 m that stands before a sensor on the floor, `[20, 3]` in metres."""

KGBD = {
    "Head": "Head", "Shoulder-Center": "ShoulderCenter",
    "Shoulder-Right": "ShoulderRight", "Shoulder-Left": "ShoulderLeft",
    "Elbow-Right": "ElbowRight", "Elbow-Left": "ElbowLeft",
    "Wrist-Right": "WristRight", "Wrist-Left": "WristLeft",
    "Hand-Right": "HandRight", "Hand-Left": "HandLeft",
    "Spine": "Spine", "Hip-centro": "HipCenter",
    "Hip-Right": "HipRight", "Hip-Left": "HipLeft",
    "Knee-Right": "KneeRight", "Knee-Left": "KneeLeft",
    "Ankle-Right": "AnkleRight", "Ankle-Left": "AnkleLeft",
    "Foot-Right": "FootRight", "Foot-Left": "FootLeft",
}  # fmt: skip
"""The joints as KGBD's files name and order them, each with its canonical name."""

MIRRORED = tuple(
    JOINTS.index(name.replace("Left", "Right") if "Left" in name else name.replace("Right", "Left")) for name in JOINTS
)
"""The canonical joints of a mirror image, by their places: those of the other side."""


def mirrored(skeletons: np.ndarray) -> np.ndarray:
    """Mirror images: x is negated, and each joint is the one of the other side.

    A walk past the camera becomes one past its other side, by somebody of the same lengths.

    Args:
        skeletons: `[..., 20, 3]` in canonical joints.

    Returns:
        The same shape and type.

    Raises:
        ValueError: Another number of joints or coordinates.
    """
    if np.shape(skeletons)[-2:] != (len(JOINTS), 3):
        raise ValueError(f"skeletons: expected [..., {len(JOINTS)}, 3], received {list(np.shape(skeletons))}.")
    return skeletons[..., MIRRORED, :] * np.array([-1, 1, 1], skeletons.dtype)


def canonical_order(joints: Iterable[str]) -> list[int]:
    """Finds the canonical joints among joints of another order.

    Args:
        joints: Canonical names in the order at hand, such as `KGBD.values()`; further names are ignored.

    Returns:
        Indices that put a skeleton [..., joints, 3] into canonical order: `skeleton[..., order, :]`.

    Raises:
        ValueError: A canonical joint is missing, or there twice.
    """
    joints = list(joints)
    for joint in JOINTS:
        if joints.count(joint) != 1:
            raise ValueError(f"`joints` must hold {joint!r} once. Received {joints.count(joint)} of it in {joints}")
    return [joints.index(joint) for joint in JOINTS]


@dataclass(frozen=True)
class Schema:
    """The joints of a sensor or pose estimator, and how they become the canonical joints.

    Attributes:
        name: Key of `SCHEMAS`.
        title: What people call it.
        joints: The joints as their makers name and order them.
        sources: For each of `JOINTS` the joint that it is, or those whose mean takes its place.
        missing: The canonical joints that the schema has not and that can only be placed among others.
    """

    name: str
    title: str
    joints: tuple[str, ...]
    sources: tuple[tuple[str, ...], ...]
    missing: tuple[str, ...]

    def to_canonical(self, skeleton: np.ndarray, missing: str = "refuse") -> np.ndarray:
        """Puts skeletons into canonical joints.

        Args:
            skeleton: [..., J, 3], joints in the order of `joints`.
            missing: What becomes of canonical joints that the schema has not: `"refuse"` is an error, `"interpolate"`
                places each at the mean of its `sources`.

        Returns:
            [..., 20, 3] of the same type; integers become float64.

        Raises:
            ValueError: Another number of joints, an unknown `missing`, or joints missing that are to be refused.
        """
        skeleton = np.asarray(skeleton)
        if skeleton.ndim < 2 or skeleton.shape[-2:] != (len(self.joints), 3):
            raise ValueError(
                f"skeleton: expected [..., {len(self.joints)}, 3], the joints of {self.title}, "
                f"received {list(skeleton.shape)}."
            )
        if missing not in ("refuse", "interpolate"):
            raise ValueError(f'missing: expected "refuse" or "interpolate", received {missing!r}.')
        if missing == "refuse" and self.missing:
            raise ValueError(
                f"skeleton: {self.title} has no {', '.join(self.missing)}; "
                'missing="interpolate" would place them among the joints that it has.'
            )
        return np.stack([skeleton[..., sources, :].mean(axis=-2) for sources in self._sources()], axis=-2)

    def to_canonical_tracked(self, tracked: np.ndarray) -> np.ndarray:
        """Tells which canonical joints were tracked: those whose joints were all seen by the sensor.

        That holds for placed joints too, whose name alone does not make them untracked: else no frame of a schema
        with missing joints would pass where untracked frames are left out. Which ones are placed is in `missing`.

        Args:
            tracked: [..., J], bool

        Returns:
            [..., 20], bool

        Raises:
            ValueError: Another number of joints.
        """
        tracked = np.asarray(tracked)
        if tracked.ndim < 1 or tracked.shape[-1] != len(self.joints):
            raise ValueError(
                f"tracked: expected [..., {len(self.joints)}], the joints of {self.title}, "
                f"received {list(tracked.shape)}."
            )
        return np.stack([tracked[..., sources].all(axis=-1) for sources in self._sources()], axis=-1)

    def _sources(self) -> list[list[int]]:
        return [[self.joints.index(name) for name in names] for names in self.sources]


def _schema(name: str, title: str, joints: str, canonical: str) -> Schema:
    """A schema from two tables: its joints, and the canonical ones in the order of `JOINTS`; see `SCHEMAS`."""
    entries = dict(zip(JOINTS, canonical.split(), strict=True))
    return Schema(
        *(name, title, tuple(joints.split())),
        sources=tuple(tuple(entry.removeprefix("~").split("+")) for entry in entries.values()),
        missing=tuple(joint for joint, entry in entries.items() if entry.startswith("~")),
    )


_HAND = "{0}_pinky+{0}_index+{0}_thumb"

SCHEMAS = {
    schema.name: schema
    for schema in (
        _schema("kinect_v1", "Kinect v1", " ".join(JOINTS), " ".join(JOINTS)),
        _schema(
            "kinect_v2",
            "Kinect v2",
            """
            SpineBase      SpineMid    Neck        Head
            ShoulderLeft   ElbowLeft   WristLeft   HandLeft
            ShoulderRight  ElbowRight  WristRight  HandRight
            HipLeft        KneeLeft    AnkleLeft   FootLeft
            HipRight       KneeRight   AnkleRight  FootRight
            SpineShoulder  HandTipLeft ThumbLeft   HandTipRight  ThumbRight
            """,
            """
            SpineBase      SpineMid    SpineShoulder  Head
            ShoulderLeft   ElbowLeft   WristLeft      HandLeft
            ShoulderRight  ElbowRight  WristRight     HandRight
            HipLeft        KneeLeft    AnkleLeft      FootLeft
            HipRight       KneeRight   AnkleRight     FootRight
            """,
        ),
        _schema(
            "azure_kinect",
            "Azure Kinect",
            """
            PELVIS SPINE_NAVEL SPINE_CHEST NECK
            CLAVICLE_LEFT  SHOULDER_LEFT  ELBOW_LEFT  WRIST_LEFT  HAND_LEFT  HANDTIP_LEFT  THUMB_LEFT
            CLAVICLE_RIGHT SHOULDER_RIGHT ELBOW_RIGHT WRIST_RIGHT HAND_RIGHT HANDTIP_RIGHT THUMB_RIGHT
            HIP_LEFT  KNEE_LEFT  ANKLE_LEFT  FOOT_LEFT
            HIP_RIGHT KNEE_RIGHT ANKLE_RIGHT FOOT_RIGHT
            HEAD NOSE EYE_LEFT EAR_LEFT EYE_RIGHT EAR_RIGHT
            """,
            """
            PELVIS          SPINE_NAVEL  NECK         HEAD
            SHOULDER_LEFT   ELBOW_LEFT   WRIST_LEFT   HAND_LEFT
            SHOULDER_RIGHT  ELBOW_RIGHT  WRIST_RIGHT  HAND_RIGHT
            HIP_LEFT        KNEE_LEFT    ANKLE_LEFT   FOOT_LEFT
            HIP_RIGHT       KNEE_RIGHT   ANKLE_RIGHT  FOOT_RIGHT
            """,
        ),
        _schema(
            "mediapipe_pose",
            "MediaPipe Pose",
            """
            nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer
            left_ear right_ear mouth_left mouth_right
            left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist
            left_pinky right_pinky left_index right_index left_thumb right_thumb
            left_hip right_hip left_knee right_knee left_ankle right_ankle
            left_heel right_heel left_foot_index right_foot_index
            """,
            f"""
            ~left_hip+right_hip
            ~left_hip+right_hip+left_shoulder+right_shoulder
            ~left_shoulder+right_shoulder
            ~left_ear+right_ear
            left_shoulder   left_elbow   left_wrist   ~{_HAND.format("left")}
            right_shoulder  right_elbow  right_wrist  ~{_HAND.format("right")}
            left_hip        left_knee    left_ankle   left_foot_index
            right_hip       right_knee   right_ankle  right_foot_index
            """,
        ),
        _schema(
            "coco_17",
            "COCO-17",
            """
            nose left_eye right_eye left_ear right_ear
            left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist
            left_hip right_hip left_knee right_knee left_ankle right_ankle
            """,
            """
            ~left_hip+right_hip
            ~left_hip+right_hip+left_shoulder+right_shoulder
            ~left_shoulder+right_shoulder
            ~left_ear+right_ear
            left_shoulder   left_elbow   left_wrist   ~left_wrist
            right_shoulder  right_elbow  right_wrist  ~right_wrist
            left_hip        left_knee    left_ankle   ~left_ankle
            right_hip       right_knee   right_ankle  ~right_ankle
            """,
        ),
        _schema(
            "openpose_body_25",
            "OpenPose BODY_25",
            """
            Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist
            MidHip RHip RKnee RAnkle LHip LKnee LAnkle REye LEye REar LEar
            LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel
            """,
            """
            MidHip     ~MidHip+Neck  Neck    ~LEar+REar
            LShoulder  LElbow        LWrist  ~LWrist
            RShoulder  RElbow        RWrist  ~RWrist
            LHip       LKnee         LAnkle  ~LBigToe+LSmallToe
            RHip       RKnee         RAnkle  ~RBigToe+RSmallToe
            """,
        ),
        _schema(
            "openpose_coco_18",
            "OpenPose COCO-18",
            """
            Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist
            RHip RKnee RAnkle LHip LKnee LAnkle REye LEye REar LEar
            """,
            """
            ~LHip+RHip  ~LHip+RHip+LShoulder+RShoulder  Neck  ~LEar+REar
            LShoulder   LElbow           LWrist  ~LWrist
            RShoulder   RElbow           RWrist  ~RWrist
            LHip        LKnee            LAnkle  ~LAnkle
            RHip        RKnee            RAnkle  ~RAnkle
            """,
        ),
        # Its feet are where the shins end, its head is the top of the head.
        _schema(
            "human36m",
            "Human3.6M",
            """
            Hip RHip RKnee RFoot LHip LKnee LFoot Spine Thorax Neck/Nose Head
            LShoulder LElbow LWrist RShoulder RElbow RWrist
            """,
            """
            Hip        Spine   Thorax  ~Neck/Nose+Head
            LShoulder  LElbow  LWrist  ~LWrist
            RShoulder  RElbow  RWrist  ~RWrist
            LHip       LKnee   LFoot   ~LFoot
            RHip       RKnee   RFoot   ~RFoot
            """,
        ),
    )
}
"""The joint schemas that are known, by name.

Of each: its joints as its makers name and order them, then the canonical joints, a row for the trunk and the head and
one for each limb, made of them. `a+b` is the middle of two joints; `~` says that the canonical joint is none of the
schema's, but placed where it is likely to be. Kinect v1 has its shoulder centre at the base of the neck.
"""

_SHORT_NAMES = {"h36m": "human36m", "mediapipe": "mediapipe_pose", "coco": "coco_17", "body25": "openpose_body_25"}

_SIDED = (
    *("shoulder", "should", "elbow", "wrist", "hand", "handtip", "thumb", "pinky", "index", "clavicle"),
    *("hip", "knee", "ankle", "foot", "footindex", "heel", "bigtoe", "smalltoe"),
    *("eye", "eyeinner", "eyeouter", "ear", "mouth"),
)
"""Parts of the body that may be written with no more than an l or r for the side."""

_OTHER_NAMES = {
    **dict.fromkeys(
        ("centerhip", "hipcentre", "hipcentro", "midhip", "hip", "pelvis", "root", "spinebase"), "hipcenter"
    ),
    **dict.fromkeys(("spinemid", "spinenavel", "spinenaval"), "spine"),
    **dict.fromkeys(("centershoulder", "shouldercentre", "spineshoulder", "thorax"), "shouldercenter"),
}
"""Joints in the middle of the body, which each schema calls otherwise."""

_ALSO: dict[str, dict[str, Sequence[str]]] = {
    "mediapipe_pose": {"left_foot_index": ["left_foot"], "right_foot_index": ["right_foot"]},
    "human36m": {"LFoot": ["LAnkle"], "RFoot": ["RAnkle"], "Neck/Nose": ["Neck", "Nose", "Neck base"]},
}
"""What else one schema's joints are called, where the same name is another joint in another schema."""


def schema(name: str) -> Schema:
    """Finds a joint schema by its name, however that is spelled: `"coco_17"`, `"COCO-17"`, `"Kinect v2"`, `"h36m"`.

    Raises:
        ValueError: No such schema. The message names those that are known.
    """
    compact = _compact(str(name))
    for known in SCHEMAS.values():
        if compact in (_compact(known.name), _compact(known.title)):
            return known
    if compact in _SHORT_NAMES:
        return SCHEMAS[_SHORT_NAMES[compact]]
    raise ValueError(f"schema: expected one of {', '.join(SCHEMAS)}, received {name!r}.")


def joint_of_name(known: Schema, name: str) -> int | None:
    """Finds the joint of a schema that a name is, in any usual spelling; None where it is none of them."""
    return places_of(known).get(_spelled(name))


def schemas_of(joints: int) -> list[Schema]:
    """Finds the schemas that have a number of joints; there may be none, or more than one."""
    return [known for known in SCHEMAS.values() if len(known.joints) == joints]


def schema_of_names(names: Sequence[str]) -> tuple[Schema, list[int]]:
    """Finds the schema that joints are of by their names, in any order and any usual spelling.

    Upper and lower case, `_`, `-`, `.` and blanks make no difference; `LShoulder`, `shoulder_l` and `left shoulder` are
    the same, and what all names begin with (such as `JointType_`) is left out.

    Args:
        names: A name for each joint.

    Returns:
        The schema, and the indices that put joints so named into its order: `skeleton[..., order, :]`.

    Raises:
        ValueError: No schema has these joints. The message says which comes nearest and where it differs.
    """
    spelled = spelled_names(names)
    faults = []
    for known in SCHEMAS.values():
        places = places_of(known)
        found = [places.get(name) for name in spelled]
        lacking = [joint for index, joint in enumerate(known.joints) if index not in found]
        strange = [name for i, name in enumerate(names) if found[i] is None or found[i] in found[:i]]
        if not lacking and not strange:
            return known, [found.index(index) for index in range(len(known.joints))]
        faults.append((len(lacking) + len(strange), known.title, lacking, strange))
    _, title, lacking, strange = min(faults)
    differences = [("has", lacking)] * bool(lacking) + [("has not, or not twice,", strange)] * bool(strange)
    raise ValueError(
        f"names: expected the joints of one of {', '.join(SCHEMAS)}, received {len(names)} names. "
        f"{title} comes nearest, which "
        + " and which ".join(f"{verb} {', '.join(some[:6])}{', ...' * (len(some) > 6)}" for verb, some in differences)
        + "."
    )


def spelled_names(names: Sequence[str]) -> list[tuple[str, str]]:
    """Each joint's side and its part of the body, however they were written, without what all names begin with."""
    alike = len(list(takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))))
    return [_spelled(name[alike:]) for name in names]


def _compact(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def _spelled(name: str) -> tuple[str, str]:
    """A joint's side (`"l"`, `"r"` or none) and its part of the body, however they were written."""
    part = _compact(name)
    for side in ("left", "right"):
        if side in part:
            return side[0], _whole(part.replace(side, "", 1))
    if part[:1] in ("l", "r") and part[1:] in _SIDED:
        return part[0], _whole(part[1:])
    if part[-1:] in ("l", "r") and part[:-1] in _SIDED:
        return part[-1], _whole(part[:-1])
    return "", _OTHER_NAMES.get(part, part)


def _whole(part: str) -> str:
    return "shoulder" if part == "should" else part


@lru_cache(maxsize=16)
def places_of(known: Schema) -> dict[tuple[str, str], int]:
    """Index of each joint of a schema by its spelled name and what else it is called."""
    also = _ALSO.get(known.name, {})
    return {_spelled(name): index for index, joint in enumerate(known.joints) for name in (joint, *also.get(joint, ()))}
