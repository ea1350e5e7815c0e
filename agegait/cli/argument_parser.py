import argparse
import difflib
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from agegait.terminal.visible_text import visible

_CHOICE = re.compile(r"invalid choice: '?(.*?)'? \(choose from (.*)\)$")
_REWORDED = (
    (r"(.+): invalid int value: (.*)", r"\1: expected a whole number, received \2"),
    (r"(.+): invalid float value: (.*)", r"\1: expected a number, received \2"),
    (r"(.+): invalid int or none value: (.*)", r"\1: expected a whole number or none, received \2"),
    (r"(.+): invalid float or none value: (.*)", r"\1: expected a number or none, received \2"),
    (r"(.+): expected (one|at least one) argument", r"\1: expected \2 value, received none"),
    (r"(.+): ignored explicit argument (.*)", r"\1: expected no value, received \2"),
    (r"(.+): not allowed with argument (.*)", r"\1: expected without \2"),
    (r"the following arguments are required: (.*)", r"expected \1, received none"),
    (r"one of the arguments (--\S+) (--\S+) is required", r"expected \1 or \2, received neither"),
)
"""What argparse says, in the form of our other messages."""
_OPTION = re.compile(r"(--?[A-Za-z][^\s=]*)(=.*)?", re.DOTALL)


# argparse has no public way to list a parser's options: `_actions` and `_option_string_actions` are the same from
# Python 3.11 to 3.13, and are read in this file alone.
class ArgumentParser(argparse.ArgumentParser):
    """A parser whose errors are two lines: what was expected, and where to read more. A typo gets a suggestion.

    What was parsed has the parser of its command as `parser`.

    Args:
        examples: Command lines, shown at the end of the help.
        options: As of `argparse.ArgumentParser`.
    """

    def __init__(self, *, examples: Sequence[str] = (), **options: Any) -> None:
        epilog = "\n  ".join(("examples:", *examples)) if examples else None
        options = {"epilog": epilog, "formatter_class": _Formatter, "allow_abbrev": False, **options}
        super().__init__(**options)
        self.set_defaults(parser=self)

    @property
    def option_names(self) -> dict[str, str]:
        """Each option or argument, by the name that its value has in what was parsed."""
        return {
            action.dest: action.option_strings[0] if action.option_strings else str(action.metavar)
            for action in self._actions
        }

    def parse_args(  # type: ignore[override]  # argparse has overloads for namespaces
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """As of `argparse.ArgumentParser`; what a command does not know is refused in its own name."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            parsed.parser.error(f"unexpected argument {unknown[0]}")
        return parsed

    def parse_known_args(  # type: ignore[override]  # as above
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """As of `argparse.ArgumentParser`, which would say what is missing before it says what is unknown."""
        words = _with_axes(sys.argv[1:] if args is None else args)
        self.check_options(words)
        return super().parse_known_args(words, namespace)

    def check_options(self, words: Iterable[str]) -> None:
        """Refuses options that are not known."""
        for word in words:
            if word == "--":
                return
            found = _OPTION.fullmatch(word)
            if found and found[1] not in self._option_string_actions:
                self.error(f"unknown option {found[1]}{suggestion(found[1], self._option_string_actions)}")

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
            self.usage = textwrap.fill(" ".join(words), text_width() - len("usage: "), subsequent_indent="  ")
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Prints what is wrong, and exits with status 2."""
        message = message.removeprefix("argument ")
        if choice := _CHOICE.search(message):
            received, choices = choice[1], re.findall(r"[^',\s]+", choice[2])
            near = suggestion(received, choices)
            message = f"{message[: choice.start()]}expected one of {', '.join(choices)}, received {received}{near}"
        for pattern, text in _REWORDED:
            message = re.sub(f"^{pattern}$", text, message)
        text = visible(f"{self.prog}: {message if message.endswith(('.', '?')) else message + '.'}")
        self.exit(2, f"{text}\nSee {self.prog} --help.\n")


def _with_axes(words: Sequence[str]) -> list[str]:
    """The words of a command line, in which `--up -y` is one: argparse takes any value with a - for an option."""
    joined: list[str] = []
    for word in words:
        if joined[-1:] == ["--up"] and word in ("-x", "-y", "-z"):
            joined[-1] = f"--up={word}"
        else:
            joined.append(word)
    return joined


def suggestion(word: str, known: Iterable[str]) -> str:
    """A question that names the known word that is most like another, if any is."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f". Did you mean {near[0]}?" if near else ""


def text_width() -> int:
    """Columns of a help text: those of the terminal, but no more than are easy to read."""
    return min(shutil.get_terminal_size().columns, 100)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the examples line by line, and wraps the description, which is one paragraph."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=max(4, min(28, text_width() // 3)), width=max(30, text_width()))

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("examples:"):
            return super()._fill_text(text, width, indent)
        return argparse.HelpFormatter._fill_text(self, text, width, indent)
