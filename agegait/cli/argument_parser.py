import argparse
import difflib
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from agegait.terminal.visible_text import visible

_CHOICE = re.compile(r"invalid choice: '?(.*?)'? \(choose from (.*)\)$")


_MOST_CHOICES = 9
"""More are for the help to list."""


class ArgumentParser(argparse.ArgumentParser):
    """A parser whose errors are two lines: what was expected, and where to read more. A typo gets a suggestion.

    Args:
        examples: Command lines, shown at the end of the help.
        options: As of `argparse.ArgumentParser`.
    """

    def __init__(self, *, examples: Sequence[str] = (), **options: Any) -> None:
        epilog = "\n  ".join(("examples:", *examples)) if examples else None
        super().__init__(epilog=epilog, formatter_class=_Formatter, **options)
        self.set_defaults(parser=self)

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """As of `argparse.ArgumentParser`; what a command does not know is refused in its own name."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            parsed.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        return parsed

    def format_help(self) -> str:
        """The help, with a usage of one line: most commands have tens of options."""
        if self.usage is None:
            words = [self.prog, "[OPTION ...]"]
            for action in self._actions:
                shown = str(action.metavar or action.dest)
                if not action.option_strings:
                    words.append({"+": f"{shown} ...", "?": f"[{shown}]"}.get(str(action.nargs), shown))
                elif action.required:
                    words.insert(2, f"{action.option_strings[-1]} {shown}")
            self.usage = " ".join(words)
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Prints what is wrong, and exits with status 2."""
        unknown = message.removeprefix("unrecognized arguments: ")
        if unknown != message:
            word = unknown.split("=")[0].split()[0]
            kind = "option" if word.startswith("-") else "argument"
            message = f"expected no {kind} {word}{_suggestion(word, self._option_string_actions)}"
        elif choice := _CHOICE.search(message):
            received, choices = choice[1], re.findall(r"[^',\s]+", choice[2])
            expected = f"one of {', '.join(choices)}" if len(choices) < _MOST_CHOICES else "a known name"
            name = message[: choice.start()].removeprefix("argument ")
            message = f"{name}expected {expected}, received {received}{_suggestion(received, choices)}"
        elif missing := re.match("the following arguments are required: (.*)", message):
            message = f"expected {missing[1]}, received none"
        else:
            message = message.removeprefix("argument ")
        self.exit(
            2,
            visible(f"{self.prog}: {message if message.endswith(('.', '?')) else message + '.'}")
            + f"\nSee {self.prog} --help.\n",
        )


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the examples line by line, and wraps the description, which is one paragraph."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("examples:"):
            return super()._fill_text(text, width, indent)
        return argparse.HelpFormatter._fill_text(self, text, width, indent)


def _suggestion(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f". Did you mean {near[0]}?" if near else ""
