"""The command line. Each sub-command imports the heavy parts it needs, so that help and errors come at once."""

import io
import os
import sys
from collections.abc import Sequence


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
        print(f"agegait: this needs the package {error.name}: install agegait with its dependencies.", file=sys.stderr)
        return 1


def _run(words: Sequence[str]) -> int:
    from agegait.cli.parser import make_parser
    from agegait.console import errors

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a terminal's encoding has not is no reason to stop
    options = make_parser().parse_args(words)
    options.words = words
    try:
        options.run(options)
    except KeyboardInterrupt:
        errors().print("agegait: stopped", style="yellow")
        return 130
    except (ValueError, OSError, RuntimeError) as error:
        if os.environ.get("AGEGAIT_TRACEBACK"):
            raise
        message = " ".join(line.strip() for line in str(error).split("\n") if line.strip()) or type(error).__name__
        errors().print(f"agegait: {message}", style="red", soft_wrap=True)
        return 1
    return 0
