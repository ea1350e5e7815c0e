from pathlib import Path

from agegait.whole_file import whole_file


def write_aside(path: Path, text: str) -> None:
    """Writes a text as a file, whole or not at all, see `whole_file`."""
    with whole_file(path) as aside:
        aside.write_text(text)
