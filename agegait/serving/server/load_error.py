_MAX_MESSAGE = 300


class LoadError(Exception):
    """A version that does not load, in words that callers may read.

    Args:
        message: What is wrong with which file of the version's folder. Absolute paths and names of graph nodes do not
            belong in it. It is kept to one short line.
    """

    def __init__(self, message: str) -> None:
        line = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in message)
        super().__init__(line if len(line) <= _MAX_MESSAGE else f"{line[: _MAX_MESSAGE - 3]}...")
