"""Numbers as files may write them."""

import re

import numpy as np

# Each is matched in linear time: no text can be divided among its parts in more than one way.
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
"""A finite number with a decimal point."""

DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
"""One with a decimal comma."""


def to_float64(array: np.ndarray) -> np.ndarray:
    """Numbers of any type as float64, and every kind of NaN as the plain one: NumPy warns wherever it meets others."""
    with np.errstate(invalid="ignore"):
        array = np.array(array, "float64")
        array[np.isnan(array)] = np.nan
    return array
