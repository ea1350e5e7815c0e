"""Who is who from picture to picture: a pose estimator lists people in any order, some twice, some not at all."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agegait.recordings.video.pose import Pose

PATIENCE = 0.5
"""Seconds after which somebody who is not seen is given up; who comes back later is somebody new."""

# How far a pose may be from what is expected of a person, in each respect. One that is farther is another's.
_REACH = 0.35  # metres from where they should be by now
_STRAY = 1.0  # metres more for each second that they were not seen
_SIZE = 0.4  # logarithm of the ratio of scales: half as near again
_SHAPE = 0.4  # mean of the logarithms of the ratios of limbs' lengths

_MARGIN = 0.7
"""By how much one answer must be better than another to be sure of it: as much as a quarter of a metre costs."""

_LIMIT = 1.5
"""The most that a pose may cost over all: it may be at the edge in one respect, not in each."""

_DOUBLE = 0.3
"""Metres by which the landmarks of two poses differ, in the mean, where both may be the same person."""

_NEAR = 1.0
"""Metres around somebody within which another person may have been taken for them."""

_SETTLED = 3
"""Pictures after which somebody is taken for a person; before, they are given up at once when not seen."""

_SMOOTHING = 0.3
"""Weight of the newest picture in what is known of a person's speed, size and shape."""


@dataclass(eq=False)
class _Track:
    """A person followed.

    Attributes:
        number: Theirs alone.
        pose: The last one.
        seen: When that was, in seconds.
        velocity: [2] pixels a second.
        scale: Pixels of a metre.
        lengths: [8] metres, of `Pose.lengths`.
        pictures: How many they were seen in.
        doubled: When they last had a double.
        unclear: When they were last somebody of several who could not be told apart.
    """

    number: int
    pose: Pose
    seen: float
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))
    scale: float = 0.0
    lengths: np.ndarray = field(default_factory=lambda: np.zeros(0))
    pictures: int = 1
    doubled: float = -np.inf
    unclear: float = -np.inf

    def __post_init__(self) -> None:
        self.scale, self.lengths = self.pose.scale, self.pose.lengths

    def cost(self, pose: Pose, seconds: float) -> float:
        """How unlikely a pose is to be this person: 0 for none, infinite where it cannot be."""
        late = seconds - self.seen
        center = self.pose.center + self.velocity * late
        parts = (
            np.linalg.norm(pose.center - center) / np.sqrt(pose.scale * self.scale) / (_REACH + _STRAY * late),
            abs(np.log(pose.scale / self.scale)) / _SIZE,
            float(np.abs(np.log(pose.lengths / self.lengths)).mean()) / _SHAPE,
        )
        return float(sum(parts)) if max(parts) <= 1 and sum(parts) <= _LIMIT else np.inf

    def follow(self, pose: Pose, seconds: float) -> None:
        """Takes a pose as this person's newest one."""
        step = seconds - self.seen
        if step > 0:
            weight = 1.0 if self.pictures == 1 else _SMOOTHING
            self.velocity = (1 - weight) * self.velocity + weight * (pose.center - self.pose.center) / step
        self.scale = float(np.exp((1 - _SMOOTHING) * np.log(self.scale) + _SMOOTHING * np.log(pose.scale)))
        self.lengths = (1 - _SMOOTHING) * self.lengths + _SMOOTHING * pose.lengths
        self.pose, self.seen, self.pictures = pose, seconds, self.pictures + 1

    def sure(self, seconds: float) -> bool:
        """Whether the newest pose is certainly of the same person as the others of this number."""
        return self.doubled < seconds and self.unclear < seconds - PATIENCE


class PoseTracker:
    """Follows people from picture to picture by where they are, how large and of which shape.

    Poses are assigned to people so that the whole is likeliest, whatever order they come in. Where two answers are
    about as likely, as when people cross, neither is taken: both are given up, and go on as somebody new after
    `PATIENCE` seconds in which they could be told apart. A pose that is nearly another's is that person again,
    estimated twice, or somebody behind them. Of such a picture neither is taken.

    Example:
        >>> tracker = agegait.recordings.video.PoseTracker()
        >>> tracker.update(0.0, [])
        []
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._given_up: list[_Track] = []
        self._numbers = itertools.count(1)

    @property
    def present(self) -> set[int]:
        """Numbers of those who are followed; all others are over for good."""
        return {track.number for track in self._tracks}

    def update(self, seconds: float, poses: Sequence[Pose]) -> list[int | None]:
        """Takes the poses of the next picture.

        Args:
            seconds: When it was taken, later than the one before.
            poses: In any order.

        Returns:
            For each pose whose it is, a number from 1 on; None for one that is not to be used.
        """
        self._tracks = [track for track in self._tracks if seconds - track.seen <= PATIENCE]
        costs = np.array([[track.cost(pose, seconds) for pose in poses] for track in self._tracks])
        costs = costs.reshape(len(self._tracks), len(poses))
        pose_of = _assigned(costs)
        doubles = self._doubles(pose_of, poses)
        unclear = self._unclear(costs, pose_of, doubles, poses, seconds)
        for index in unclear:
            self._tracks[index].unclear = seconds
            self._given_up.append(self._tracks[index])
        self._given_up = [track for track in self._given_up if seconds - track.unclear <= PATIENCE]
        owners: dict[int, _Track] = {}
        for index, pose in pose_of.items():
            if index not in unclear:
                owners[pose] = self._tracks[index]
                owners[pose].follow(poses[pose], seconds)
        kept = [
            track
            for index, track in enumerate(self._tracks)
            if index not in unclear and (index in pose_of or track.pictures >= _SETTLED)
        ]
        for pose in range(len(poses)):
            if pose not in owners and pose not in doubles:
                owners[pose] = _Track(next(self._numbers), poses[pose], seconds)
                if any(_apart(track.pose, poses[pose]) < _NEAR for track in self._given_up):
                    owners[pose].unclear = seconds
                kept.append(owners[pose])
        for pose in doubles.values():
            owners[pose].doubled = seconds
        self._tracks = kept
        sure = {pose: track for pose, track in owners.items() if track.sure(seconds)}
        return [sure[pose].number if pose in sure else None for pose in range(len(poses))]

    def _doubles(self, pose_of: dict[int, int], poses: Sequence[Pose]) -> dict[int, int]:
        """Poses of nobody that are nearly another: of each, which one."""
        order = [*pose_of.values(), *(pose for pose in range(len(poses)) if pose not in pose_of.values())]
        doubles: dict[int, int] = {}
        for place, pose in enumerate(order[len(pose_of) :], len(pose_of)):
            before = [other for other in order[:place] if other not in doubles]
            near = [(_difference(poses[pose], poses[other]), other) for other in before]
            if near and min(near)[0] < _DOUBLE:
                doubles[pose] = min(near)[1]
        return doubles

    def _unclear(
        self,
        costs: np.ndarray,
        pose_of: dict[int, int],
        doubles: dict[int, int],
        poses: Sequence[Pose],
        seconds: float,
    ) -> set[int]:
        """Indices of the tracks that cannot be told from each other, or of whom it is unclear which pose is theirs."""
        unclear: set[int] = set()
        free = [pose for pose in range(len(poses)) if pose not in pose_of.values() and pose not in doubles]
        for one, pose in pose_of.items():
            for other in range(len(costs)):
                if other == one or not np.isfinite(costs[other, pose]):
                    continue
                exchanged, margin = costs[other, pose] - costs[one, pose], _MARGIN
                if other in pose_of:
                    exchanged += costs[one, pose_of[other]] - costs[other, pose_of[other]]
                    margin *= 2
                if exchanged < margin:
                    unclear |= {one, other}
            doubled = seconds - self._tracks[one].doubled <= PATIENCE
            for rival in free:
                if costs[one, rival] - costs[one, pose] < _MARGIN or (
                    doubled and _apart(poses[pose], poses[rival]) < _NEAR
                ):
                    unclear.add(one)
        return unclear


def _assigned(costs: np.ndarray) -> dict[int, int]:
    """The pose of each track that has one: as many as can be, then the likeliest whole."""
    from scipy.optimize import linear_sum_assignment  # half a second that other files do not need

    possible = np.isfinite(costs)
    rows, columns = linear_sum_assignment(np.where(possible, costs, 1e3))
    return {int(row): int(column) for row, column in zip(rows, columns, strict=True) if possible[row, column]}


def _difference(one: Pose, other: Pose) -> float:
    """Metres between the landmarks of two poses in the picture, in the mean."""
    return float(np.linalg.norm(one.image - other.image, axis=-1).mean() / np.sqrt(one.scale * other.scale))


def _apart(one: Pose, other: Pose) -> float:
    """Metres between two people in the picture."""
    return float(np.linalg.norm(one.center - other.center) / np.sqrt(one.scale * other.scale))
