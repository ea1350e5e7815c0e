"""BVH, motion as the turns of a skeleton's joints."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agegait import skeletons
from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.files.limits import MOST_LINE, check_size
from agegait.recordings.formats.bvh_hierarchy import BvhHierarchy, parse_hierarchy
from agegait.recordings.formats.bvh_rigs import canonical_joints
from agegait.recordings.recording import Recording
from agegait.recordings.walk_format import WalkFormat

_MOST_HIERARCHY = 4_000_000
"""Characters; a thousand joints have less."""

_MOTION = re.compile(r"^[ \t]*MOTION[ \t\r]*$", re.IGNORECASE | re.MULTILINE)
# Blanks in a number that is bounded, so that no line can take long.
_FRAMES = re.compile(r"\s{0,99}Frames\s{0,99}:?\s{0,99}([0-9]{1,9})\s{0,99}", re.IGNORECASE)
_FRAME_TIME = re.compile(r"\s{0,99}Frame\s{1,99}Time\s{0,99}:?\s{0,99}([0-9.eE+-]{1,30})\s{0,99}", re.IGNORECASE)
_FASTEST = 1000.0


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    source = str(path)
    text = opening.read_regular(path, within).decode("utf-8-sig", "replace")
    motion = _MOTION.search(text)
    start = re.match(r"\s*HIERARCHY\b", text, re.IGNORECASE)
    if not start or not motion or motion.start() > _MOST_HIERARCHY:
        raise ValueError(f"{source}: expected HIERARCHY and MOTION of BVH.")
    hierarchy = parse_hierarchy(text[start.end() : motion.start()], source)
    line = text.count("\n", 0, motion.end()) + 1
    rate, numbers = _motion(text[motion.end() :].split("\n"), line, hierarchy, source)
    with np.errstate(all="ignore"):  # numbers near the largest; what becomes infinite is refused later
        places = hierarchy.place(numbers)
    roots = [joint for joint, parent in enumerate(hierarchy.parents) if parent < 0]
    return [
        _recording(hierarchy, places, first, end, source, rate, walk_format, body=len(roots) > 1)
        for first, end in zip(roots, [*roots[1:], len(hierarchy.names)], strict=True)
    ]


def _motion(lines: Sequence[str], above: int, hierarchy: BvhHierarchy, source: str) -> tuple[float | None, np.ndarray]:
    """The frame rate and the numbers [T, width] below MOTION."""
    width, frames, rate = hierarchy.width, None, None
    values: list[np.ndarray] = []
    for number, line in enumerate(lines, above):
        if len(line) > MOST_LINE:
            raise ValueError(f"{source}, line {number}: expected at most {MOST_LINE:,} characters.")
        if not values and (match := _FRAMES.fullmatch(line)):
            frames = int(match[1])
            check_size(source, frames, len(hierarchy.names))
        elif not values and (match := _FRAME_TIME.fullmatch(line)):
            rate = _rate(match[1])
        elif words := line.split():
            try:
                values.append(np.array(words, "float64"))
            except ValueError:
                raise ValueError(f"{source}, line {number}: expected numbers, found {line[:40]!r}.") from None
            if not np.isfinite(values[-1]).all():
                raise ValueError(f"{source}, line {number}: expected finite numbers.")
            check_size(source, len(values), 1)
    if not width or not values:
        raise ValueError(f"{source}: expected channels and frames, found none.")
    flat = np.concatenate(values)
    found = len(flat) // width
    if len(flat) % width or (frames is not None and frames != found):
        said = "frames" if frames is None else f"{frames} frames"
        raise ValueError(f"{source}: expected {said} of {width} numbers, found {len(flat)} numbers.")
    check_size(source, found, len(hierarchy.names))
    return rate, flat.reshape(found, width)


def _rate(seconds: str) -> float | None:
    try:
        time = float(seconds)
    except ValueError:
        return None
    return 1 / time if 1 / _FASTEST <= time < _FASTEST else None


def _recording(
    hierarchy: BvhHierarchy,
    places: np.ndarray,
    first: int,
    end: int,
    source: str,
    rate: float | None,
    walk_format: WalkFormat,
    body: bool,
) -> Recording:
    """One skeleton of a file, whose joints are `first` to `end`, in canonical joints where its rig is a usual one."""
    names = hierarchy.names[first:end]
    parents = [parent - first if parent >= 0 else -1 for parent in hierarchy.parents[first:end]]
    coordinates = places[:, first:end]
    units = "m" if walk_format.units == "auto" else walk_format.units
    remarks = [f"BVH does not say its units; lengths were taken as {units}"]
    titles = [name or f"{names[parents[joint]]}_End" for joint, name in enumerate(names)]
    joints = None if walk_format.joint_map else canonical_joints(names, parents, hierarchy.offsets[first:end])
    if joints:
        order = [joint for joint in skeletons.JOINTS if joint in joints]
        coordinates = np.stack([coordinates[:, joints[joint]].mean(axis=1) for joint in order], axis=1)
        left = [joint for joint in order if "Right" not in joint]
        used = [f"{joint} is {' and '.join(titles[index] for index in joints[joint])}" for joint in left]
        remarks.append(f"joints of the rig: {', '.join(used)}, and so on the right")
        titles = order
    return Recording(
        source,
        coordinates,
        names=tuple(titles),
        frame_rate=rate,
        up="y",
        body=names[0] if body else None,
        remarks=tuple(remarks),
    )


FORMATS = (FileFormat("bvh", "BVH", (".bvh",), _read),)
