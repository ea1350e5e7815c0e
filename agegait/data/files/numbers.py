"""Numbers as texts may write them."""

import re

# Each is matched in linear time: no text can be divided among its parts in more than one way.
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
"""A finite number with a decimal point."""

DECIMAL_COMMA = re.compile(r"[+-]?[0-9.]*,[0-9]+([eE][+-]?[0-9]+)?")
"""One with a decimal comma, which is not read."""
