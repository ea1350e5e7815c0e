"""What options of a run are called."""

import dataclasses
from collections.abc import Iterator


def option_name(name: str) -> str:
    """The option of a setting, or of how files are understood."""
    return f"--{name.replace('_', '-')}"


def recipe_option_name(name: str) -> str:
    """The option of a recipe's field."""
    return option_name("encoder_units" if name == "units" else name)  # --units are those of files


def recipe_options() -> Iterator[tuple[str, type, str]]:
    """Each field of a recipe: its name, its type and what it is."""
    from agegait.training.recipes import Recipe

    for field in dataclasses.fields(Recipe):
        yield field.name, type(field.default), field.metadata["help"]
