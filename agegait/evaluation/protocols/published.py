from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from agegait import metrics
from agegait.evaluation.protocols.recognition import Recognition, recognition


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
