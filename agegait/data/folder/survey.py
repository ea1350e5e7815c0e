"""What is to be known of a folder's walks before anyone trains on them."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agegait.data.folder.layout import FolderWalk
from agegait.data.folder.shared_frames import frame_descriptors, with_frames_in_common
from agegait.recordings.recording import listed
from agegait.recordings.resampling import ALIKE, alike
from agegait.recordings.walk import Walk
from agegait.skeletons import limbs
from agegait.skeletons.limbs import LimbSummary

_MEASURED = 50
"""Frames of each walk that limbs are measured on."""

_ALIKE = 2.0
"""How many times longer or shorter than most a walk's limbs may be: units differ by more, people by less."""


@dataclass(frozen=True, eq=False)
class FolderSurvey:
    """What was found.

    Attributes:
        identical: Names of walks that are one and the same recording, in groups.
        limbs: Lengths of limbs over all walks.
        faults: What of the limbs makes no sense; empty where all do.
        remarks: What else a user should know.
        frame_rate: Hz, that of most walks that say theirs, or the one wanted; None where none does.
        shared: Names of walks of two people that have frames in common.
    """

    identical: tuple[tuple[str, ...], ...]
    limbs: LimbSummary
    faults: tuple[str, ...]
    remarks: tuple[str, ...]
    frame_rate: float | None = None
    shared: tuple[tuple[str, str], ...] = ()


def survey(walks: Iterable[tuple[FolderWalk, Walk]], frame_rate: float | None = None) -> FolderSurvey:
    """Looks through walks, one at a time.

    Args:
        walks: Where each walk is, and what it is; at least one.
        frame_rate: Hz to which walks will be brought; that of most of them where absent.
    """
    recordings, remarks = defaultdict(list), defaultdict(list)
    samples: dict[FolderWalk, dict[str, np.ndarray]] = {}
    rates, descriptors = [], []
    for where, walk in walks:
        recordings[hashlib.sha256(walk.skeleton.tobytes()).digest()].append(where.name)
        for remark in walk.remarks:
            remarks[remark].append(where.name)
        rates.append(walk.frame_rate)
        descriptors.append(frame_descriptors(walk.skeleton))
        some = np.unique(np.linspace(0, len(walk.skeleton) - 1, _MEASURED).round().astype(int))
        samples[where] = {"skeleton": walk.skeleton[some], "tracked": walk.tracked[some]}
    identical = tuple(tuple(names) for names in recordings.values() if len(names) > 1)
    names, persons = [where.name for where in samples], [where.person for where in samples]
    shared = [(names[one], names[other]) for one, other in with_frames_in_common(descriptors, persons)]
    summary = limbs.summarize(samples.values())
    frame_rate = frame_rate or _common_rate(rates)
    faults = [*_scale_faults(samples), *limbs.faults(summary)]
    return FolderSurvey(
        identical,
        summary,
        tuple(faults),
        (
            *(f"one recording under several names, to be trained on alone: {listed(names)}" for names in identical),
            *(f"{remark} ({listed(names)})" for remark, names in remarks.items()),
            *_rate_remarks(rates, frame_rate),
            *([] if faults else _person_faults(samples)),
        ),
        frame_rate,
        tuple(shared),
    )


def _scale_faults(samples: Mapping[FolderWalk, Mapping[str, np.ndarray]]) -> list[str]:
    """Walks in other units than most, which the medians over all walks would hide."""
    sizes = np.array([np.median(limbs.limb_lengths(sample["skeleton"]).sum(axis=-1)) for sample in samples.values()])
    times = np.divide(sizes, np.median(sizes), where=np.median(sizes) > 0, out=np.ones_like(sizes))
    return [
        f"{where.name}: limbs are {ratio:.3g} times as long as in most walks, are its units others?"
        for where, ratio in zip(samples, times, strict=True)
        if not 1 / _ALIKE <= ratio <= _ALIKE
    ]


def _person_faults(samples: Mapping[FolderWalk, Mapping[str, np.ndarray]]) -> list[str]:
    """What of single people's limbs makes no sense."""
    own = defaultdict(list)
    for where, sample in samples.items():
        own[where.person].append(sample)
    found = {person: limbs.faults(limbs.summarize(of_person)) for person, of_person in own.items()}
    return [f"limbs of {person} make no sense: {faults[0]}" for person, faults in found.items() if faults]


def _common_rate(rates: Sequence[float | None]) -> float | None:
    """The rate that most walks need not be resampled to, of those who say theirs; the highest of such rates."""
    known = np.sort([rate for rate in rates if rate is not None])
    if not len(known):
        return None
    first, end = np.searchsorted(known, (1 - ALIKE) * known), np.searchsorted(known, (1 + ALIKE) * known, "right")
    most = np.flatnonzero(end - first == (end - first).max())[-1]
    return float(np.median(known[first[most] : end[most]]))


def _rate_remarks(rates: Sequence[float | None], frame_rate: float | None) -> Iterator[str]:
    known = [rate for rate in rates if rate is not None]
    if frame_rate is None:
        return
    if len(known) < len(rates):
        count = f"{len(rates) - len(known)} of {len(rates)} walks" if known else "walks"
        yield f"the frame rate of {count} is not known, taken as {frame_rate:.4g} Hz"
    if others := [rate for rate in known if not alike(rate, frame_rate)]:
        span = " to ".join(dict.fromkeys(f"{rate:.3g}" for rate in (min(others), max(others))))
        yield f"{len(others)} of {len(rates)} walks, at {span} Hz, are resampled to {frame_rate:.4g} Hz"
