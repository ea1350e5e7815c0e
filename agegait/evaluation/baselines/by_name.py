import functools
from collections.abc import Callable

from agegait.evaluation.baselines import classifiers, networks
from agegait.evaluation.baselines.baseline import Baseline
from agegait.evaluation.baselines.descriptor_baseline import DescriptorBaseline
from agegait.evaluation.baselines.network_baseline import NETWORK, NetworkBaseline
from agegait.models import GaitEncoder
from agegait.skeletons import descriptors
from agegait.training.recipes import Recipe

BOOSTED_FRAMES = 40_000
"""Frames that AdaBoost learns from: a minute, where all of KGBD's would take hours."""

BASELINES = {
    "d13-knn": "D13 + KNN",
    "d13-adaboost": "D13 + AdaBoost",
    "d16-knn": "D16 + KNN",
    "d16-adaboost": "D16 + AdaBoost",
    "mlp": "raw MLP",
    "mlp-whitened": "raw MLP, whitened",
    "mlp-distances": "raw MLP with distances",
    "lstm": "single-layer LSTM",
    "lstm-multilayer": "multi-layer LSTM",
    "encoder-states": "encoder states",
    "untrained-encoder": "AGE, never trained",
}
"""The baselines' names, and what tables call them."""

OF_AN_ENCODER = ("encoder-states", "untrained-encoder")
"""Those that are made from a run's encoder."""


def baseline(
    name: str, encoder: GaitEncoder | None = None, recipe: Recipe | None = None, manner: str = "ap"
) -> Baseline:
    """A baseline by its name, not yet fitted.

    Args:
        name: One of `BASELINES`.
        encoder: The trained encoder, for those of `OF_AN_ENCODER` alone: `"encoder-states"` are its own,
            `"untrained-encoder"` draws one like it.
        recipe: How the recognizer of those is trained, as that of AGEs should be; `NETWORK` where absent.
        manner: That recognizer's.

    Raises:
        ValueError: An unknown name, or one of `OF_AN_ENCODER` without an encoder.
    """
    if name not in BASELINES:
        raise ValueError(f"baseline: expected one of {', '.join(BASELINES)}, received {name!r}.")
    if name in OF_AN_ENCODER:
        if encoder is None:
            raise ValueError(f"baseline: expected an encoder for {name}, received none.")
        features = (
            functools.partial(networks.encoder_states, encoder)
            if name == "encoder-states"
            else networks.UntrainedAGEs(encoder)
        )
        return NetworkBaseline(BASELINES[name], networks.recognizer(manner), features, recipe or NETWORK)
    return _BUILDERS[name](BASELINES[name])


_BUILDERS: dict[str, Callable[[str], Baseline]] = {
    "d13-knn": lambda title: DescriptorBaseline(title, descriptors.d13, classifiers.neighbours),
    "d13-adaboost": lambda title: DescriptorBaseline(title, descriptors.d13, classifiers.adaboost, BOOSTED_FRAMES),
    "d16-knn": lambda title: DescriptorBaseline(title, descriptors.d16, classifiers.neighbours),
    "d16-adaboost": lambda title: DescriptorBaseline(title, descriptors.d16, classifiers.adaboost, BOOSTED_FRAMES),
    "mlp": lambda title: NetworkBaseline(title, networks.recognizer("sc"), networks.coordinates),
    "mlp-whitened": lambda title: NetworkBaseline(
        title, networks.recognizer("sc", normalize="whiten"), networks.coordinates
    ),
    "mlp-distances": lambda title: NetworkBaseline(
        title, networks.recognizer("ap", normalize="standardize"), networks.measures
    ),
    "lstm": lambda title: NetworkBaseline(title, networks.lstm(1), networks.coordinates),
    "lstm-multilayer": lambda title: NetworkBaseline(title, networks.lstm(2), networks.coordinates),
}
