"""What options of a run are called."""

import argparse
import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
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
        values = {preset: getattr(PRESETS[preset], field.name) for preset in presets}
        shown = ", ".join(f"{preset} {_shown(value)}" for preset, value in values.items())
        how: dict[str, Any] = {"help": field.metadata["help"] + (f" ({shown})" if shown else "")}
        if kind(field) is bool:
            how["action"] = argparse.BooleanOptionalAction
        else:
            names = field.metadata.get("choices")  # the recipe refuses others
            how["metavar"] = f"{{none,{','.join(names)}}}" if names else "N"
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


def in_options(message: str, parser: argparse.ArgumentParser) -> list[str]:
    """The lines of an error, with the options of a command in place of the arguments that they become in Python.

    `missing="interpolate"` becomes `--missing interpolate`, and `frame_rate: expected ...` becomes
    `--frame-rate: expected ...`.
    """
    options = {action.dest: action.option_strings[-1] for action in parser._actions if action.option_strings}
    names = "|".join(map(re.escape, options))
    message = re.sub(rf"^({names}): ", lambda found: f"{options[found[1]]}: ", message)
    message = re.sub(rf"\b({names})=(\"?)(\w[\w.]*)\2", lambda found: f"{options[found[1]]} {found[3]}", message)
    return [line.rstrip() for line in message.splitlines() if line.strip()]
