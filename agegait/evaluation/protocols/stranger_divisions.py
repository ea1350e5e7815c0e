"""Who is trained on and who is tested, and which walks are looked for among which: drawn by digests."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Division:
    """People in three groups that share nobody.

    Attributes:
        training: People to learn from.
        validation: People to choose by: epochs, settings.
        tested: People who are tested.
    """

    training: np.ndarray
    validation: np.ndarray
    tested: np.ndarray


def divide_strangers(persons: Any, test_share: float = 0.4, validation_share: float = 0.1, seed: int = 0) -> Division:
    """Divides people in the order of the SHA-256 digests of "<seed>/<person>", the tested first.

    Args:
        persons: Labels or names; each person counts once.
        test_share: Share of the people who are tested, rounded.
        validation_share: Share of the people to choose by, rounded.
        seed: Another seed divides otherwise.

    Raises:
        ValueError: Fewer than two people to train on or to test, or shares out of range.
    """
    people = np.unique(persons)
    tested, validation = round(test_share * len(people)), round(validation_share * len(people))
    if min(test_share, validation_share) < 0 or tested < 2 or len(people) - tested - validation < 2:
        raise ValueError(
            f"persons: expected at least two people to train on and two to test, received {len(people)} in shares of "
            f"{test_share} to test and {validation_share} to choose by."
        )
    order = np.array(sorted(people, key=lambda person: _digest(f"{seed}/{person}")))
    return Division(order[tested + validation :], order[tested : tested + validation], order[:tested])


def draw_probes(persons: np.ndarray, names: np.ndarray, draw: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One walk of each person to look for, and the gallery, in the order of the digests of "<draw>/<walk>".

    Args:
        persons: `[W]` each walk's person. People with one walk are left out.
        names: `[W]` each walk's name.
        draw: Another number draws otherwise.

    Returns:
        Places of the probes; of all other walks, the gallery of all walks; of one other walk of each person.

    Raises:
        ValueError: Fewer than two people have two walks.
    """
    probes, every, ones = [], [], []
    for person in np.unique(persons):
        own = sorted(np.flatnonzero(persons == person), key=lambda row: _digest(f"{draw}/{names[row]}"))
        if len(own) > 1:
            probes.append(own[0])
            ones.append(own[1])
            every.extend(own[1:])
    if len(probes) < 2:
        raise ValueError(f"persons: expected at least two people with two walks, received {len(probes)}.")
    return np.array(probes), np.array(every), np.array(ones)


def draw_clip(name: str, frames: int, wanted: int) -> slice | None:
    """Where a walk's clip of so many frames lies, by the digest of "<wanted>/<walk>"; None if the walk is shorter."""
    if frames < wanted:
        return None
    start = int(_digest(f"{wanted}/{name}"), 16) % (frames - wanted + 1)
    return slice(start, start + wanted)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
