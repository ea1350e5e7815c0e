"""Evaluation protocols, each by its name and never mixed: their figures are not to be compared."""

from dataclasses import dataclass

import numpy as np

from agegait import metrics

RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Recognition:
    """Closed-set recognition: the same people in training and test, other walks.

    Attributes:
        samples: Windows or walks that were named.
        rank: Rank-k for k of 1, 5 and 10, as far as there are as many people.
        nauc_cmc: Normalized area under the CMC curve, as the paper words it.
        nauc_roc: Micro-averaged one-vs-rest ROC area over the logits, as the published code computes its nAUC.
    """

    samples: int
    rank: dict[int, float]
    nauc_cmc: float
    nauc_roc: float


@dataclass(frozen=True)
class Retrieval:
    """A search: each probe against a gallery, by distance between features; another protocol than recognition.

    Attributes:
        samples: Probes that were searched for.
        gallery: Entries of the gallery.
        rank: Rank-k for k of 1, 5 and 10, as far as the gallery has as many entries.
        mean_average_precision: mAP.
    """

    samples: int
    gallery: int
    rank: dict[int, float]
    mean_average_precision: float


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
        rank={k: float(cmc[k - 1]) for k in RANKS if k <= len(cmc)},
        nauc_cmc=metrics.nauc_cmc(logits, persons),
        nauc_roc=metrics.nauc_roc(logits, persons),
    )


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

    Args:
        probes: `[P, D]` features.
        probe_persons: `[P]`.
        gallery: `[G, D]` features.
        gallery_persons: `[G]`.

    Raises:
        ValueError: As `agegait.metrics`; a probe's person is not in the gallery.
    """
    mean, scale = gallery.mean(axis=0), gallery.std(axis=0)
    scale = np.where(scale > 0, scale, 1)
    probes, gallery = (probes - mean) / scale, (gallery - mean) / scale
    squares = (probes**2).sum(axis=1)[:, None] + (gallery**2).sum(axis=1) - 2 * probes @ gallery.T
    distances = np.sqrt(np.maximum(squares, 0))
    cmc = metrics.retrieval_cmc(distances, probe_persons, gallery_persons)
    return Retrieval(
        samples=len(probes),
        gallery=len(gallery),
        rank={k: float(cmc[k - 1]) for k in RANKS if k <= len(cmc)},
        mean_average_precision=metrics.mean_average_precision(distances, probe_persons, gallery_persons),
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
