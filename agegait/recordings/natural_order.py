"""The order of names with numbers in them."""

import re


def natural(name: str) -> tuple[list[str | int], str]:
    """What sorts names with the numbers in them as numbers: `w2` before `w10`."""
    parts = re.split("([0-9]+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name
