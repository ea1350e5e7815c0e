"""Training: recipes, settings, and the run that comes of them.

`train` does the whole. A run's folder holds `run.json` (settings, data, split, versions, results), `encoder.keras`,
`recognizer.keras` and perhaps `window_recognizer.keras`, and `history/` with a table of losses for each stage. While a
training is under way, it also holds `checkpoints/` to resume from.

The names load on first use (PEP 562): the command line reads recipes without TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "PRESETS": "recipes",
    "Recipe": "recipes",
    "Run": "run",
    "Settings": "settings",
    "Stage": "stage",
    "begin": "train_run",
    "differences": "train_run",
    "finish": "train_run",
    "load_run": "run",
    "make_encoder": "networks",
    "make_recognizer": "networks",
    "make_window_recognizer": "networks",
    "recipe": "recipes",
    "train": "train_run",
    "train_encoder": "stages",
    "train_on": "train_run",
    "train_recognizer": "stages",
    "train_window_recognizer": "stages",
}
_MODULES = ("callbacks", "distribution", "optimizers", "recipes")

__all__ = [
    "PRESETS",
    "Recipe",
    "Run",
    "Settings",
    "Stage",
    "begin",
    "callbacks",
    "differences",
    "distribution",
    "finish",
    "load_run",
    "make_encoder",
    "make_recognizer",
    "make_window_recognizer",
    "optimizers",
    "recipe",
    "recipes",
    "train",
    "train_encoder",
    "train_on",
    "train_recognizer",
    "train_window_recognizer",
]

if TYPE_CHECKING:
    from agegait.training import callbacks, distribution, optimizers, recipes
    from agegait.training.networks import make_encoder, make_recognizer, make_window_recognizer
    from agegait.training.recipes import PRESETS, Recipe, recipe
    from agegait.training.run import Run, load_run
    from agegait.training.settings import Settings
    from agegait.training.stage import Stage
    from agegait.training.stages import train_encoder, train_recognizer, train_window_recognizer
    from agegait.training.train_run import begin, differences, finish, train, train_on


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"agegait.training.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"agegait.training.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'agegait.training' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
