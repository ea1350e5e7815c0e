"""Evaluation protocols, each by its name and never mixed: their figures are not to be compared.

Closed-set recognition: `recognition` (networks chosen on walks held out of training) and `published` (as the published
code has it, chosen on the test walks). Search: `retrieval`. Verification: `verification`. Open set: `open_set`. Each
result class has its protocol's name as `protocol`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from agegait import metrics

RANKS = (1, 5, 10)
SEARCH_RANKS = 50
"""Ranks of a search whose CMC curve is kept: it has as many as the gallery has entries."""
CURVE_POINTS = 100
FALSE_ACCEPT_RATES = (0.01, 0.001)
FALSE_ALARM_RATES = (0.1, 0.01)
BLOCK = 256
"""Mebibytes of distances that are in memory at a time."""


@dataclass(frozen=True)
class Recognition:
    """Closed-set recognition: the same people in training and test, other walks.

    Attributes:
        samples: Windows or walks that were named.
        rank: Rank-k for k of 1, 5 and 10, as far as there are as many people.
        nauc_cmc: Normalized area under the CMC curve, as the paper words it.
        nauc_roc: Micro-averaged one-vs-rest ROC area over the logits, as the published code computes its nAUC.
        cmc: The CMC curve: Rank-k for every k.
    """

    protocol: ClassVar[str] = "closed-set recognition"
    about: ClassVar[str] = (
        "The same people in training and test, other walks. A network whose epoch was chosen on validation walks,"
        " neither trained on nor tested, scores each person for each window; a walk's scores are the mean of its "
        "windows'."
    )

    samples: int
    rank: dict[int, float]
    nauc_cmc: float
    nauc_roc: float
    cmc: tuple[float, ...]


@dataclass(frozen=True)
class Published(Recognition):
    """Closed-set recognition by the published code's protocol, which chooses the network on the test walks.

    Its figures are higher than those of the same training chosen by others, and do not stand for new walks.

    Attributes:
        candidates: Networks that were looked at.
        chosen: Number, from 1, of the one that was kept.
    """

    protocol: ClassVar[str] = "published protocol (chosen on the test walks)"
    about: ClassVar[str] = (
        "The same trainings, but the epoch kept is the one that is best on the test windows themselves, as in the"
        " published code, and windows are counted as it counts them. Its figures are higher and promise nothing "
        "for new walks. What has no epochs has no choice."
    )

    candidates: int
    chosen: int


@dataclass(frozen=True)
class Retrieval:
    """A search: each probe against a gallery, by distance between features; another protocol than recognition.

    Attributes:
        samples: Probes that were searched for.
        gallery: Entries of the gallery.
        rank: Rank-k for k of 1, 5 and 10, as far as the gallery has as many entries.
        mean_average_precision: mAP.
        mean_inverse_negative_penalty: mINP.
        cmc: The beginning of the CMC curve: Rank-k for k from 1 to `SEARCH_RANKS`.
    """

    protocol: ClassVar[str] = "retrieval"
    about: ClassVar[str] = (
        "Each test walk is searched for among the training walks by the distance between mean features, "
        "whitened where the recipe whitens them. No label takes part, so what shares an encoder and its features has "
        "the same figures. Ranks are counted in walks, not in people: not to be compared with recognition."
    )

    samples: int
    gallery: int
    rank: dict[int, float]
    mean_average_precision: float
    mean_inverse_negative_penalty: float
    cmc: tuple[float, ...]


@dataclass(frozen=True)
class OperatingPoint:
    """What became of the people tested at a threshold that other people chose.

    Attributes:
        asked: The rate of false accepts, or of false alarms, that the threshold keeps to among those who chose it.
        threshold: The score from which on somebody passes: a distance between features, negative.
        false: The rate of false accepts, or of false alarms, among those tested.
        true: The rate of true accepts, or of people detected and rightly identified.
    """

    asked: float
    threshold: float
    false: float
    true: float


@dataclass(frozen=True)
class Curve:
    """The curve of those tested, at thresholds that keep to each rate among themselves: for plots alone.

    Attributes:
        false: Rates of false accepts or alarms, from one impostor's to 1, evenly in the logarithm.
        true: The rate of true accepts, or of people detected and rightly identified, at each.
    """

    false: tuple[float, ...]
    true: tuple[float, ...]


@dataclass(frozen=True)
class Verification:
    """Verification: each probe claims to be each person, and is compared with that person's gallery alone.

    Half the people choose thresholds, the other half is tested; nobody is compared with people of the other half.

    Attributes:
        samples: Probes of those tested.
        persons: People tested.
        genuine: Claims that were true.
        impostors: Claims that were not.
        equal_error_rate: EER of those tested, at their own threshold.
        half_total_error_rate: Mean of their rates of false accepts and false refusals, at the others' EER threshold.
        operating_points: One for each false accept rate asked for.
        roc: The curve; 1 - true over false is the DET curve.
    """

    protocol: ClassVar[str] = "verification"
    about: ClassVar[str] = (
        "Each test walk claims to be each person in turn, and is compared with that person's training walks "
        "alone. Half the people choose thresholds, the other half is tested."
    )

    samples: int
    persons: int
    genuine: int
    impostors: int
    equal_error_rate: float
    half_total_error_rate: float
    operating_points: tuple[OperatingPoint, ...]
    roc: Curve


@dataclass(frozen=True)
class OpenSet:
    """Open-set identification: a probe is named, or taken for a stranger; half of those who come are strangers.

    Half the people choose thresholds, the other half is tested; half of either is enrolled, half never.

    Attributes:
        samples: Probes of enrolled people.
        strangers: Probes of people who were never enrolled.
        persons: People enrolled.
        operating_points: One for each false alarm rate asked for. A false alarm is a stranger who is named; `true` is
            the share of enrolled people's probes that are named, and named rightly.
        roc: The curve; its end, where everybody is named, is Rank-1 among those enrolled.
    """

    protocol: ClassVar[str] = "open-set identification"
    about: ClassVar[str] = (
        "A test walk is named or taken for a stranger; half of those who come were never enrolled. Thresholds are"
        " chosen on other people than those tested. The encoder has seen everybody's training walks, without "
        "names."
    )

    samples: int
    strangers: int
    persons: int
    operating_points: tuple[OperatingPoint, ...]
    roc: Curve


PROTOCOLS = {kind.protocol: kind for kind in (Recognition, Published, Retrieval, Verification, OpenSet)}
"""The result of each protocol by its name; `about` says what its figures are, for whoever reads tables."""


def recognition(logits: np.ndarray, persons: np.ndarray) -> Recognition:
    """Closed-set recognition of samples from their logits.

    Args:
        logits: `[M, N]`.
        persons: `[M]` right labels, 0..N-1.

    Raises:
        ValueError: As `agegait.metrics`.
    """
    cmc = metrics.cmc(logits, persons)
    return Recognition(
        samples=len(persons),
        rank=_ranks(cmc),
        nauc_cmc=metrics.nauc_cmc(logits, persons),
        nauc_roc=metrics.nauc_roc(logits, persons),
        cmc=tuple(cmc.tolist()),
    )


def published(logits: Iterable[np.ndarray], persons: np.ndarray, frames: int = 6, batch: int = 128) -> Published:
    """Recognition as the published code reports it: by the network that is best on the test windows themselves.

    Of all networks that a training passes through, the last of those with the best Rank-1 is kept. The published code
    looks every 50 steps, and counts `published_windows`.

    Args:
        logits: `[M, N]` of each network in turn; one is held at a time, so this may be a generator.
        persons: `[M]` right labels, 0..N-1; a person's windows follow one another.
        frames: Frames f of a window.
        batch: Windows of a batch.

    Raises:
        ValueError: As `agegait.metrics`; no network at all, or too few windows for one batch.
    """
    counted = published_windows(persons, frames, batch)
    if not len(counted):
        raise ValueError(f"persons: expected the windows of a batch of {batch} frames, received {len(persons)}.")
    best: tuple[float, int, np.ndarray] | None = None
    number = 0
    for number, candidate in enumerate(logits, start=1):
        rank = metrics.rank_k(candidate[counted], persons[counted])
        if best is None or rank >= best[0]:
            best = rank, number, candidate[counted]
    if best is None:
        raise ValueError("logits: expected those of at least one network, received none.")
    _, chosen, kept = best
    return Published(**asdict(recognition(kept, persons[counted])), candidates=number, chosen=chosen)


def by_walk(values: np.ndarray, persons: np.ndarray, walks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of windows' values over each walk, and each walk's person.

    Args:
        values: `[M, ...]`, logits or features of windows.
        persons: `[M]` label of each window.
        walks: `[M]` number or name of the walk that each window is from.

    Returns:
        `[W, ...]` and `[W]`, in the order of the walks' numbers or names.
    """
    _, first, inverse = np.unique(walks, return_index=True, return_inverse=True)
    counts = np.bincount(inverse)
    total = np.zeros((len(first), *values.shape[1:]))
    np.add.at(total, inverse, values)
    return total / counts.reshape(-1, *[1] * (values.ndim - 1)), np.asarray(persons)[first]


def retrieval(
    probes: np.ndarray, probe_persons: np.ndarray, gallery: np.ndarray, gallery_persons: np.ndarray
) -> Retrieval:
    """Searches a gallery for each probe by Euclidean distance; features are standardised over the gallery first.

    Distances are taken in blocks of probes, so that windows may be searched for among windows.

    Args:
        probes: `[P, D]` features.
        probe_persons: `[P]`, integers or strings.
        gallery: `[G, D]` features.
        gallery_persons: `[G]`.

    Raises:
        ValueError: As `agegait.metrics`; a probe's person is not in the gallery.
    """
    probes, gallery = _checked(probes, probe_persons, gallery, gallery_persons)
    probe_persons, gallery_persons = np.asarray(probe_persons), np.asarray(gallery_persons)
    mean, scale = _moments(gallery)

    def search(distances, start):
        return metrics.search(distances, probe_persons[start : start + len(distances)], gallery_persons)

    blocks = _distances((probes - mean) / scale, (gallery - mean) / scale, search)
    found = metrics.Search(*(np.concatenate(column) for column in zip(*blocks, strict=True)))
    ranks = np.arange(1, min(len(gallery), max(SEARCH_RANKS, *RANKS)) + 1)
    cmc = np.mean(found.first[:, None] <= ranks, axis=0)
    return Retrieval(
        samples=len(probes),
        gallery=len(gallery),
        rank=_ranks(cmc),
        mean_average_precision=float(found.average_precision.mean()),
        mean_inverse_negative_penalty=float(found.inverse_negative_penalty.mean()),
        cmc=tuple(cmc.tolist()),
    )


def divide(persons: Iterable[Any], parts: int, seed: int = 0) -> list[np.ndarray]:
    """Deals people to groups of one size, or sizes that differ by one.

    They are dealt in the order of the SHA-256 digests of "<seed>/<person>", as the splits of walks are drawn: no
    version of a random number generator has a say.

    Args:
        persons: Labels or names; each person counts once.
        parts: Groups.
        seed: Another seed deals otherwise.

    Returns:
        The people of each group.

    Raises:
        ValueError: Fewer people than groups.
    """
    people = np.unique(list(persons))
    if len(people) < parts:
        raise ValueError(f"persons: expected at least {parts} people, one for each group, received {len(people)}.")
    dealt = sorted(people, key=lambda person: hashlib.sha256(f"{seed}/{person}".encode()).hexdigest())
    return [np.array(dealt[part::parts]) for part in range(parts)]


def verification(
    probes: np.ndarray,
    probe_persons: np.ndarray,
    gallery: np.ndarray,
    gallery_persons: np.ndarray,
    false_accept_rates: Sequence[float] = FALSE_ACCEPT_RATES,
    seed: int = 0,
) -> Verification:
    """Whether people are who they claim to be; thresholds are chosen on other people than those tested.

    The people who probe are divided in two by `divide`. A claim's score is the negative distance of the probe to the
    nearest gallery entry of the person claimed, features being standardised over the gallery of those who choose.
    Gallery entries of people who never probe are left out.

    Args:
        probes: `[P, D]` features.
        probe_persons: `[P]`, integers or strings.
        gallery: `[G, D]` features.
        gallery_persons: `[G]`.
        false_accept_rates: FARs to choose thresholds for.
        seed: Of the division.

    Raises:
        ValueError: As `agegait.metrics`; a probe's person is not in the gallery; fewer than four people.
    """
    probes, gallery = _checked(probes, probe_persons, gallery, gallery_persons)
    people = _at_least_four(probe_persons)
    choosing, tested = divide(people, 2, seed)
    mean, scale = _moments(gallery[np.isin(gallery_persons, choosing)])
    probes, gallery = (probes - mean) / scale, (gallery - mean) / scale
    (scores, genuine), (test_scores, test_genuine) = (
        _claims(group, probes, probe_persons, gallery, gallery_persons) for group in (choosing, tested)
    )
    accepted, refused = test_scores[~test_genuine], test_scores[test_genuine]
    equal = metrics.equal_error(scores, genuine).threshold

    def rates(threshold):
        return float(np.mean(accepted >= threshold)), float(np.mean(refused >= threshold))

    false, true = rates(equal)
    return Verification(
        samples=int(np.isin(probe_persons, tested).sum()),
        persons=len(tested),
        genuine=len(refused),
        impostors=len(accepted),
        equal_error_rate=metrics.equal_error(test_scores, test_genuine).rate,
        half_total_error_rate=(false + 1 - true) / 2,
        operating_points=_operating_points(false_accept_rates, scores[~genuine], rates),
        roc=_roc(accepted, rates),
    )


def open_set(
    probes: np.ndarray,
    probe_persons: np.ndarray,
    gallery: np.ndarray,
    gallery_persons: np.ndarray,
    false_alarm_rates: Sequence[float] = FALSE_ALARM_RATES,
    seed: int = 0,
) -> OpenSet:
    """Who of the enrolled people it is, if anybody; thresholds are chosen on other people than those tested.

    The people who probe are divided in four by `divide`: enrolled and never enrolled, of those who choose and of those
    who are tested. A probe's score for a person is its negative distance to their nearest gallery entry, features being
    standardised over the gallery of the enrolled people who choose. What the features were learned from is the
    caller's affair: they are those of strangers only if nobody tested was among it.

    Args:
        probes: `[P, D]` features.
        probe_persons: `[P]`, integers or strings.
        gallery: `[G, D]` features.
        gallery_persons: `[G]`; entries of people who are not enrolled are not searched.
        false_alarm_rates: Shares of strangers who may be named, to choose thresholds for.
        seed: Of the division.

    Raises:
        ValueError: As `agegait.metrics`; a probe's person is not in the gallery; fewer than four people.
    """
    probes, gallery = _checked(probes, probe_persons, gallery, gallery_persons)
    choosing, tested, choosing_strangers, strangers = divide(_at_least_four(probe_persons), 4, seed)
    mean, scale = _moments(gallery[np.isin(gallery_persons, choosing)])
    probes, gallery = (probes - mean) / scale, (gallery - mean) / scale

    def scores(coming, enrolled):
        own, entries = np.isin(probe_persons, coming), np.isin(gallery_persons, enrolled)
        return _nearest(probes[own], gallery[entries], np.asarray(gallery_persons)[entries], enrolled)

    alarms = scores(choosing_strangers, choosing).max(axis=1)
    test_alarms, test_scores = scores(strangers, tested).max(axis=1), scores(tested, tested)
    labels = _labels(np.asarray(probe_persons)[np.isin(probe_persons, tested)], tested)

    def rates(threshold):
        detected = metrics.detection_identification_rate(test_scores, labels, threshold)
        return float(np.mean(test_alarms >= threshold)), detected

    return OpenSet(
        samples=len(test_scores),
        strangers=len(test_alarms),
        persons=len(tested),
        operating_points=_operating_points(false_alarm_rates, alarms, rates),
        roc=_roc(test_alarms, rates),
    )


def published_windows(persons: np.ndarray, frames: int = 6, batch: int = 128) -> np.ndarray:
    """The windows that the published evaluation counts: it drops what does not fill a batch.

    Extraction keeps whole batches of each person's windows (all of somebody's who has fewer than one batch); the
    evaluation then cuts the frames that remain into batches and drops the last, and with it any window cut in two.

    Args:
        persons: `[M]` label of each window; a person's windows follow one another.
        frames: Frames f of a window.
        batch: Windows, and later frames, of a batch.

    Returns:
        Indices of the windows that count, in order.
    """
    kept = [np.arange(0)]
    for person in dict.fromkeys(persons.tolist()):
        windows = np.flatnonzero(persons == person)
        kept.append(windows if len(windows) < batch else windows[: len(windows) // batch * batch])
    indices = np.concatenate(kept)
    return indices[: len(indices) * frames // batch * batch // frames]


def _ranks(cmc):
    return {k: float(cmc[k - 1]) for k in RANKS if k <= len(cmc)}


def _checked(probes, probe_persons, gallery, gallery_persons):
    """Features in float64; persons are left to `agegait.metrics`, but for those who are not in the gallery."""
    probes = metrics.matrix("probes", probes, "[P, D]: a row a probe")
    gallery = metrics.matrix("gallery", gallery, "[G, D]: a row a gallery entry")
    for name, features, persons in (("probe", probes, probe_persons), ("gallery", gallery, gallery_persons)):
        if np.shape(persons) != (len(features),):
            raise ValueError(f"{name}_persons: expected [{len(features)}], received {list(np.shape(persons))}.")
    if probes.shape[1] != gallery.shape[1]:
        raise ValueError(f"probes: expected {gallery.shape[1]} features, as in gallery, received {probes.shape[1]}.")
    absent = np.setdiff1d(probe_persons, gallery_persons)
    if len(absent):
        raise ValueError(f"probe_persons: expected people of the gallery, received {absent[0].item()!r}.")
    return probes, gallery


def _at_least_four(persons):
    people = np.unique(persons)
    if len(people) < 4:
        raise ValueError(f"probe_persons: expected at least four people to divide, received {len(people)}.")
    return people


def _moments(features):
    scale = features.std(axis=0)
    return features.mean(axis=0), np.where(scale > 0, scale, 1)


def _distances(probes, gallery, reduce):
    from sklearn.metrics import pairwise_distances_chunked  # a second to import

    return pairwise_distances_chunked(probes, gallery, reduce_func=reduce, working_memory=BLOCK)


def _nearest(probes, gallery, gallery_persons, enrolled):
    """Negative distances `[P, N]` of probes to the nearest entry of each enrolled person."""
    labels = _labels(gallery_persons, enrolled)
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(len(enrolled)))

    def nearest(distances, _start):
        return -np.minimum.reduceat(distances, starts, axis=1)

    return np.concatenate(list(_distances(probes, gallery[order], nearest)))


def _labels(persons, enrolled):
    order = np.argsort(enrolled)
    return order[np.searchsorted(enrolled, persons, sorter=order)]


def _claims(group, probes, probe_persons, gallery, gallery_persons):
    """Scores and kinds of all claims of a group's probes to be somebody of the group."""
    own, entries = np.isin(probe_persons, group), np.isin(gallery_persons, group)
    scores = _nearest(probes[own], gallery[entries], np.asarray(gallery_persons)[entries], group)
    genuine = np.asarray(probe_persons)[own][:, None] == group
    return scores.ravel(), genuine.ravel()


def _operating_points(asked, impostors, rates):
    thresholds = [metrics.acceptance_threshold(impostors, rate) for rate in asked]
    return tuple(
        OperatingPoint(rate, threshold, *rates(threshold)) for rate, threshold in zip(asked, thresholds, strict=True)
    )


def _roc(impostors, rates):
    asked = np.geomspace(1 / len(impostors), 1, min(CURVE_POINTS, len(impostors)))
    reached = [rates(metrics.acceptance_threshold(impostors, min(rate, 1))) for rate in asked]
    return Curve(*(tuple(column) for column in zip(*reached, strict=True)))
