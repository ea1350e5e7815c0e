"""The command line. Each sub-command imports the heavy parts it needs, so that help and errors come at once."""

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agegait.storage.private_files import OpenFolderWarning, private_files
from agegait.terminal.visible_text import visible

_LONG = ("agegait train", "agegait tune", "agegait reproduce", "agegait evaluate")
"""Commands that may take hours."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one `agegait` command.

    Args:
        arguments: The command's words; the process's own where absent.

    Returns:
        The exit status: 0, 1 for what a user can mend, 130 where the user stopped it. A wrong option exits with 2.
    """
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except ModuleNotFoundError as error:
        # The client's machine has but a few of the packages.
        if os.environ.get("AGEGAIT_TRACEBACK") or (error.name or "agegait").partition(".")[0] == "agegait":
            raise
        text = f"agegait: this needs the package {error.name}: install agegait with its dependencies."
        print(visible(text), file=sys.stderr)
        return 1


def _run(words: Sequence[str]) -> int:
    from agegait.cli.parser import make_parser
    from agegait.terminal.console import errors

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a terminal's encoding has not is no reason to stop
    options = make_parser().parse_args(words)
    options.words = words
    try:
        with private_files(), _plain_warnings(), _signs_of_life(options.parser.prog):
            options.run(options)
    except KeyboardInterrupt:
        errors().print("agegait: stopped", style="yellow")
        return 130
    except (ValueError, OSError, RuntimeError) as error:
        if os.environ.get("AGEGAIT_TRACEBACK"):
            raise
        _print_error(error, options.parser.option_names)
        return 1
    return 0


def _signs_of_life(command: str) -> contextlib.AbstractContextManager[Any]:
    """Has a command that takes minutes say so, where nobody sees a line of progress move."""
    from agegait.terminal.heartbeat import Heartbeat

    return Heartbeat(command) if command in _LONG else contextlib.nullcontext()


def _print_error(error: Exception, options: Mapping[str, str]) -> None:
    """Prints what went wrong in the words of the command line: in a line, and further lines where there are more."""
    from agegait.cli.names import in_options
    from agegait.terminal.console import errors

    first, *others = in_options(_message(error), options).split("\n")
    console = errors()
    console.print(f"agegait: {first}", style="red", soft_wrap=True)
    for line in others:
        if line.strip():
            # Indented, so that no line of an error passes for a message of its own.
            console.print(f"  {line.strip()}", soft_wrap=not console.is_terminal)


def _message(error: Exception) -> str:
    text = str(error)
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        text = f"{error.filename}: {error.strerror}"  # Python's own has a number in front
    return text.strip() or type(error).__name__


@contextlib.contextmanager
def _plain_warnings() -> Iterator[None]:
    """Lets what is said of open folders be a line among others, without a place in the sources."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", OpenFolderWarning)
        show = warnings.showwarning
        from agegait.terminal.console import errors

        def showwarning(message: Any, category: type[Warning], *rest: Any, **others: Any) -> None:
            if issubclass(category, OpenFolderWarning):
                errors().print(f"agegait: {message}", style="yellow", soft_wrap=True)
            else:
                show(message, category, *rest, **others)

        warnings.showwarning = showwarning
        yield
