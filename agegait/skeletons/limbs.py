"""Whether skeletons have limbs as bodies have them: joints mixed up or units mistaken show in the limbs' lengths."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from agegait import skeletons
from agegait.skeletons import JOINTS

LIMBS = (
    *("lower back", "upper back", "neck"),
    *("left shoulder", "left upper arm", "left forearm", "left hand"),
    *("right shoulder", "right upper arm", "right forearm", "right hand"),
    *("left hip", "left thigh", "left shin", "left foot"),
    *("right hip", "right thigh", "right shin", "right foot"),
)
"""What the bones of `skeletons.BONES` are called."""

# Shortest and longest, as parts of how far apart a body's farthest joints are. Wide enough for what sensors take for a
# spine, a hip, a hand or a foot; 0 where some repeat a joint for want of another.
_RANGES = {
    **{"lower back": (0, 0.26), "upper back": (0.06, 0.38), "neck": (0.05, 0.32), "shoulder": (0.03, 0.22)},
    **{"upper arm": (0.10, 0.26), "forearm": (0.09, 0.26), "hand": (0, 0.13)},
    **{"hip": (0.015, 0.25), "thigh": (0.18, 0.40), "shin": (0.16, 0.36), "foot": (0, 0.18)},
}

BODY_SIZE = (0.8, 2.2)
"""Least and most distance between a body's farthest joints, metres: small children to tall adults."""

_USUAL_SIZE = 1.7
"""Metres: of the units that would do, the one that comes nearest is named."""

UPRIGHT = 0.5
"""Least cosine between the vertical and the line from the feet to the hips, or from there to the head: a camera may
be tilted, and people bend."""

_UNITS = {"mm": ("millimetres", 0.001), "cm": ("centimetres", 0.01), "in": ("inches", 0.0254)}

# What is let through with one walk, and with many, where the sensor's mistakes even out.
_EXCHANGE = (0.015, 0.006)
_EXCHANGE_OF_SIDES = (0.03, 0.006)  # what sensors themselves mistake, above all when they see people from the side
_ASYMMETRY = (0.7, 0.35)
_UNSTEADINESS = (0.7, 0.4)
_NOISE = 0.02  # of a body, whatever a limb's length

_SEATED = 0.89
"""Between hip and ankle, of thigh and shin together: their knee is bent to 125 degrees."""

_FRAMES = 200
"""So many frames of a walk are enough for its medians."""

_SHOWN = 3
"""So many limbs are named where most make no sense."""

_STARTS, _ENDS = np.transpose(skeletons.BONES)
_LEFT = [index for index, limb in enumerate(LIMBS) if limb.startswith("left ")]
_RIGHT = [LIMBS.index(LIMBS[index].replace("left", "right")) for index in _LEFT]
_SWAPS = list(combinations(range(len(JOINTS)), 2))
_EXCHANGED = np.tile(np.arange(len(JOINTS)), (len(_SWAPS), 1))
for _row, _swap in zip(_EXCHANGED, _SWAPS, strict=True):
    _row[list(_swap)] = _swap[::-1]
_OF_SIDES = np.array([len({JOINTS[joint].replace("Left", "Right") for joint in swap}) == 1 for swap in _SWAPS])

_KNOWN_ORDERS = {
    "the order of KGBD's files": np.array(skeletons.canonical_order(skeletons.KGBD.values())),
    "reverse order": np.arange(len(JOINTS))[::-1],
}


@dataclass(frozen=True, eq=False)
class LimbSummary:
    """How long limbs are over walks; lengths are medians over the walks of each walk's median, in metres.

    What was never tracked is NaN.

    Attributes:
        walks: How many walks.
        frames: How many frames they have.
        distances: [20, 20] between any two joints.
        steadiness: [19] by which part a limb's length changes from frame to frame within a walk: the coefficient of
            variation, from the median deviation. Of real limbs it would be 0.
        rise: [2] cosines between y and the lines from the feet to the hips and from there to the head.
    """

    walks: int
    frames: int
    distances: np.ndarray
    steadiness: np.ndarray
    rise: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """[19] length of each limb of `LIMBS`."""
        return self.distances[_STARTS, _ENDS]

    @property
    def height(self) -> float:
        """From the middle of the head along the back and the legs to the feet: some 5 % less than the person's."""
        back, left, right = (self.lengths[limbs].sum() for limbs in (slice(0, 3), slice(12, 15), slice(16, 19)))
        return float(back + (left + right) / 2)

    @property
    def asymmetry(self) -> np.ndarray:
        """[19] by which part a limb is longer than the same on the other side; 0 where there is but one."""
        lengths, asymmetry = self.lengths, np.zeros(len(LIMBS))
        both = lengths[_LEFT] + lengths[_RIGHT]
        difference = np.divide(2 * (lengths[_LEFT] - lengths[_RIGHT]), both, where=both != 0, out=np.zeros_like(both))
        asymmetry[_LEFT], asymmetry[_RIGHT] = difference, -difference
        return asymmetry

    def rows(self) -> Iterator[tuple[str, float, float, float]]:
        """Name, length, asymmetry and steadiness of each limb, as a table would have them."""
        columns = (self.lengths.tolist(), self.asymmetry.tolist(), self.steadiness.tolist())
        return zip(LIMBS, *columns, strict=True)


def limb_range(limb: str) -> tuple[float, float]:
    """How short and how long a limb of `LIMBS` may be, in parts of how far apart the body's farthest joints are."""
    return _RANGES[limb.removeprefix("left ").removeprefix("right ")]


def limb_lengths(skeleton: np.ndarray) -> np.ndarray:
    """Measures limbs.

    Args:
        skeleton: [..., 20, 3], canonical joints.

    Returns:
        [..., 19], the lengths of `LIMBS` in the same unit.
    """
    skeleton = np.asarray(skeleton)
    return np.linalg.norm(skeleton[..., _ENDS, :] - skeleton[..., _STARTS, :], axis=-1)


def summarize(walks: Iterable[Mapping[str, np.ndarray]]) -> LimbSummary:
    """Measures the limbs of many walks, a walk at a time.

    Args:
        walks: Examples as `tfds.load` gives them: `"skeleton"` `[T, 20, 3]` in metres, perhaps `"tracked"` `[T, 20]`.
            Joints that were not tracked, or that are not finite, are left out.

    Raises:
        ValueError: No walk at all, or one that is not [T, 20, 3].
    """
    distances, steadiness, rise, frames = [], [], [], 0
    for number, walk in enumerate(walks):
        skeleton = np.asarray(walk["skeleton"])
        if skeleton.ndim != 3 or skeleton.shape[1:] != (len(JOINTS), 3) or not len(skeleton):
            raise ValueError(f"walks, walk {number}: expected [T, {len(JOINTS)}, 3], received {list(skeleton.shape)}.")
        frames += len(skeleton)
        some = np.unique(np.linspace(0, len(skeleton) - 1, _FRAMES).round().astype(int))
        tracked = np.asarray(walk.get("tracked", np.ones(skeleton.shape[:2], bool)), bool)[some]
        joints = skeleton[some].astype(float)
        joints[~(tracked & np.isfinite(joints).all(axis=-1))] = np.nan
        apart = np.linalg.norm(joints[:, :, None] - joints[:, None], axis=-1)
        distances.append(_median(apart))
        limbs, lengths = apart[:, _STARTS, _ENDS], distances[-1][_STARTS, _ENDS]
        deviation = 1.4826 * _median(np.abs(limbs - lengths))
        rise.append(_median(_rise(joints)))
        steadiness.append(np.divide(deviation, lengths, where=lengths != 0, out=np.zeros_like(lengths)))
    if not distances:
        raise ValueError("walks: expected at least one, received none.")
    return LimbSummary(len(distances), frames, *(_median(np.stack(each)) for each in (distances, steadiness, rise)))


def relative_sizes(bodies: Sequence[LimbSummary]) -> np.ndarray:
    """How large each body is beside the others: the median over limbs of its length in parts of the others' median.

    Limbs that were never tracked, or have no length, say nothing.

    Args:
        bodies: Of one walk or more each.

    Returns:
        `[len(bodies)]`, 1 for bodies that are alike; NaN where there is nothing to compare.
    """
    if len(bodies) < 2:
        return np.full(len(bodies), np.nan)
    lengths = np.array([np.where(body.lengths > 0, body.lengths, np.nan) for body in bodies])
    return np.array([_median(own / _median(np.delete(lengths, number, axis=0))) for number, own in enumerate(lengths)])


def faults(summary: LimbSummary, upright: bool = True) -> list[str]:
    """Says which limbs make no sense, and what may be behind it; nothing where all are as a body's.

    Found are lengths in another unit, joints that were exchanged or are in another order, limbs that are too long or
    too short for the body, differ between left and right, or change from frame to frame, and bodies that are not
    upright along y. Not found is what leaves all lengths as they are: arms, legs or sides exchanged as a whole,
    mirrored bodies, and bodies flattened into a plane. Sensors are wrong in single frames; over whole walks, better
    many, that evens out.

    Args:
        summary: Of the limbs.
        upright: Whether bodies that are not upright along y are a fault.

    Returns:
        A sentence for each fault, the gravest first.
    """
    if np.isnan(summary.distances).all():
        return ["no limb was ever tracked at both ends"]
    body = float(np.nanmax(summary.distances))
    if body == 0:
        return ["all joints are in one place"]
    found = _unit_fault(body)
    seated = _is_seated(summary) and not _length_faults(summary.lengths, summary.height)
    if seated:
        body = max(body, summary.height)
    if disorder := _order_faults(summary, body, seated):
        return found + disorder  # what else is wrong with the limbs may come from it
    return [
        *found,
        *_length_faults(summary.lengths, body),
        *_asymmetry_faults(summary),
        *_steadiness_faults(summary, body),
        *(_rise_faults(summary.rise) if upright else ()),
    ]


def size_fault(summary: LimbSummary) -> str:
    """What is wrong with the size of bodies, which tells of units mistaken; empty if nothing, or nothing is known."""
    body = float(np.nanmax(summary.distances, initial=0))
    return next(iter(_unit_fault(body)), "") if body > 0 else ""


def check(walks: Iterable[Mapping[str, np.ndarray]], source: str) -> LimbSummary:
    """Refuses walks whose limbs make no sense.

    Args:
        walks: As of `summarize`.
        source: What the walks are called in errors: their file or folder.

    Raises:
        ValueError: The limbs make no sense. The message names the source and all `faults`.
    """
    summary = summarize(walks)
    if found := faults(summary):
        raise ValueError(f"{source}: expected limbs as bodies have them: {'; '.join(found)}.")
    return summary


def _is_seated(summary: LimbSummary) -> bool:
    """Whether both knees are bent, so that no two joints are as far from each other as the body is long."""
    legs = [
        (summary.distances[JOINTS.index(f"Hip{side}"), JOINTS.index(f"Ankle{side}")], summary.lengths[limbs].sum())
        for side, limbs in (("Left", slice(12, 14)), ("Right", slice(16, 18)))
    ]
    return all(apart < _SEATED * length for apart, length in legs)


def _median(values: np.ndarray) -> np.ndarray:
    """Medians along the first axis of what is not NaN; NaN where there is nothing."""
    absent = np.isnan(values).all(axis=0)
    return np.where(absent, np.nan, np.nanmedian(np.where(absent, 0, values), axis=0))


def _rise(joints: np.ndarray) -> np.ndarray:
    """[T, 20, 3] to [T, 2], as of `LimbSummary`; NaN where a joint is not known or both are in one place."""
    feet = joints[:, [JOINTS.index("AnkleLeft"), JOINTS.index("AnkleRight")]].mean(axis=1)
    hips, head = (joints[:, JOINTS.index(joint)] for joint in ("HipCenter", "Head"))
    lines = np.stack([hips - feet, head - hips], axis=1)
    lengths = np.linalg.norm(lines, axis=-1)
    return np.divide(lines[..., 1], lengths, where=lengths > 0, out=np.full_like(lengths, np.nan))


def _let_through(with_one_and_with_many: tuple[float, float], walks: int) -> float:
    one, many = with_one_and_with_many
    return many + (one - many) / walks


def _unit_fault(body: float) -> list[str]:
    least, most = BODY_SIZE
    if least <= body <= most:
        return []
    fault = f"the joints farthest apart are {body:.3g} m from each other, expected {least} to {most} m"
    units = sorted(_UNITS.items(), key=lambda unit: abs(math.log(body * unit[1][1] / _USUAL_SIZE)))
    for unit, (name, metres) in units:  # inches of a child may be centimetres of nobody
        if least <= body * metres <= most:
            return [f'{fault}: lengths look like {name}, expected units="{unit}"']
        if least <= body / metres <= most:
            return [f"{fault}: lengths look like metres taken for {name}"]
    return [f"{fault}: lengths look scaled, units={_USUAL_SIZE / body:.3g} would make it {_USUAL_SIZE} m"]


def _order_faults(summary: LimbSummary, body: float, seated: bool) -> list[str]:
    """Finds joints in each other's places: limbs of any body are shortest, together, if they join the right joints.

    Of somebody who sits, this holds for left and right alone: a knee is near the chest and a hand near the hip.
    """
    distances = np.nan_to_num(summary.distances, nan=body)
    tolerance, of_sides = (body * _let_through(most, summary.walks) for most in (_EXCHANGE, _EXCHANGE_OF_SIDES))
    least = np.where(_OF_SIDES, of_sides, tolerance)
    unknown = np.isnan(summary.lengths)
    if seated:
        least[~_OF_SIDES] = np.inf
    least[np.isin(_SWAPS, [_STARTS[unknown], _ENDS[unknown]]).any(axis=-1)] = np.inf
    order, swaps = np.arange(len(JOINTS)), []
    while True:  # exchanges shorten the limbs, so there is an end
        shorter = _together(distances, order) - _together(distances, order[_EXCHANGED]) - least
        best = int(shorter.argmax())
        if not shorter[best] > 0:
            break
        order = order[_EXCHANGED[best]]
        swaps.append(_SWAPS[best])
    if not swaps:
        return []
    senseless, righted = _length_faults(summary.lengths, body), _limbs(summary.distances, order)
    if len(swaps) <= 2 and not (senseless and _length_faults(righted, body)):
        return [_exchange_fault(summary.lengths, righted, swap) for swap in swaps]
    for name, known in _KNOWN_ORDERS.items():
        if _together(distances, known) <= _together(distances, order) + tolerance:
            return [f"the joints look to be in {name}, expected {skeletons.SCHEMAS['kinect_v1'].title}'s"]
    return [
        f"the joints are in another order than expected, or of another schema than they were taken for: all limbs "
        f"together are {np.nansum(summary.lengths):.3g} m long, {np.nansum(righted):.3g} m in a better order",
        *senseless[:_SHOWN],
        *([f"{len(senseless) - _SHOWN} more limbs are as senseless"] if len(senseless) > _SHOWN else []),
    ]


def _limbs(distances: np.ndarray, order: np.ndarray) -> np.ndarray:
    """[..., 19] how long the limbs are if joint k is the one at order[..., k]."""
    return distances[order[..., _STARTS], order[..., _ENDS]]


def _together(distances: np.ndarray, order: np.ndarray) -> np.ndarray:
    return _limbs(distances, order).sum(axis=-1)


def _exchange_fault(lengths: np.ndarray, righted: np.ndarray, swap: tuple[int, int]) -> str:
    change = np.where(np.isin(_STARTS, swap) | np.isin(_ENDS, swap), np.abs(lengths - righted), 0)
    limb = int(np.nanargmax(change))
    one, other = (JOINTS[joint] for joint in swap)
    return (
        f"{one} and {other} look exchanged: the {LIMBS[limb]} is {_cm(lengths[limb])} long, "
        f"{_cm(righted[limb])} if they are"
    )


def _length_faults(lengths: np.ndarray, body: float) -> list[str]:
    found = []
    for limb, length in zip(LIMBS, lengths, strict=True):
        least, most = (part * body for part in limb_range(limb))
        if length < least or length > most:
            found.append(f"the {limb} is {_cm(length)} long, expected {_cm(least)} to {_cm(most)} on such a body")
    return found


def _asymmetry_faults(summary: LimbSummary) -> list[str]:
    most = _let_through(_ASYMMETRY, summary.walks)
    return [
        f"the {LIMBS[left]} is {_cm(summary.lengths[left])} and the {LIMBS[right]} {_cm(summary.lengths[right])} long, "
        f"expected no more than {most:.0%} between them"
        for left, right in zip(_LEFT, _RIGHT, strict=True)
        if abs(summary.asymmetry[left]) > most
    ]


def _steadiness_faults(summary: LimbSummary, body: float) -> list[str]:
    most = _let_through(_UNSTEADINESS, summary.walks) * summary.lengths + _NOISE * body
    return [
        f"the {limb} changes its length of {_cm(length)} by {steadiness:.0%} from frame to frame, "
        f"expected no more than {limit / length:.0%}"
        for (limb, length, _, steadiness), limit in zip(summary.rows(), most, strict=True)
        if steadiness * length > limit
    ]


def _rise_faults(rise: np.ndarray) -> list[str]:
    if not (rise < UPRIGHT).any():  # what is NaN was never tracked
        return []
    upside_down = (rise < -UPRIGHT).all()
    received = "a body that is upside down: negate y and z" if upside_down else "a body along another axis"
    return [f"expected y upwards, the head above the hips and these above the feet, received {received}"]


def _cm(metres: float) -> str:
    return f"{100 * metres:,.{0 if metres >= 1 else 1}f} cm"
