import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras_tuner
from keras_tuner.engine import hyperparameters

from agegait.models import GaitEncoder
from agegait.training import make_encoder
from agegait.training.recipes import Recipe, kind, optional
from agegait.training.settings import Settings

JOINTS = 20
_FIELDS = {field.name: field for field in dataclasses.fields(Recipe)}
BUDGET = tuple(name for name, field in _FIELDS.items() if field.metadata.get("epochs"))
"""Not varied: they are what a whole trial costs, of which Hyperband gives most trials a part."""

OF_OTHERS = tuple(name for name, field in _FIELDS.items() if field.metadata["part"] == "embedder")
"""Not varied: they change a network that has no part in a search."""

USUAL = {"frames": "4,6,8,10"} | {
    name: field.metadata["search"] for name, field in _FIELDS.items() if "search" in field.metadata
}
"""What is varied where nobody says what, and how far."""

UNUSED = {"BA": ("sigma", "locality_weight"), "MBAS": ("locality_weight",)}
"""What an attention has no use for."""

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
        # What is searched for is what AGEs are recognized by; no other network has a part in it.
        recipe = dataclasses.replace(settings.recipe, embedder_epochs=None)
        self.base = settings = dataclasses.replace(settings, recipe=recipe)
        self.kinds: dict[str, type] = {
            **{
                name: type(getattr(settings, name))
                for name in ("frames", "attention", "manner", "feed", "direction", "features")
            },
            **{name: kind(field) for name, field in _FIELDS.items() if name not in BUDGET + OF_OTHERS},
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
            whole = {name: getattr(self.base.recipe, name) for name in BUDGET}
            changes |= {name: -(-count * part // self.epochs) for name, count in whole.items() if count is not None}
        return self._changed(**changes)

    def values(self, hp: keras_tuner.HyperParameters) -> dict[str, Any]:
        """What a trial varies, by the names of `Settings` and `Recipe`."""
        return {dimension.name: self._value(dimension.name, hp.get(dimension.name)) for dimension in self.dimensions}

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            return self._parsed(name, value)
        return float(f"{value:.{DIGITS}g}") if self.kinds[name] is float else int(value)

    def _parsed(self, name: str, text: str) -> Any:
        if text.lower() == "none" and name in _FIELDS and optional(_FIELDS[name]):
            return None
        return _PARSERS[self.kinds[name]][1](text)

    def _changed(self, **changes: Any) -> Settings:
        of_recipe = {name: value for name, value in changes.items() if hasattr(self.base.recipe, name)}
        others = {name: value for name, value in changes.items() if name not in of_recipe}
        return dataclasses.replace(self.base, recipe=dataclasses.replace(self.base.recipe, **of_recipe), **others)

    def _dimension(self, text: str) -> hyperparameters.HyperParameter:
        name, given, values = text.partition("=")
        name = name.replace("-", "_")
        if name not in self.kinds:
            raise ValueError(f"search: expected one of {', '.join(self.kinds)}, received {name!r}.")
        if not given:
            values = USUAL.get(name, "false,true" if self.kinds[name] is bool else "")
        called, _ = _PARSERS[self.kinds[name]]
        try:
            parsed = [self._parsed(name, part) for part in values.split(":" if ":" in values else ",")]
        except ValueError:
            raise ValueError(
                f"search: expected {name}=A,B,... or {name}=LOW:HIGH with {called}, received {text!r}."
            ) from None
        for value in parsed:
            self._changed(**{name: value})
        if ":" in values:
            return self._range(name, parsed, text)
        # As text: numbers come back from a worker in single precision, and are not found among these any more.
        return hyperparameters.Choice(
            name, ["none" if value is None else str(value) for value in dict.fromkeys(parsed)]
        )

    def _range(self, name: str, limits: Sequence[Any], text: str) -> hyperparameters.HyperParameter:
        # Whole numbers are doubled from the lowest.
        number = self.kinds[name]
        logarithmic = name in _FIELDS and _FIELDS[name].metadata.get("logarithmic", False)
        low, high = limits[0], limits[-1]
        if (
            number not in (int, float)
            or None in limits
            or len(limits) != 2
            or not low < high
            or (logarithmic and low <= 0)
        ):
            bounds = "0 < LOW < HIGH" if logarithmic else "LOW < HIGH"
            raise ValueError(f"search: expected {name}=LOW:HIGH with two numbers, {bounds}, received {text!r}.")
        sampling = "log" if logarithmic else "linear"
        if number is int:
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
