"""What names have in common that people would take for one."""

import re
import unicodedata

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Joiners and fillers of letters, variation selectors and others that are not to be seen themselves: Unicode's
`Default_Ignorable_Code_Point`."""

_BRAILLE_BLANK = "\u2800"


def plain_name(name: str) -> str:
    """A name without case, superfluous blanks, what is not to be seen, and ways of writing an accent."""
    seen = _UNSEEN.sub("", name).replace(_BRAILLE_BLANK, " ")
    return unicodedata.normalize("NFC", " ".join(seen.split()).casefold())


def plain_person(name: str) -> str:
    """A person's name as of `plain_name`, numbers in it without leading zeros."""
    return re.sub("(?<![0-9])0+(?=[0-9])", "", plain_name(name))
