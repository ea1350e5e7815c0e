"""Which walks and clips are looked for among which: drawn by digests."""

import hashlib

import numpy as np


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
