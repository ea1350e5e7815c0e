"""What is to be known of a folder's walks before anyone trains on them."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agegait.data.folder.layout import FolderWalk
from agegait.data.folder.shared_frames import frame_descriptors, with_frames_in_common
from agegait.recordings.recording import listed
from agegait.recordings.walk import Walk
from agegait.skeletons import limbs
from agegait.skeletons.limbs import LimbSummary

_MEASURED = 50
"""Frames of each walk that limbs are measured on."""

_ALIKE = 2.0
"""How many times longer or shorter than most a walk's limbs may be: units differ by more, people by less."""

_ONE_RATE = 1.2
"""By which factor frame rates of one folder may differ and still be taken for one."""


@dataclass(frozen=True, eq=False)
class FolderSurvey:
    """What was found.

    Attributes:
        identical: Names of walks that are one and the same recording, in groups.
        limbs: Lengths of limbs over all walks.
        faults: What of the limbs makes no sense; empty where all do.
        remarks: What else a user should know.
        frame_rate: Hz, of the walks that say so; None where they differ, or none does.
        shared: Names of walks of two people that have frames in common.
    """

    identical: tuple[tuple[str, ...], ...]
    limbs: LimbSummary
    faults: tuple[str, ...]
    remarks: tuple[str, ...]
    frame_rate: float | None = None
    shared: tuple[tuple[str, str], ...] = ()


def survey(walks: Iterable[tuple[FolderWalk, Walk]]) -> FolderSurvey:
    """Looks through walks, one at a time.

    Args:
        walks: Where each walk is, and what it is; at least one.
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
    faults = [*_scale_faults(samples), *limbs.faults(summary)]
    return FolderSurvey(
        identical,
        summary,
        tuple(faults),
        (
            *(f"one recording under several names, to be trained on alone: {listed(names)}" for names in identical),
            *(f"{remark} ({listed(names)})" for remark, names in remarks.items()),
            *_rate_remarks(rates),
            *([] if faults else _person_faults(samples)),
        ),
        _common_rate(rates),
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
    known = [rate for rate in rates if rate is not None]
    return float(np.median(known)) if known and max(known) <= _ONE_RATE * min(known) else None


def _rate_remarks(rates: Sequence[float | None]) -> list[str]:
    known = [rate for rate in rates if rate is not None]
    if known and len(known) < len(rates):
        return [f"the frame rate of {len(rates) - len(known)} of {len(rates)} walks is not known"]
    if known and max(known) > _ONE_RATE * min(known):
        return [f"frame rates differ, from {min(known):.3g} to {max(known):.3g} Hz; resample brings them to one"]
    return []
