"""What options of a run are called."""

import argparse
import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any


def option_name(name: str) -> str:
    """The option of a setting, or of how files are understood."""
    return f"--{name.replace('_', '-')}"


def recipe_option_name(name: str) -> str:
    """The option of a recipe's field."""
    return option_name("encoder_units" if name == "units" else name)  # --units are those of files


def recipe_options(presets: Sequence[str] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each field of a recipe: its name, and how argparse is to read its option, whose help shows values of presets."""
    from agegait.training.recipes import PRESETS, Recipe, kind, optional

    for field in dataclasses.fields(Recipe):
        values = {preset: _shown(getattr(PRESETS[preset], field.name)) for preset in presets}
        equal = len(set(values.values())) == 1
        shown = f"default: {values[presets[0]]}" if equal else ", ".join(f"{name} {of}" for name, of in values.items())
        how: dict[str, Any] = {"help": field.metadata["help"] + (f" ({shown})" if shown else "")}
        if kind(field) is bool:
            how["action"] = argparse.BooleanOptionalAction
        else:
            names = field.metadata.get("choices")  # the recipe refuses others
            shown_names = (("none",) if optional(field) else ()) + names if names else ()
            how["metavar"] = f"{{{','.join(shown_names)}}}" if names else "N"
            how["type"] = _or_none(kind(field)) if optional(field) else kind(field)
        yield field.name, how


def _or_none(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def read_or_none(text: str) -> Any:
        return None if text.lower() == "none" else read(text)

    read_or_none.__name__ = f"{read.__name__} or none"  # what argparse calls it where it refuses a value
    return read_or_none


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return ("no", "yes")[value] if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def in_options(message: str, options: Mapping[str, str]) -> str:
    """An error, with the options of a command in place of the arguments that they become in Python.

    `missing="interpolate"` becomes `--missing interpolate`, and `frame_rate: expected ...` becomes
    `--frame-rate: expected ...`.

    Args:
        message: The error.
        options: Each option, by the argument that it becomes.
    """
    if not options:
        return message
    names = "|".join(map(re.escape, options))
    message = re.sub(rf"^({names}): ", lambda found: f"{options[found[1]]}: ", message)
    message = re.sub(rf"\b({names})=(\"?)([\w./-]*\w)\2", lambda found: f"{options[found[1]]} {found[3]}", message)
    # A name of several words is an argument's wherever it stands, and nobody's word but Python's.
    return re.sub(
        rf"(`?)(?<![\w./<-])({names})(?![\w/-]|\.\w)\1",
        lambda found: options[found[2]] if "_" in found[2] else found[0],
        message,
    )
