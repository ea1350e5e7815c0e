"""Text of unknown origin, such as names of files and people and what a server answers, made harmless to show."""

import unicodedata

_JOINERS = "\u200c\u200d"
"""Names in Persian and in languages of India are spelt with them."""

_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    r"""Text in which all that is not to be seen, or acts on a terminal or on the order of letters, is an escape.

    That is every control and format character but the joiners of letters, line and paragraph separators, bytes of
    file names that are no UTF-8, and what Unicode does not know. All else stays as it is, so that text made visible
    twice is the same as once.

    Example:
        >>> print(visible("anna\x1b[2J\n"))
        anna\x1b[2J\n
    """
    if text.isprintable():
        return text
    return "".join(character if _is_seen(character) else _escape(character) for character in text)


def _is_seen(character: str) -> bool:
    return character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs"


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that Python could not decode
        code -= 0xDC00
    if code < 0x100:
        return _ESCAPES.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
