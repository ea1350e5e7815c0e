"""Which walks are for training, validation or the test, where nobody has said so."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence


def draw_split(
    walks: Mapping[str, Sequence[str]],
    identical: Collection[Collection[str]] = (),
    seed: int = 0,
    validated: float = 1.0,
) -> dict[str, str]:
    """Draws a split that is the same on every machine: one walk of each person for the test, one for validation.

    The order of drawing is that of the SHA-256 digests of "<seed>/<name>", so that no version of a random number
    generator has a say, and a person's split does not depend on the others'. Of a person's recordings, the first in
    that order is the test, if there are two; the next is validation, if there are three; the rest is for training.

    Args:
        walks: Names of the walks of each person, all different.
        identical: Walks that are one and the same recording. They are never drawn, so that they stay together.
        seed: Another seed draws another split.
        validated: Share of people of whom a walk is drawn for validation; the first in the order of drawing.

    Returns:
        `"train"`, `"validation"` or `"test"` by walk, in the order of the walks.

    Example:
        >>> draw_split({"anna": ["anna/1", "anna/2", "anna/3"], "ben": ["ben/1"]})
        {'anna/1': 'validation', 'anna/2': 'train', 'anna/3': 'test', 'ben/1': 'train'}
    """

    def digest(name: str) -> str:
        return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()

    recordings = {walk: number for number, group in enumerate(identical) for walk in group}
    chosen = set(sorted(walks, key=digest)[: int(len(walks) * validated)])
    split = {walk: "train" for own in walks.values() for walk in own}
    for person, own in walks.items():
        spare = len({recordings.get(walk, walk) for walk in own}) - 1
        drawn = sorted((walk for walk in own if walk not in recordings), key=digest)[:spare]
        split.update(zip(drawn, ("test", "validation") if person in chosen else ("test",), strict=False))
    return split


def kept_split(walks: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """An earlier split, which walks that were added since do not change: nobody has trained on them, so they are tests.

    Args:
        walks: Names of the walks that are there now.
        known: The earlier split of walks, as of `draw_split`.

    Example:
        >>> kept_split(["anna/1", "anna/2"], {"anna/1": "train"})
        {'anna/1': 'train', 'anna/2': 'test'}
    """
    return {walk: known.get(walk, "test") for walk in walks}
