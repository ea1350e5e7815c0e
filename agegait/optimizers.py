"""What a recipe asks of Keras: optimizers and first weights."""

import keras

from agegait.recipes import PUBLISHED_BATCH, Recipe


def encoder_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """The encoder's optimizer: Adam, gradients clipped elementwise to [-5, 5].

    `GaitEncoder`'s losses are the published sums over a batch of 128 divided by 128; so are the gradients, and with
    them the clipping and epsilon here. The steps are the published ones.

    Args:
        recipe: Gives the learning rate.
        steps: Steps of the whole training, over which the rate falls where the recipe has it fall.
    """
    rate = _rate(recipe, recipe.learning_rate, steps)
    return keras.optimizers.Adam(rate, epsilon=1e-8 / PUBLISHED_BATCH, clipvalue=5 / PUBLISHED_BATCH)


def recognizer_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """The recognizer's optimizer: Adam, no clipping; arguments as for `encoder_optimizer`."""
    return keras.optimizers.Adam(_rate(recipe, recipe.recognizer_learning_rate, steps), epsilon=1e-8)


def fine_tune_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer of both trained on together: Adam; arguments as for `encoder_optimizer`."""
    return keras.optimizers.Adam(_rate(recipe, recipe.fine_tune_learning_rate, steps))


def recognizer_initializer(recipe: Recipe) -> keras.initializers.Initializer:
    """What the recognizer's kernels are drawn from: N(0, 1) in the published code."""
    if recipe.initial_scale:
        return keras.initializers.RandomNormal(stddev=recipe.initial_scale)
    return keras.initializers.GlorotUniform()


def _rate(recipe, rate, steps):
    return keras.optimizers.schedules.CosineDecay(rate, max(steps, 1)) if recipe.decay else rate
