"""Where everything that is printed goes: as text, never as markup, and nothing in it acts on the terminal."""

import sys
import time
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from agegait.terminal.visible_text import visible

_last_printed = float("-inf")


def last_printed() -> float:
    """When a `TextConsole` of this process last printed something, on the clock of `time.monotonic`."""
    return _last_printed


class TextConsole(Console):
    """A rich console that shows strings as they are: no markup, no emoji codes, no colours for numbers and paths.

    What names of people and files, answers and errors hold besides letters is made visible, line breaks too: who wants
    lines prints several strings, or a `rich.text.Text`, in which line breaks and styles alone have an effect.

    Args:
        options: As of `rich.console.Console`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """As of `Console`; when it was is remembered, see `last_printed`."""
        super().print(*objects, **options)
        global _last_printed
        _last_printed = time.monotonic()

    def render_str(self, text: str, **options: Any) -> Text:
        """As of `Console`, which makes a `Text` here of every string, cells of tables among them."""
        return super().render_str(visible(text), **{**options, "markup": False, "emoji": False})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As of `Console`, which comes by here with every `Text`."""
        if isinstance(renderable, Text):
            renderable = _harmless(renderable)
        return super().render(renderable, options)


def output(**options: Any) -> TextConsole:
    """For results."""
    # A file or a pipe has no width to keep to.
    return TextConsole(**{"width": None if sys.stdout.isatty() else 120, **options})


def errors() -> TextConsole:
    """For what went wrong, and what is under way."""
    return TextConsole(stderr=True)


def _harmless(text: Text) -> Text:
    lines = text.plain.split("\n")
    if all(visible(line) == line for line in lines):
        return text
    return text.blank_copy("\n".join(map(visible, lines)))
