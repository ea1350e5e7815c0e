from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agegait.data import Walks, divide_persons
from agegait.evaluation.protocols.open_set import FALSE_ALARM_RATES
from agegait.evaluation.protocols.ranks import RANKS
from agegait.evaluation.protocols.retrieval import SEARCH_RANKS
from agegait.evaluation.protocols.stranger_comparison import StrangerComparison
from agegait.evaluation.protocols.stranger_probes import draw_clip, draw_probes
from agegait.evaluation.protocols.thresholds import Curve
from agegait.evaluation.protocols.verification import FALSE_ACCEPT_RATES

SECONDS = (1.0, 2.0, 4.0)
GALLERIES = ("all walks", "one walk")

Embed = Callable[[Sequence[np.ndarray]], np.ndarray]
"""From walks `[T, J, 3]` of any lengths to embeddings `[W, D]`."""

_CURVE_RATES = np.geomspace(1e-4, 1, 41)
_CONFIDENCE = 0.95
_AT_ONCE = 250
"""Resamples that are counted in one go: their weights of all claims take tens of megabytes."""


@dataclass(frozen=True)
class Strangers:
    """How people are recognised whom nothing was learned from, by probes of one length and one kind of gallery.

    All figures are means over the draws of each division of the people, and then over divisions.

    Attributes:
        probe: `"walks"`, or the seconds of a clip.
        gallery: `"all walks"` or `"one walk"` of each person.
        samples: Probes looked for, of all draws and divisions.
        impostors: False claims, of all draws and divisions.
        too_short: Probes left out since their walks are shorter than the clip.
        persons: People tested, of a division on average.
        divisions: Divisions of the people.
        rank: Rank-k for k of 1, 5 and 10, counted in gallery walks.
        mean_average_precision: mAP.
        mean_inverse_negative_penalty: mINP.
        equal_error_rate: EER of the claims of each probe to be each person, scored by the nearest walk.
        true_accept_rate: TAR for each false accept rate, at the tested people's own threshold.
        detection_identification_rate: DIR for each false alarm rate: probes that are named, and named rightly. The
            strangers are the same probes with their person's walks taken from the gallery.
        intervals: For each figure, by its name, the lower and upper end of its interval of 95 % over people.
        cmc: Rank-k for k from 1 to `SEARCH_RANKS`, as far as every gallery has as many walks.
        det: True accepts at false accept rates; 1 - true over false is the DET curve.
    """

    protocol: ClassVar[str] = "strangers"
    about: ClassVar[str] = (
        "Nobody who is tested had a part in any training, choice or statistic: people are divided, not walks. One walk"
        " of each person, or a clip of it, is looked for among the others' and the person's other walks. Intervals are"
        " of 95 %, by resampling people."
    )

    probe: str
    gallery: str
    samples: int
    impostors: int
    too_short: int
    persons: float
    divisions: int
    rank: dict[int, float]
    mean_average_precision: float
    mean_inverse_negative_penalty: float
    equal_error_rate: float
    true_accept_rate: dict[float, float]
    detection_identification_rate: dict[float, float]
    intervals: dict[str, tuple[float, float]]
    cmc: tuple[float, ...]
    det: Curve

    @property
    def of(self) -> str:
        """What samples are, in words."""
        return f"{self.probe}, gallery of {self.gallery}"


def strangers(
    walks: Walks,
    learn: Callable[[Walks, Walks], Embed],
    divisions: Sequence[int] = range(5),
    test_share: float = 0.4,
    validation_share: float = 0.1,
    seconds: Sequence[float] = SECONDS,
    frame_rate: float = 30.0,
    draws: int = 10,
    resamples: int = 1000,
    seed: int = 0,
) -> list[Strangers]:
    """Recognition of people whom nothing was learned from.

    `learn` is called once for each division, and sees the walks of training and validation people alone: whatever it
    trains, chooses or takes statistics from, nobody tested is in it. What it returns embeds each walk by itself.

    Args:
        walks: Everybody's walks.
        learn: From the walks of training people and of validation people to what embeds walks.
        divisions: Seeds of the divisions, see `agegait.data.divide_persons`.
        test_share: Share of the people who are tested.
        validation_share: Share of the people to choose by.
        seconds: Lengths of clips to look for, beside whole walks. Galleries hold whole walks.
        frame_rate: Frames a second.
        draws: Draws of a probe of each person, see `draw_probes`.
        resamples: Resamples of the people, for intervals.
        seed: Of the resamples.

    Returns:
        For whole walks and then each length of clips, the result of either kind of gallery.

    Raises:
        ValueError: Too few people or walks, embeddings of another shape, or not finite.

    Example:
        >>> strangers(walks, lambda training, validation: EmbedderTraining("persons").fit(training).embed)
    """

    def tests() -> Iterator[tuple[Walks, Embed]]:
        for division_seed in divisions:
            division = divide_persons(walks.persons, test_share, validation_share, division_seed)
            embed = learn(walks.of_persons(division.training), walks.of_persons(division.validation))
            yield walks.of_persons(division.tested), embed

    return recognize_strangers(tests(), seconds, frame_rate, draws, resamples, seed)


def recognize_strangers(
    tests: Iterable[tuple[Walks, Embed]],
    seconds: Sequence[float] = SECONDS,
    frame_rate: float = 30.0,
    draws: int = 10,
    resamples: int = 1000,
    seed: int = 0,
) -> list[Strangers]:
    """What `strangers` does once people are divided and what embeds walks is trained.

    Args:
        tests: For each division, the walks of those who are tested, and what embeds walks.
        seconds: As of `strangers`, like all that follow.
        frame_rate: Frames a second.
        draws: Draws of a probe of each person.
        resamples: Resamples of the people.
        seed: Of the resamples.

    Raises:
        ValueError: As `strangers`.

    Example:
        >>> recognize_strangers([(walks, embedder.embed)])
    """
    compared: dict[tuple[str, str], list[list[StrangerComparison]]] = defaultdict(list)
    too_short: dict[str, int] = defaultdict(int)
    people = np.array([])
    for tested, embed in tests:
        people = np.union1d(people, tested.persons) if len(people) else np.unique(tested.persons)
        embedded = _embedded(tested, embed, {f"{length:g} s": round(length * frame_rate) for length in seconds})
        for probe, embeddings in embedded.items():
            by_gallery: dict[str, list[StrangerComparison]] = {gallery: [] for gallery in GALLERIES}
            for draw in range(draws):
                rows, *galleries = draw_probes(tested.persons, tested.names, draw)
                there = rows[np.isfinite(embeddings[rows]).all(axis=1)]
                too_short[probe] += len(rows) - len(there)
                if len(there) < 2:
                    raise ValueError(f"seconds: expected walks of at least two people that last {probe}, found fewer.")
                for gallery, entries in zip(GALLERIES, galleries, strict=True):
                    by_gallery[gallery].append(
                        StrangerComparison(
                            _cosines(embeddings[there], embedded["walks"][entries]),
                            tested.persons[there],
                            tested.persons[entries],
                        )
                    )
            for gallery, comparisons in by_gallery.items():
                compared[probe, gallery].append(comparisons)
    chosen = np.random.default_rng(seed).integers(len(people), size=(resamples, len(people)))
    counts = np.stack([np.bincount(row, minlength=len(people)) for row in chosen]) if resamples else None
    return [
        _result(probe, gallery, found, too_short[probe], people, counts) for (probe, gallery), found in compared.items()
    ]


def clip_seconds(walks: Walks, frame_rate: float) -> list[float]:
    """Those of `SECONDS` that each walk lasts; none where the frame rate is not known, 0."""
    shortest = min(map(len, walks.skeletons))
    return [length for length in SECONDS if 0 < length * frame_rate <= shortest]


def _embedded(walks: Walks, embed: Embed, lengths: dict[str, int]) -> dict[str, np.ndarray]:
    """Embeddings of whole walks and of a clip of each; NaN of walks that are shorter."""
    found = {"walks": checked_embeddings(embed(walks.skeletons), len(walks.names)).astype("float64")}
    for name, frames in lengths.items():
        parts = [draw_clip(walk, len(x), frames) for walk, x in zip(walks.names, walks.skeletons, strict=True)]
        rows = [row for row, part in enumerate(parts) if part is not None]
        found[name] = np.full_like(found["walks"], np.nan)
        if rows:
            clips = [walks.skeletons[row][parts[row]] for row in rows]
            found[name][rows] = checked_embeddings(embed(clips), len(rows))
    return found


def _cosines(probes: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """`[P, G]` of embeddings of any length."""
    first, second = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (probes, gallery))
    return first @ second.T


def checked_embeddings(embeddings: np.ndarray, rows: int) -> np.ndarray:
    """Embeddings `[rows, D]` as they are.

    Raises:
        ValueError: Another shape, or values that are not finite.
    """
    embeddings = np.asarray(embeddings)
    if embeddings.ndim != 2 or len(embeddings) != rows or not np.isfinite(embeddings).all():
        raise ValueError(f"learn: expected [{rows}, D] finite embeddings, received a shape of {embeddings.shape}.")
    return embeddings


def _mean(divisions: list[np.ndarray]) -> np.ndarray:
    """The mean over the divisions whose people have a weight, `[R]`."""
    values = np.stack(divisions)
    there = np.isfinite(values)
    counts = there.sum(axis=0)
    total = np.where(there, values, 0).sum(axis=0)
    return np.divide(total, counts, where=counts > 0, out=np.full(len(counts), np.nan))


def _result(
    probe: str,
    gallery: str,
    divisions: list[list[StrangerComparison]],
    too_short: int,
    people: np.ndarray,
    counts: np.ndarray | None,
) -> Strangers:
    def figures(weights: np.ndarray, rates: Sequence[float] = FALSE_ACCEPT_RATES) -> dict[str, np.ndarray]:
        """Means over draws and divisions, `[R]` each, for weights `[R, N]` of all people."""
        found = []
        for comparisons in divisions:
            own = weights[:, np.searchsorted(people, comparisons[0].people)]
            draws = [comparison.figures(own, rates, FALSE_ALARM_RATES) for comparison in comparisons]
            found.append({name: np.mean([draw[name] for draw in draws], axis=0) for name in draws[0]})
        return {name: _mean([one[name] for one in found]) for name in found[0]}

    every = np.ones((1, len(people)))
    whole = {name: float(values[0]) for name, values in figures(every).items()}
    intervals = {}
    if counts is not None:
        parts = [figures(counts[start : start + _AT_ONCE]) for start in range(0, len(counts), _AT_ONCE)]
        ends = (1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2
        for name in whole:
            low, high = np.nanquantile(np.concatenate([part[name] for part in parts]), ends)
            intervals[name] = (float(low), float(high))
    all_draws = [comparison for comparisons in divisions for comparison in comparisons]
    curve = figures(every, [float(rate) for rate in _CURVE_RATES])
    last = min(SEARCH_RANKS, *(int(comparison.entries) for comparison in all_draws))
    by_division = [
        np.mean([[np.mean(draw.search.first <= k) for k in range(1, last + 1)] for draw in comparisons], axis=0)
        for comparisons in divisions
    ]
    return Strangers(
        probe=probe,
        gallery=gallery,
        samples=sum(len(comparison.genuine) for comparison in all_draws),
        impostors=sum(len(c.genuine) * (len(c.people) - 1) for c in all_draws),
        too_short=too_short,
        persons=float(np.mean([len(comparisons[0].people) for comparisons in divisions])),
        divisions=len(divisions),
        rank={k: whole[f"rank_{k}"] for k in RANKS},
        mean_average_precision=whole["mean_average_precision"],
        mean_inverse_negative_penalty=whole["mean_inverse_negative_penalty"],
        equal_error_rate=whole["equal_error_rate"],
        true_accept_rate={rate: whole[f"true_accept_rate_{rate:g}"] for rate in FALSE_ACCEPT_RATES},
        detection_identification_rate={
            rate: whole[f"detection_identification_rate_{rate:g}"] for rate in FALSE_ALARM_RATES
        },
        intervals=intervals,
        cmc=tuple(np.mean(by_division, axis=0).tolist()),
        det=Curve(
            tuple(_CURVE_RATES.tolist()),
            tuple(float(curve[f"true_accept_rate_{float(rate):g}"][0]) for rate in _CURVE_RATES),
        ),
    )
