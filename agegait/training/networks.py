"""The untrained networks that settings and recipes ask for."""

import numpy as np

from agegait.models import GaitEncoder, GaitRecognizer
from agegait.training import optimizers
from agegait.training.recipes import Recipe
from agegait.training.settings import Settings


def make_encoder(settings: Settings, joints: int) -> GaitEncoder:
    """The encoder that settings ask for, untrained."""
    recipe = settings.recipe
    return GaitEncoder(
        settings.frames,
        joints,
        recipe.units,
        num_layers=recipe.num_layers,
        attention=settings.attention,
        feed=settings.feed,
        sigma=recipe.sigma,
        locality_weight=recipe.locality_weight,
        l2=recipe.l2,
        direction=settings.direction,
        dtype=settings.precision,
    )


def make_recognizer(
    recipe: Recipe, persons: int, manner: str, ages: np.ndarray, precision: str = "float32"
) -> GaitRecognizer:
    """The recognizer that a recipe asks for, untrained, but for what it standardises or whitens these AGEs by."""
    recognizer = GaitRecognizer(
        persons,
        manner,
        recipe.recognizer_units,
        dropout=recipe.dropout,
        normalize=recipe.normalize,
        kernel_initializer=optimizers.recognizer_initializer(recipe),
        dtype=precision,
    )
    if recognizer.normalization is not None:
        recognizer.adapt(ages)
    recognizer.build((None, *ages.shape[1:]))
    return recognizer
