"""Which way is up in a recording, and how it is turned until y is."""

import numpy as np

UPS: dict[str, np.ndarray] = {
    "y": np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    "-y": np.array([[-1, 0, 0], [0, -1, 0], [0, 0, 1]]),
    "z": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "-z": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "x": np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
    "-x": np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
}
"""Turns that bring each axis up, to y. All are turns, of determinant 1: a mirror would exchange left and right."""

_UPRIGHT = 0.7
"""Least cosine between an axis and a body, from the feet to the head, that stands along it."""


def turned(coordinates: np.ndarray, up: str) -> np.ndarray:
    """Turns coordinates [..., 3] of which the axis `up` points up, so that y does."""
    return coordinates @ UPS[up].T.astype(coordinates.dtype)


def standing_along(body: np.ndarray) -> str | None:
    """The axis that a body stands along.

    Args:
        body: [T, 3], from the feet to the head, NaN where one of them is not known.

    Returns:
        A key of `UPS`; None where it stands along no axis.
    """
    lengths = np.linalg.norm(body, axis=-1, keepdims=True)
    known = np.isfinite(body).all(axis=-1) & (lengths[:, 0] > 0)
    if not known.any():
        return None
    cosines = np.median(body[known] / lengths[known], axis=0)
    axis = int(np.abs(cosines).argmax())
    if abs(cosines[axis]) < _UPRIGHT:
        return None
    return ("-" if cosines[axis] < 0 else "") + "xyz"[axis]
