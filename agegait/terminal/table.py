from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.console import OverflowMethod
    from rich.table import Table as RichTable


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        heading: What stands above it.
        number: Whether its cells are numbers, which stand to the right.
        wrap: Whether its cells may break into lines.
    """

    heading: str
    number: bool = True
    wrap: bool = False


class Cell(NamedTuple):
    """A cell of a table.

    Attributes:
        text: What it says.
        detail: What goes with it where there is room, such as an interval.
    """

    text: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.text} ({self.detail})" if self.detail else self.text


@dataclass(frozen=True)
class Table:
    """A table of text, for the terminal, Markdown and HTML alike: rich prints it, templates read it.

    Attributes:
        title: What stands above it.
        columns: Its columns.
        rows: The cells of each row.
        about: What the table shows, in a sentence or two.
        caption: What stands below it.
        bold: Number of the row that stands out on the terminal; None for none.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    about: str = ""
    caption: str = ""
    bold: int | None = None

    def without_details(self) -> Table:
        """The same table with the text of each cell alone."""
        return replace(self, rows=tuple(tuple(Cell(cell.text) for cell in row) for row in self.rows))

    def markdown(self) -> list[str]:
        """The lines of the table in Markdown, without its title."""
        rule = ["---:" if column.number else "---" for column in self.columns]
        lines = [[column.heading for column in self.columns], rule, *(map(str, row) for row in self.rows)]
        return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]

    def __rich__(self) -> RichTable:
        from rich import box
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(
            title=self.title,
            title_justify="left",
            title_style="bold",
            caption=self.caption or None,
            caption_justify="left",
            box=box.SIMPLE,
            collapse_padding=True,
            pad_edge=False,
        )
        for heading, number, wrap in self.columns:
            text = Text(heading.replace(" ", "\n", 1)) if number else heading
            overflow: OverflowMethod = "fold" if wrap else "ellipsis"  # a long name without a blank is to be read, too
            table.add_column(text, justify="right" if number else "left", no_wrap=not wrap, overflow=overflow)
        for index, row in enumerate(self.rows):
            table.add_row(*map(str, row), style="bold" if index == self.bold else None)
        return table
