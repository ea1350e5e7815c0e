"""What names have in common that people would take for one."""

import re
import unicodedata

_JOINERS = re.compile("[\u200c\u200d]")
"""They join letters or keep them apart, and are not to be seen themselves."""


def plain_name(name: str) -> str:
    """A name without case, superfluous blanks, joiners of letters and ways of writing an accent."""
    return unicodedata.normalize("NFC", " ".join(_JOINERS.sub("", name).split()).casefold())


def plain_person(name: str) -> str:
    """A person's name as of `plain_name`, numbers in it without leading zeros."""
    return re.sub("(?<![0-9])0+(?=[0-9])", "", plain_name(name))
