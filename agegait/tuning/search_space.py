import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras_tuner
from keras_tuner.engine import hyperparameters

from agegait.models import GaitEncoder
from agegait.training import make_encoder
from agegait.training.recipes import Recipe
from agegait.training.settings import Settings

JOINTS = 20
BUDGET = ("epochs", "recognizer_epochs", "window_recognizer_epochs", "least_steps")
"""Not varied: they are what a whole trial costs, of which Hyperband gives most trials a part."""

USUAL = {
    "units": "32:512",
    "num_layers": "1:3",
    "frames": "4,6,8,10",
    "sigma": "1:6",
    "locality_weight": "0.1:10",
    "learning_rate": "1e-4:1e-2",
    "l2": "1e-6:1e-3",
    "recognizer_learning_rate": "1e-4:1e-2",
    "recognizer_units": "128:2048",
    "dropout": "0:0.7",
    "whiten": "false,true",
}
"""What is varied where nobody says what, and how far."""

UNUSED = {"BA": ("sigma", "locality_weight"), "MBAS": ("locality_weight",)}
"""What an attention has no use for."""

LOGARITHMIC = {
    "units",
    "recognizer_units",
    "sigma",
    "locality_weight",
    "batch_size",
    "recognizer_batch_size",
    "learning_rate",
    "recognizer_learning_rate",
    "l2",
}
"""Ranges in which the step from 1 to 2 is as long as that from 10 to 20; whole numbers are doubled from the lowest."""

DIGITS = 4
"""Of a number drawn from a range: a chief and its workers exchange numbers of single precision."""


class SearchSpace(keras_tuner.HyperModel):
    """What a search varies in a run's settings, as keras-tuner's hyper-parameters.

    Anything of `Settings` and `Recipe` that changes what is learned can be varied, but for the epochs.

    Args:
        settings: The run whose settings are varied. Its epochs are those of a whole trial.
        search: What is varied, each as `NAME=A,B,...`, `NAME=LOW:HIGH`, or `NAME` as in `USUAL`. All of `USUAL` where
            empty.

    Raises:
        ValueError: Something that cannot be varied, or values that make no sense.
    """

    def __init__(self, settings: Settings, search: Iterable[str] = ()) -> None:
        super().__init__(name="agegait")
        # What is searched for is what AGEs are recognized by; another recognizer has no part in it.
        recipe = dataclasses.replace(settings.recipe, window_recognizer_epochs=0)
        self.base = settings = dataclasses.replace(settings, recipe=recipe)
        self.kinds: dict[str, type] = {
            **{
                name: type(getattr(settings, name))
                for name in ("frames", "attention", "manner", "feed", "direction", "features")
            },
            **{field.name: type(field.default) for field in dataclasses.fields(Recipe) if field.name not in BUDGET},
        }
        usual = [name for name in USUAL if name not in UNUSED.get(settings.attention, ())]
        self.dimensions = [self._dimension(text) for text in search or usual]
        names = [dimension.name for dimension in self.dimensions]
        if len(set(names)) < len(names):
            raise ValueError(f"search: expected each name once, received {', '.join(names)}.")

    @property
    def search(self) -> list[str]:
        """What is varied, spelled out."""
        return [f"{dimension.name}={_spelled(dimension)}" for dimension in self.dimensions]

    @property
    def epochs(self) -> int:
        """Passes of a whole trial: the longer of the encoder's and the recognizer's."""
        return max(self.base.recipe.epochs, self.base.recipe.recognizer_epochs)

    @property
    def combinations(self) -> float:
        """How many different trials there are; infinite where a number is drawn from a range."""
        return math.prod(
            math.inf if isinstance(dimension, hyperparameters.Float) else len(list(dimension.values))
            for dimension in self.dimensions
        )

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Puts what is varied into keras-tuner's container."""
        hp.merge(self.dimensions, overwrite=False)

    def build(self, hp: keras_tuner.HyperParameters) -> GaitEncoder:
        """The encoder of a trial, untrained."""
        return make_encoder(self.settings(hp), JOINTS)

    def settings(self, hp: keras_tuner.HyperParameters) -> Settings:
        """The settings of a trial's run, with as many epochs as Hyperband allows it."""
        changes: dict[str, Any] = self.values(hp)
        if "tuner/epochs" in hp.values:
            part = hp.values["tuner/epochs"]
            changes |= {name: -(-getattr(self.base.recipe, name) * part // self.epochs) for name in BUDGET}
        return self._changed(**changes)

    def values(self, hp: keras_tuner.HyperParameters) -> dict[str, Any]:
        """What a trial varies, by the names of `Settings` and `Recipe`."""
        return {dimension.name: self._value(dimension.name, hp.get(dimension.name)) for dimension in self.dimensions}

    def _value(self, name, value):
        if isinstance(value, str):
            return _PARSERS[self.kinds[name]][1](value)
        return float(f"{value:.{DIGITS}g}") if self.kinds[name] is float else int(value)

    def _changed(self, **changes):
        of_recipe = {name: value for name, value in changes.items() if hasattr(self.base.recipe, name)}
        others = {name: value for name, value in changes.items() if name not in of_recipe}
        return dataclasses.replace(self.base, recipe=dataclasses.replace(self.base.recipe, **of_recipe), **others)

    def _dimension(self, text: str) -> hyperparameters.HyperParameter:
        name, given, values = text.partition("=")
        name = name.replace("-", "_")
        if name not in self.kinds:
            raise ValueError(f"search: expected one of {', '.join(self.kinds)}, received {name!r}.")
        kind = self.kinds[name]
        if not given:
            values = USUAL.get(name, "false,true" if kind is bool else "")
        called, parse = _PARSERS[kind]
        try:
            parsed = [parse(part) for part in values.split(":" if ":" in values else ",")]
        except ValueError:
            raise ValueError(
                f"search: expected {name}=A,B,... or {name}=LOW:HIGH with {called}, received {text!r}."
            ) from None
        for value in parsed:
            self._changed(**{name: value})
        if ":" in values:
            return self._range(name, parsed, text)
        # As text: numbers come back from a worker in single precision, and are not found among these any more.
        return hyperparameters.Choice(name, [str(value) for value in dict.fromkeys(parsed)])

    def _range(self, name: str, limits: Sequence[Any], text: str) -> hyperparameters.HyperParameter:
        kind, logarithmic = self.kinds[name], name in LOGARITHMIC
        low, high = limits[0], limits[-1]
        if kind not in (int, float) or len(limits) != 2 or not low < high or (logarithmic and low <= 0):
            bounds = "0 < LOW < HIGH" if logarithmic else "LOW < HIGH"
            raise ValueError(f"search: expected {name}=LOW:HIGH with two numbers, {bounds}, received {text!r}.")
        sampling = "log" if logarithmic else "linear"
        if kind is int:
            return hyperparameters.Int(name, low, high, step=2 if logarithmic else 1, sampling=sampling)
        return hyperparameters.Float(name, low, high, sampling=sampling)


def _spelled(dimension: hyperparameters.HyperParameter) -> str:
    if isinstance(dimension, hyperparameters.Choice):
        return ",".join(dimension.values)
    return f"{dimension.min_value:g}:{dimension.max_value:g}"


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def _truth(text: str) -> bool:
    return ("false", "true").index(text.lower()) == 1


_PARSERS: dict[type, tuple[str, Callable[[str], Any]]] = {
    int: ("whole numbers", int),
    float: ("numbers", _finite),
    bool: ("true or false", _truth),
    str: ("names", str),
}
