import dataclasses
import hashlib
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from agegait.data import Walks, divide_persons
from agegait.evaluation.protocols.retrieval import Retrieval, retrieval
from agegait.evaluation.protocols.strangers import Embed, checked_embeddings

PEOPLE = ("closed", "open")
"""Whether the people who are tested were trained on, by other walks."""

GALLERY_WALKS = 2
"""Walks of a person in the gallery; one of who has three in all."""


@dataclasses.dataclass(frozen=True)
class WindowRetrieval(Retrieval):
    """Retrieval of single windows, as papers after AGEs report it on KGBD.

    Attributes:
        people: `"closed"`: the people tested were trained on, by walks that are neither probes nor gallery. `"open"`:
            nobody tested was.
        frames: Frames f of a window.
    """

    protocol: ClassVar[str] = "window retrieval"
    about: ClassVar[str] = (
        "Each window of one walk of each person is compared with the windows of two other walks of each person, as "
        "papers after AGEs do it: Ranks are counted in windows. No walk of probes or gallery was trained on. Closed: "
        "other walks of the people tested were trained on. Open: nobody tested was. The published figures are closed."
    )

    people: str
    frames: int


def window_retrieval(
    walks: Walks,
    learn: Callable[[Walks, Walks], Embed],
    people: str = "closed",
    frames: int = 6,
    seed: int = 0,
) -> WindowRetrieval:
    """Retrieval of windows by the distance of their embeddings.

    Of each person, in the order of the digests of "<seed>/<walk>", the first walk is cut into probes and the next two
    into the gallery, one where the person has three walks in all. With `people="closed"`, all further walks are those
    to learn from; who has fewer than three is left out. With `people="open"`, people are divided as in `strangers`.
    Windows do not overlap.

    Args:
        walks: Everybody's walks.
        learn: As of `strangers`; what it returns embeds windows. Closed, there is nobody to validate by.
        people: One of `PEOPLE`.
        frames: Frames of a window.
        seed: Of what is drawn.

    Raises:
        ValueError: Too few people or walks, no walk as long as a window, or embeddings that are not finite.

    Example:
        >>> window_retrieval(walks, lambda training, _: EmbedderTraining("persons", frames=(6, 6)).fit(training).embed)
    """
    if people not in PEOPLE:
        raise ValueError(f"people: expected one of {', '.join(PEOPLE)}, received {people!r}.")
    if people == "closed":
        rest, gallery, probes = divide_walks(walks, training=True, seed=seed)
        embed = learn(walks.take(rest), walks.take([]))
        return _searched(walks.take(probes), walks.take(gallery), embed, people, frames)
    division = divide_persons(walks.persons, seed=seed)
    embed = learn(walks.of_persons(division.training), walks.of_persons(division.validation))
    return retrieve_stranger_windows(walks.of_persons(division.tested), embed, frames, seed)


def retrieve_stranger_windows(walks: Walks, embed: Embed, frames: int = 6, seed: int = 0) -> WindowRetrieval:
    """What `window_retrieval` does with `people="open"` once people are divided and what embeds windows is trained.

    Args:
        walks: The walks of people whom nothing was learned from.
        embed: What embeds windows.
        frames: Frames of a window.
        seed: Of what is drawn.

    Raises:
        ValueError: As `window_retrieval`.

    Example:
        >>> retrieve_stranger_windows(walks, embedder.embed)
    """
    _, gallery, probes = divide_walks(walks, training=False, seed=seed)
    return _searched(walks.take(probes), walks.take(gallery), embed, "open", frames)


def divide_walks(walks: Walks, training: bool, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of the walks to learn from, of the gallery and of the probes, see `window_retrieval`.

    Args:
        walks: Everybody's walks.
        training: Whether a walk of each person at least is to be left to learn from.
        seed: Of the order.

    Raises:
        ValueError: Fewer than two people with enough walks.
    """
    least = 2 + training
    rest: list[int] = []
    gallery: list[int] = []
    probes: list[int] = []
    for person in np.unique(walks.persons):
        own = sorted(
            np.flatnonzero(walks.persons == person).tolist(),
            key=lambda row: hashlib.sha256(f"{seed}/{walks.names[row]}".encode()).hexdigest(),
        )
        if len(own) < least:
            continue
        enrolled = min(GALLERY_WALKS, len(own) - least + 1)
        probes.append(own[0])
        gallery.extend(own[1 : 1 + enrolled])
        rest.extend(own[1 + enrolled :])
    if len(probes) < 2:
        raise ValueError(f"walks: expected at least two people with {least} walks, received {len(probes)}.")
    return np.array(rest, int), np.array(gallery), np.array(probes)


def _searched(probes: Walks, gallery: Walks, embed: Embed, people: str, frames: int) -> WindowRetrieval:
    found = retrieval(*_windows(probes, frames, embed), *_windows(gallery, frames, embed), standardize=False)
    return WindowRetrieval(**vars(found), people=people, frames=frames)


def _windows(walks: Walks, frames: int, embed: Embed) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings and persons of all windows."""
    windows, places = walks.windows(frames)
    return checked_embeddings(embed(list(windows)), len(windows)), walks.persons[places]
