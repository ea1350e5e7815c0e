"""The skeleton that a BVH file begins with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from agegait.recordings.files.limits import MOST_JOINTS

_CHANNELS = {f"{axis}{kind}": (kind, index) for index, axis in enumerate("xyz") for kind in ("position", "rotation")}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass
class BvhHierarchy:
    """Joints in the order in which the file has them, each behind what it hangs on.

    Attributes:
        names: Empty for ends of bones.
        parents: The index of what each hangs on; -1 for a root.
        offsets: From there, [3] each.
        channels: Of each joint, `position` or `rotation` with the axis, in the order of the numbers.
    """

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[list[tuple[str, int]]] = field(default_factory=list)

    @property
    def width(self) -> int:
        """Numbers of each frame."""
        return sum(map(len, self.channels))

    def place(self, motion: np.ndarray) -> np.ndarray:
        """Places of all joints and ends of bones, by forward kinematics.

        A position replaces the offset, as programs have it that give positions to every joint; where positions are, all
        together, nearer to nothing than to the offsets, they are differences from these.

        Args:
            motion: [T, width], angles in degrees.

        Returns:
            [T, J, 3]
        """
        places = np.empty((len(motion), len(self.names), 3))
        turns: list[np.ndarray] = []
        column, added = 0, self._are_added(motion)
        for joint, (parent, offset, channels) in enumerate(zip(self.parents, self.offsets, self.channels, strict=True)):
            moved = np.tile(np.array(offset), (len(motion), 1))
            own = motion[:, column : column + len(channels)]
            shifts = [(index, axis) for index, (kind, axis) in enumerate(channels) if kind == "position"]
            if shifts:
                indices, axes = map(list, zip(*shifts, strict=True))
                shift, rest = own[:, indices], moved[:, axes]
                moved[:, axes] = rest + shift if parent >= 0 and added else shift
            turn = np.eye(3)
            for index, (kind, axis) in enumerate(channels):
                if kind == "rotation":
                    turn = turn @ _rotation(own[:, index], axis)
            column += len(channels)
            if parent < 0:
                places[:, joint] = moved
            else:
                places[:, joint] = places[:, parent] + np.einsum("...ij,...j->...i", turns[parent], moved)
                turn = turns[parent] @ turn
            turns.append(turn)
        return places

    def _are_added(self, motion: np.ndarray) -> bool:
        """Whether positions of joints below the roots are added to their offsets."""
        column, alone, beside = 0, 0.0, 0.0
        for parent, offset, channels in zip(self.parents, self.offsets, self.channels, strict=True):
            for index, (kind, axis) in enumerate(channels):
                if kind == "position" and parent >= 0:
                    usual = float(np.median(motion[:, column + index]))
                    alone, beside = alone + abs(usual), beside + abs(usual - offset[axis])
            column += len(channels)
        return alone < beside


def parse_hierarchy(text: str, source: str) -> BvhHierarchy:
    """Parses what stands between HIERARCHY and MOTION.

    Raises:
        ValueError: It is no hierarchy. The message says after which joint it goes wrong.
    """
    found = BvhHierarchy()
    words = iter(text.replace("{", " { ").replace("}", " } ").replace(":", " : ").split())
    try:
        _parse(found, iter(_joined(words)), source)
    except StopIteration:
        raise ValueError(f"{source}: expected the end of each joint, found the end of the hierarchy.") from None
    return found


def _joined(words: Iterator[str]) -> Iterator[str]:
    """Words in which a name that blanks or colons divide is one again."""
    kept: list[str] | None = None
    for word in words:
        if kept is not None and word == "{":
            yield " ".join(kept).replace(" : ", ":")
            kept = None
        if kept is not None:
            kept.append(word)
            continue
        yield word
        if word.upper() in ("ROOT", "JOINT", "END"):
            kept = []
    if kept:
        yield " ".join(kept)


def _parse(found: BvhHierarchy, words: Iterator[str], source: str) -> None:
    above: list[int] = []
    for word in words:
        after = f" after {found.names[-1]!r}"[:100] if found.names else ""
        kind = word.upper()
        if kind in ("ROOT", "JOINT", "END") and bool(above) == (kind != "ROOT"):
            name = next(words)
            if next(words) != "{":
                raise ValueError(f"{source}: expected {{ in the hierarchy{after}.")
            if len(found.names) >= MOST_JOINTS:
                raise ValueError(f"{source}: expected at most {MOST_JOINTS:,} joints.")
            found.names.append("" if kind == "END" else name)
            found.parents.append(above[-1] if above else -1)
            found.offsets.append([0.0, 0.0, 0.0])
            found.channels.append([])
            above.append(len(found.names) - 1)
        elif kind == "OFFSET" and above:
            found.offsets[above[-1]] = [_number(next(words), f"{source}: OFFSET{after}") for _ in range(3)]
        elif kind == "CHANNELS" and above:
            count = next(words)
            channels = [next(words).lower() for _ in range(int(count) if re.fullmatch("[0-9]", count) else 0)]
            if not re.fullmatch("[0-9]", count) or any(channel not in _CHANNELS for channel in channels):
                raise ValueError(f"{source}: expected CHANNELS such as Xposition and Zrotation{after}.")
            found.channels[above[-1]] = [_CHANNELS[channel] for channel in channels]
        elif kind == "}" and above:
            above.pop()
        else:
            raise ValueError(
                f"{source}: expected ROOT, JOINT, End Site, OFFSET or CHANNELS{after}, found {word[:40]!r}."
            )
    if above or not found.names:
        raise ValueError(f"{source}: expected a ROOT, and a }} for each {{, found another hierarchy.")


def _number(word: str, place: str) -> float:
    if not _NUMBER.fullmatch(word):
        raise ValueError(f"{place}: expected a number, found {word[:40]!r}.")
    return float(word)


def _rotation(degrees: np.ndarray, axis: int) -> np.ndarray:
    """Matrices [T, 3, 3] that turn about an axis."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    turn = np.zeros((len(degrees), 3, 3))
    turn[:, axis, axis] = 1
    turn[:, first, first] = turn[:, second, second] = cosine
    turn[:, second, first], turn[:, first, second] = sine, -sine
    return turn
