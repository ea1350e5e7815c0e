"""Options to the settings of a run, and back to what was to be typed for them."""

import argparse
import dataclasses
import json
import shlex
from typing import Any

from agegait.cli.names import option_name, recipe_option_name, recipe_options


def run_settings(options: argparse.Namespace) -> Any:
    """The settings of a run: a preset, and what options change in it."""
    from agegait import datasets, training
    from agegait.training import recipes

    networks = ("attention", "manner", "feed", "direction", "features", "frames", "precision", "seed")
    names = (*networks, "strangers", "calibration_share")
    changes = {name: getattr(options, name) for name in names if getattr(options, name, None) is not None}
    given = vars(options)
    of_recipe = {name: given[f"recipe_{name}"] for name, _ in recipe_options() if f"recipe_{name}" in given}
    walk_format = file_format(options)
    if options.dataset is not None:
        options.dataset = datasets.find(options.dataset)
    if getattr(options, "from_tuning", None) is None:
        if options.dataset is None:
            raise ValueError("--dataset: expected, or --from-tuning, received neither.")
        try:
            recipe = recipes.recipe(options.preset, options.dataset, **of_recipe)
        except ValueError as error:
            name, _, rest = str(error).partition(": ")
            raise ValueError(f"{recipe_option_name(name)}: {rest}") from None
        return training.Settings(
            options.dataset, preset=options.preset, recipe=recipe, walk_format=walk_format, **changes
        )
    from agegait import tuning

    best = tuning.best_settings(options.from_tuning)
    recipe = dataclasses.replace(best.recipe, **of_recipe)
    if walk_format != type(walk_format)():
        changes["walk_format"] = walk_format
    if options.dataset is not None:
        changes["dataset"] = options.dataset
    return dataclasses.replace(best, recipe=recipe, **changes)


def file_format(options: argparse.Namespace) -> Any:
    """How your own files are read."""
    from agegait.data import WalkFormat

    names = (field.name for field in dataclasses.fields(WalkFormat))
    return WalkFormat(**{name: getattr(options, name) for name in names if hasattr(options, name)})


def train_command(settings: Any, options: argparse.Namespace) -> str:
    """What to type for a run of the same settings, where the options have it."""
    from agegait.training import recipes

    preset = settings.preset if settings.preset in recipes.PRESETS else "paper"
    words = ["agegait", "train", "--dataset", settings.dataset, "--preset", preset]
    starts = {field.name: field.default for field in dataclasses.fields(settings)} | {"preset": preset}
    for asked, start, option in (
        (settings, starts, option_name),
        (settings.recipe, dataclasses.asdict(recipes.recipe(preset, settings.dataset)), recipe_option_name),
        (settings.walk_format, dataclasses.asdict(type(settings.walk_format)()), option_name),
    ):
        for name, value in ((field.name, getattr(asked, field.name)) for field in dataclasses.fields(asked)):
            if value == start[name] or name in ("dataset", "preset") or dataclasses.is_dataclass(value):
                continue
            named = option(name)
            if isinstance(value, bool):
                words.append(named if value else f"--no-{named.removeprefix('--')}")
            else:
                shown = json.dumps(value) if isinstance(value, dict) else str(value)
                words += [named, "none" if value is None else shown]
    for name in ("data_dir", "manual_dir"):
        if (place := getattr(options, name)) is not None:
            words += [option_name(name), str(place)]
    return shlex.join([*words, "--out", str(options.folder)])
