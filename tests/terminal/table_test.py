"""One table, for the terminal, Markdown and templates."""

import io

from agegait.terminal.console import TextConsole
from agegait.terminal.table import Cell, Column, Table

TABLE = Table(
    "figures",
    (Column("row", number=False), Column("Rank-1 share")),
    ((Cell("a|b"), Cell("12.5", "3 to 20")), (Cell("[red]c"), Cell(""))),
    caption="below",
    bold=1,
)


def test_markdown_has_every_cell_and_keeps_to_its_columns():
    assert TABLE.markdown() == [
        "| row | Rank-1 share |",
        "| --- | ---: |",
        "| a\\|b | 12.5 (3 to 20) |",
        "| [red]c |  |",
    ]
    assert TABLE.without_details().markdown()[2] == "| a\\|b | 12.5 |"


def test_the_terminal_shows_text_as_it_is():
    console = TextConsole(file=io.StringIO(), width=60)
    console.print(TABLE)
    lines = [line.strip() for line in console.file.getvalue().splitlines()]
    assert lines[0] == "figures"
    assert "a|b     12.5 (3 to 20)" in lines
    assert "[red]c" in lines
    assert lines[-1] == "below"
