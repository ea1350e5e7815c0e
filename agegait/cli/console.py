"""Where commands write to."""

import sys

from rich.console import Console


def output() -> Console:
    """For what was asked for."""
    # A file or a pipe has no width to keep to.
    return Console(width=None if sys.stdout.isatty() else 120)


def errors() -> Console:
    """For what went wrong, and what is under way."""
    return Console(stderr=True)
