import json
from typing import Any


def print_json(value: Any, indent: int | None = 2) -> None:
    """Prints a value as JSON for scripts; what is not ASCII is escaped, so that nothing in it acts on a terminal."""
    print(json.dumps(value, indent=indent), flush=True)
