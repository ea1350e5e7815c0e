import logging

from agegait.terminal.console import errors


class LogLines(logging.Handler):
    """Prints what is logged as the command line prints: `warning: ...`, and nothing in it acts on the terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        """Prints a record, on one line."""
        errors().print(f"{record.levelname.lower()}: {record.getMessage()}", soft_wrap=True)


def print_warnings(logger: str) -> None:
    """Prints the warnings and errors of a logger on standard error."""
    found = logging.getLogger(logger)
    found.addHandler(LogLines(logging.WARNING))
    found.propagate = False
