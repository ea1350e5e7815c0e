"""Who is trained on and who is tested: people in groups that share nobody, drawn by digests."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class PersonDivision:
    """People in three groups that share nobody.

    Attributes:
        training: People to learn from.
        validation: People to choose by: epochs, settings, thresholds.
        tested: People who are tested.
    """

    training: np.ndarray
    validation: np.ndarray
    tested: np.ndarray


def divide_persons(
    persons: Any, test_share: float = 0.4, validation_share: float = 0.1, seed: int = 0
) -> PersonDivision:
    """Divides people in the order of the SHA-256 digests of "<seed>/<person>", the tested first.

    Args:
        persons: Labels or names; each person counts once.
        test_share: Share of the people who are tested, rounded.
        validation_share: Share of the people to choose by, rounded.
        seed: Another seed divides otherwise.

    Raises:
        ValueError: Fewer than two people to train on or to test, or shares out of range.

    Example:
        >>> division = agegait.data.divide_persons(["anna", "ben", "carla", "dora", "emil"])
        >>> len(division.training), len(division.validation), len(division.tested)
        (3, 0, 2)
    """
    people = np.unique(persons)
    tested, validation = round(test_share * len(people)), round(validation_share * len(people))
    if min(test_share, validation_share) < 0 or tested < 2 or len(people) - tested - validation < 2:
        raise ValueError(
            f"persons: expected at least two people to train on and two to test, received {len(people)} in shares of "
            f"{test_share} to test and {validation_share} to choose by."
        )
    order = np.array(sorted(people, key=lambda person: hashlib.sha256(f"{seed}/{person}".encode()).hexdigest()))
    return PersonDivision(order[tested + validation :], order[tested : tested + validation], order[:tested])
