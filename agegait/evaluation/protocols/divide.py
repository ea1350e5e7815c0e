import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np


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


def at_least_four(persons: np.ndarray) -> np.ndarray:
    """The people, each once; with fewer nobody could choose thresholds for strangers."""
    people = np.unique(persons)
    if len(people) < 4:
        raise ValueError(f"probe_persons: expected at least four people to divide, received {len(people)}.")
    return people
