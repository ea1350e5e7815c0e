import argparse
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from agegait.cli.argument_parser import ArgumentParser, suggestion, text_width

_INDENT = 13
"""Where what a command does begins, in the list of commands."""

_NARROW = 60
"""In fewer columns it begins on a line of its own."""


class CommandParser(ArgumentParser):
    """A parser of several commands, whose help lists them by what they are for.

    Args:
        groups: Titles, and the commands under each.
        more: The last line of its help: where to read about each command.
        options: As of `ArgumentParser`.
    """

    def __init__(self, groups: Mapping[str, Sequence[str]], more: str, **options: Any) -> None:
        super().__init__(add_help=False, **options)
        self.groups = groups
        self._more = more
        self.commands: dict[str, ArgumentParser] = {}
        self._texts: dict[str, str] = {}
        self._options: dict[str, str] = {}
        # A function serves as well as a class: argparse calls it.
        self._added: argparse._SubParsersAction[ArgumentParser] = self.add_subparsers(  # type: ignore[call-overload]
            metavar="COMMAND", parser_class=_parser
        )

    def add_flag(self, *names: str, text: str, **options: Any) -> None:
        """Adds an option that comes before any command."""
        self._options[", ".join(names)] = text
        self.add_argument(*names, help=text, **options)

    def add_command(
        self, name: str, run: Callable[[argparse.Namespace], None], text: str, *examples: str
    ) -> ArgumentParser:
        """Adds a command, whose parser it returns.

        Args:
            name: Of the command.
            run: Called with what was parsed, which has it as `run`.
            text: What it does, in a line.
            examples: Command lines.
        """
        added = self._added.add_parser(name, description=text[0].upper() + text[1:] + ".", examples=examples)
        added.set_defaults(run=run)
        self.commands[name], self._texts[name] = added, text
        return added

    def add_group(self, name: str, text: str, groups: Mapping[str, Sequence[str]], *examples: str) -> "CommandParser":
        """Adds a command that has commands of its own; alone it prints its help.

        Args:
            name: Of the command.
            text: What they are for, in a line.
            groups: Titles, and the commands under each.
            examples: Command lines.

        Returns:
            Its parser.
        """
        more = f"See `{self.prog} {name} COMMAND --help` for options and defaults."
        description = text[0].upper() + text[1:] + "."
        how: dict[str, Any] = {"groups": groups, "more": more, "description": description, "examples": examples}
        added = cast(CommandParser, self._added.add_parser(name, **how))
        added.add_flag("-h", "--help", text="show this help", action="help")
        added.set_defaults(run=lambda options: added.print_help())
        self.commands[name], self._texts[name] = added, text
        return added

    def check_options(self, words: Any) -> None:
        """Refuses a command that is not known, and options before it."""
        words = list(words)
        command = next((number for number, word in enumerate(words) if not word.startswith("-")), len(words))
        super().check_options(words[:command])
        if command < len(words):
            self.check_command(words[command])

    def check_command(self, name: str) -> None:
        """Refuses a command that is not known."""
        if name not in self.commands:
            self.error(f"unknown command {name}{suggestion(name, self.commands)}")

    def format_help(self) -> str:
        """The help: usage, commands, options."""
        width = text_width()
        usage = textwrap.wrap(f"usage: {self.prog} COMMAND [OPTION ...]", width, subsequent_indent="  ")
        lines = [*usage, "", *textwrap.wrap(self.description or "", width)]
        for title, names in self.groups.items():
            lines += ["", f"{title}:"]
            for name in names:
                lines += _entry(name, self._texts[name], width)
        lines += ["", "Options:"]
        for names_of_option, text in self._options.items():
            lines += _entry(names_of_option, text, width)
        lines += ["", *textwrap.wrap(self._more, width)]
        if self.epilog:
            lines += ["", self.epilog]
        return "\n".join([*lines, ""])


def _parser(**options: Any) -> ArgumentParser:
    return CommandParser(**options) if "groups" in options else ArgumentParser(**options)


def _entry(name: str, text: str, width: int) -> list[str]:
    if width < _NARROW:
        return [f"  {name}", *textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="    ")]
    first = f"  {name}".ljust(_INDENT + 2)
    if not first.endswith(" "):
        indent = " " * (_INDENT + 2)
        return [first, *textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)]
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=" " * len(first))
