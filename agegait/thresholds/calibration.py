import dataclasses
import importlib.resources
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agegait.data.walks import Walks
from agegait.storage.records import from_record
from agegait.storage.whole_file import write_text
from agegait.thresholds.embedder import Embedder
from agegait.thresholds.score_tail import ScoreTail
from agegait.thresholds.stranger_scores import ERROR_SHARES, StrangerScores
from agegait.thresholds.threshold import Threshold
from agegait.thresholds.uncalibrated_error import UncalibratedError

MIN_PEOPLE = 10

Sizes = Mapping[int, int]
"""A gallery's size: how many people have so many walks enrolled."""


@dataclass(frozen=True)
class Calibration:
    """What distances mean: how near strangers come to people enrolled, and people to themselves.

    It is measured on people who are neither trained on nor enrolled. It holds no embeddings and no names.

    A stranger is a false alarm if any of the templates is near enough. If one is with the probability `P`, then any of
    `n` is with the probability `1 - (1 - P)^n`, as long as they are independent; where they are not, it is less. `P` is
    counted as far as many pairs of people reach, and follows a fitted tail beyond. A person's `m` templates are alike:
    they count as `m^exponent` independent ones.

    Attributes:
        fingerprint: Of the embedder.
        people: How many people it was measured on.
        tail: Of the cosines between walks of different people.
        exponent: In 0..1: 1 if a person's templates are as different as those of several people.
        genuine: Cosines of walks with the nearest other walk of the same person, ascending; empty where nobody has two.
        slope: Of the logarithm of how much likelier a true claim has a cosine than a false, over the cosine; None
            without `genuine`.
        intercept: Of the same.
        pairs: Quantiles, evenly from 0 to 1, of the cosines of two walks of a person, all people weighing the same;
            empty where nobody has two, or where an older version measured.
        generated: Whether the people were generated: how real ones come near each other may be quite another matter.
        errors: Standard errors of the logarithm of how often strangers come near: other people would have given other
            rates. See `StrangerScores.tail_errors`. Empty where an older version measured.

    Example:
        >>> class Sizes:  # as an embedder: a person's sizes
        ...     embedding_size = 20
        ...     frame_rate = 30.0
        ...     def embed(self, walks):
        ...         sizes = np.stack([np.linalg.norm(walk, axis=-1).mean(axis=0) for walk in walks])
        ...         return sizes - 1
        ...     def fingerprint(self):
        ...         return "sizes"
        >>> random = np.random.default_rng(0)
        >>> persons = np.repeat(np.arange(12), 2)
        >>> bodies = 1 + 0.3 * random.normal(size=(12, 1, 20, 1))
        >>> skeletons = [agegait.skeletons.STANDING * bodies[person] for person in persons]
        >>> walks = agegait.data.Walks(skeletons, persons, np.arange(24))
        >>> calibration = agegait.gallery.Calibration.measure(Sizes(), walks)
        >>> small, large = (calibration.threshold({1: people}, 0.01).distance for people in (10, 1000))
        >>> small > large  # the more people, the likelier a false alarm
        True
    """

    fingerprint: str
    people: int
    tail: ScoreTail
    exponent: float
    genuine: tuple[float, ...]
    slope: float | None
    intercept: float | None
    pairs: tuple[float, ...] = ()
    generated: bool = False
    errors: tuple[float, ...] = ()

    @classmethod
    def measure(cls, embedder: Embedder, walks: Walks) -> "Calibration":
        """Calibrates an embedder.

        Args:
            embedder: What a gallery uses.
            walks: Of at least 10 people who are neither trained on nor enrolled, better of 30 and more, two walks of
                each.

        Raises:
            ValueError: Fewer people.
        """
        return cls.of_embeddings(embedder.embed(walks.skeletons), walks.persons, embedder.fingerprint())

    @classmethod
    def of_embeddings(cls, embeddings: NDArray[np.floating], persons: NDArray[Any], fingerprint: str) -> "Calibration":
        """The same from embeddings `[W, D]` and the person of each `[W]`.

        Raises:
            ValueError: Fewer than 10 people.
        """
        people = len(np.unique(persons))
        if people < MIN_PEOPLE:
            raise ValueError(f"walks: expected those of at least {MIN_PEOPLE} people, received {people}.")
        scores = StrangerScores(embeddings, persons)
        slope, intercept = scores.log_odds() if len(scores.genuine) else (None, None)
        return cls(
            fingerprint,
            people,
            scores.tail,
            scores.exponent(),
            tuple(float(cosine) for cosine in np.round(np.sort(scores.genuine), 5)),
            slope,
            intercept,
            tuple(np.round(scores.pair_quantiles(), 5).tolist()),
            errors=tuple(np.round(scores.tail_errors(), 3).tolist()),
        )

    @classmethod
    def from_preset(cls, preset: str) -> "Calibration":
        """That of an embedder that comes with this package.

        It was measured on generated people, before the generated sensor, of fifty, at which strangers come nearest to
        each other: see `agegait.training.starter`. Calibrate on real ones before your own sensor as soon as you can.

        Args:
            preset: One of `GaitEmbedder.PRESETS`.

        Raises:
            ValueError: Another name.

        Example:
            >>> agegait.gallery.Calibration.from_preset("walkers").generated
            True
        """
        file = importlib.resources.files("agegait") / "models" / "presets" / f"{preset}.calibration.json"
        if not re.fullmatch(r"\w+", preset) or not file.is_file():
            raise ValueError(f"preset: expected an embedder that comes with agegait, received {preset!r}.")
        return cls.from_json(file.read_text(encoding="utf-8"))

    def false_alarms(self, distance: float, sizes: Sizes) -> float:
        """The share of strangers who are within a distance of somebody enrolled, in a gallery of some size."""
        once = min(self.tail.exceeds(1 - distance), 1 - 1e-12)
        return float(-np.expm1(self._independent(sizes) * np.log1p(-once)))

    def false_alarm_range(self, distance: float, sizes: Sizes) -> tuple[float, float] | None:
        """Between which shares `false_alarms` truly is, about 19 times of 20: other people would have given another.

        Far below the shares that were seen it may be lower still.

        Returns:
            The least and the largest share; None where the people were generated, or an older version measured.
        """
        if not self.errors or self.generated:
            return None
        once = min(self.tail.exceeds(1 - distance), 1 - 1e-12)
        error = np.interp(-np.log(max(once, 1e-300)), -np.log(ERROR_SHARES), self.errors)
        ends = np.minimum(once * np.exp([-2 * error, 2 * error]), 1 - 1e-12)
        least, largest = -np.expm1(self._independent(sizes) * np.log1p(-ends))
        return float(least), float(largest)

    def expected_pairs(self, distance: float, sizes: Sizes) -> float:
        """How many pairs of people enrolled have walks within a distance of each other by chance."""
        once = min(self.tail.exceeds(1 - distance), 1 - 1e-12)
        found = 0.0
        for walks, people in sizes.items():
            for others, more in sizes.items():
                independent = (walks * others) ** self.exponent
                pairs = people * (more - (walks == others)) / 2
                found -= pairs * float(np.expm1(independent * np.log1p(-once)))
        return found

    def detections(self, distance: float) -> float | None:
        """The share of people who are within a distance of themselves; None where nobody had two walks."""
        return float(np.mean(np.asarray(self.genuine) >= 1 - distance)) if self.genuine else None

    def own_distance(self, share: float) -> float | None:
        """The distance that a share of people is within from themselves; None where nobody had two walks."""
        return float(1 - np.quantile(np.asarray(self.genuine), 1 - share)) if self.genuine else None

    def pair_distance(self, share: float) -> float | None:
        """The distance that a share of pairs of walks of a person are within; None where that was not measured."""
        return 1 - float(np.interp(1 - share, np.linspace(0, 1, len(self.pairs)), self.pairs)) if self.pairs else None

    def threshold(self, sizes: Sizes, false_alarms: float) -> Threshold:
        """The distance that a share of strangers comes within, in a gallery of some size.

        Args:
            sizes: How many people have so many walks enrolled: `{2: 10}` for ten people with two walks each.
            false_alarms: The share, between 0 and 1: 0.01 for one stranger in a hundred.

        Raises:
            ValueError: A share out of range.
        """
        if not 0 < false_alarms < 1:
            raise ValueError(f"false_alarms: expected a share between 0 and 1, received {false_alarms}.")
        once = float(-np.expm1(np.log1p(-false_alarms) / max(self._independent(sizes), 1)))
        distance = float(np.clip(1 - self.tail.exceeded_by(once), 0, 2))
        return Threshold(distance, false_alarms, once * self.people * (self.people - 1) < 1, self.generated)

    def log_likelihood_ratio(self, distance: float) -> float | None:
        """How much likelier a distance is for a true claim than for a false one, as a logarithm."""
        if self.slope is None or self.intercept is None:
            return None
        return self.slope * (1 - distance) + self.intercept

    def save(self, path: str | PathLike[str]) -> None:
        """Writes it as JSON that its owner alone can read: best beside the embedder."""
        write_text(path, self.to_json())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Calibration":
        """Reads what `save` wrote.

        Raises:
            ValueError: Another kind of file.
        """
        try:
            return cls.from_json(Path(path).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def to_json(self) -> str:
        """As text."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Calibration":
        """From text.

        Raises:
            ValueError: Text that is no calibration.
        """
        try:
            return from_record(cls, json.loads(text))
        except (ValueError, RecursionError):
            raise ValueError("expected what `Calibration.save` writes, received another text.") from None

    def _independent(self, sizes: Sizes) -> float:
        """As many independent templates as a gallery's are worth."""
        return float(sum(people * walks**self.exponent for walks, people in sizes.items()))


def calibration_file(model: str | PathLike[str]) -> Path | None:
    """Where the calibration of a run's folder or a `.keras` file is kept; None for anything else."""
    path = Path(model)
    if path.is_dir():
        return path / "calibration.json"
    return path.with_suffix(".calibration.json") if path.suffix == ".keras" else None


def chosen_threshold(
    calibration: Calibration | None, sizes: Sizes, argument: str, rate: float, distance: float | None
) -> Threshold:
    """The threshold of a rate, or a distance that was given instead.

    Args:
        calibration: The gallery's; None for none.
        sizes: The gallery's.
        argument: What the rate is called, for errors.
        rate: See `Calibration.threshold`.
        distance: None to go by the rate.

    Raises:
        ValueError: A rate or a distance out of range.
        UncalibratedError: A rate without a calibration.
    """
    if distance is not None:
        if not 0 <= distance <= 2:
            raise ValueError(f"threshold: expected a distance in 0..2, received {distance}.")
        if calibration is None:
            return Threshold(distance, None, extrapolated=False)
        return Threshold(distance, calibration.false_alarms(distance, sizes), False, calibration.generated)
    if not 0 < rate < 1:
        raise ValueError(f"{argument}: expected a share between 0 and 1, received {rate}.")
    if calibration is None:
        raise UncalibratedError(
            f"{argument}: expected a gallery with a calibration, received one without: `recalibrate` it on walks "
            "of people who are not enrolled, open it with `calibration=`, or give a `threshold`."
        )
    return calibration.threshold(sizes, rate)
