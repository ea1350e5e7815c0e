import sys

from agegait.terminal.console import output


def confirm(*lines: str) -> None:
    """Asks on the terminal whether to do what cannot be undone.

    Args:
        lines: What is to be done.

    Raises:
        ValueError: The answer was not yes, or there is no terminal to ask on.
    """
    if not sys.stdin.isatty():
        raise ValueError("--yes: expected where no terminal can confirm, received none.")
    output().print(*lines, sep="\n", soft_wrap=True)
    if input("yes or no: ").strip().casefold() not in ("y", "yes"):
        raise ValueError("nothing was deleted")
