import json
from typing import Any

from agegait.terminal.console import output


def print_json(value: Any, indent: int | None = 2) -> None:
    """Prints a value as JSON for scripts, in ASCII: what has other letters is escaped as JSON has it."""
    output().print(*json.dumps(value, indent=indent).split("\n"), sep="\n", soft_wrap=True)
