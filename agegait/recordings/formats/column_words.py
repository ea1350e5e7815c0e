"""What columns of walks' tables are called, in small letters and digits alone; of several, the first counts.

The lists are the documentation of what is understood: docs/tables.md names the most usual ones.
"""

from itertools import product

FRAME = (
    *("frame", "frameid", "frameno", "framenr", "framenum", "framenumber", "frameindex", "frameidx", "framecount"),
    *("framecounter", "frames", "sample", "sampleid", "sampleno", "samplenumber", "sampleindex", "timestep"),
    *("index", "row", "unnamed0", "indexlevel0", ""),
)
"""Numbers of frames. "" and the like are what pandas calls rows' numbers."""

JOINT = tuple(
    joint + kind
    for kind in ("name", "", "type", "id", "index", "idx", "number", "no", "nr")
    for joint in ("joint", "keypoint", "landmark", "bodypart", "bodyparts", "marker")
)
"""The joint of a row, in tables with a row for each joint."""

JOINT_BESIDE_XYZ = ("name", "part", "point", "node", "label", "id")
"""The joint as well, if x, y and z are there and none of `JOINT` is."""

_NUMBERED = ("", "id", "name", "no", "nr", "num", "number", "index", "idx", "code", "label")

PERSON = tuple(
    person + kind
    for person, kind in product(
        ("person", "subject", "participant", "subj", "actor", "performer", "patient", "individual", "pedestrian"),
        _NUMBERED,
    )
    if (person, kind) not in {("person", "index"), ("person", "idx")}
) + ("name", "identity", "who", "volunteer", "volunteerid")
"""Who walks."""

MAYBE_PERSON = ("label", "labels", "class", "classid", "classlabel", "target", "category")
"""Who walks, or something else, such as what somebody does: nobody can tell by the name."""

WALK = tuple(
    walk + kind
    for walk, kind in product(
        (
            *("walk", "sequence", "seq", "trial", "take", "session", "recording", "record", "clip", "video", "run"),
            *("repetition", "rep", "pass", "file", "camera", "cam", "view", "sensor", "device"),
        ),
        _NUMBERED,
    )
)
"""Which walk; where several are there, they count together."""

BODY = tuple(
    body + kind
    for body, kind in product(
        ("bodytracking", "tracking", "track", "body", "skeleton", "player", "user", "object"),
        ("id", "", "index", "idx", "no", "nr", "num", "number"),
    )
    if (body, kind) not in {("tracking", ""), ("object", "")}
) + ("personindex", "personidx", "id")
"""The sensor's number for a body."""

TRACKED = (
    *("tracked", "istracked", "trackingstate", "trackstate", "state", "status", "inferred", "isinferred"),
    *("confidence", "conf", "confidencelevel", "visibility", "vis", "likelihood", "score", "probability", "prob"),
    *("presence", "valid", "v", "c", "p"),
)
"""Whether a joint was tracked, beside its name."""

INFERRED = ("inferred", "isinferred")
"""Those of `TRACKED` in which 0 is tracked and 1 inferred."""

_TIME_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millis", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "usec", "micros", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanoseconds"), 1e-9),
    **dict.fromkeys(("ticks",), 1e-7),
}
_TIMES = (
    *("timestamp", "time", "frametime", "frametimestamp", "bodytimestamp", "kinecttime", "kinecttimestamp"),
    *("devicetimestamp", "devicetime", "sensortime", "sensortimestamp", "relativetime", "elapsed", "elapsedtime"),
    *("timespan", "unixtime", "unixtimestamp", "epoch", "epochtime", "datetime", "hosttimestamp"),
    *("systemtime", "systemtimestamp", "localtime", "localtimestamp", "utc", "utctime", "walltime", "clock", "t"),
)
TIME: dict[str, float | None] = {
    **{time + unit: seconds for time in _TIMES for unit, seconds in _TIME_UNITS.items()},
    **{unit: seconds for unit, seconds in _TIME_UNITS.items() if unit != "s"},
    **dict.fromkeys((*_TIMES, "ts"), None),  # "ts" is short for time stamp
}
"""Times, with the seconds of a unit where the name says so."""

NO_PLACE = frozenset({
    *("orientation", "orient", "ori", "rotation", "rot", "quaternion", "quat", "q", "euler", "angle", "angles"),
    *("velocity", "vel", "speed", "acceleration", "accel", "acc", "angular", "normal", "gravity"),
    *("color", "colour", "depth", "pixel", "px", "image", "img", "screen", "2d", "rgb"),
    *("floor", "floorplane", "floorclipplane", "plane", "clip", "lean", "com", "cop", "accelerometer", "gyro"),
})  # fmt: skip
"""Words in the names of x, y and z that are the place of no joint."""
