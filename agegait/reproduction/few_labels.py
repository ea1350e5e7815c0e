"""Which training walks have labels, where few have."""

import hashlib

import numpy as np

from agegait.datasets import Windows


def labelled(windows: Windows, walks: int, seed: int) -> np.ndarray:
    """Which windows are from the walks of each person that are labelled.

    Walks are drawn in the order of the SHA-256 digests of "<seed>/<walk>", so that no version of a random number
    generator has a say, and those of one label are among those of two.

    Args:
        windows: `[M]` training windows.
        walks: Labelled walks of each person; somebody with fewer keeps all.
        seed: Another seed draws others.

    Returns:
        `[M]` booleans.

    Raises:
        ValueError: Nobody has more walks than that.
    """
    chosen: list[str] = []
    most = 0
    for person in np.unique(windows.persons):
        own = np.unique(windows.walks[windows.persons == person]).tolist()
        most = max(most, len(own))
        chosen += sorted(own, key=lambda walk: hashlib.sha256(f"{seed}/{walk}".encode()).hexdigest())[:walks]
    if most <= walks:
        raise ValueError(
            f"rows: labels of {walks} walks a person: expected people with more training walks, found at most {most}."
        )
    return np.isin(windows.walks, chosen)
