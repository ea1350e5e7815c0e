"""What a recipe asks of Keras: optimizers and first weights."""

from typing import Any

import keras

from agegait.training.recipes import PUBLISHED_BATCH, Recipe


@keras.saving.register_keras_serializable(package="agegait")
class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam, which updates a weight by one of TensorFlow's operations in place of a dozen that each read it all.

    Arguments, variables and steps are those of `keras.optimizers.Adam`, so that either goes on from the other's state;
    the last bits differ. On other backends, and with `amsgrad`, it is that optimizer.

    Example:
        >>> encoder = agegait.GaitEncoder(units=8)
        >>> encoder.compile(agegait.training.optimizers.FusedAdam(1e-3))
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """As in `keras.optimizers.Adam`."""
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        step = tf.cast(self.iterations + 1, variable.dtype)
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=tf.cast(self.beta_1, variable.dtype),
            beta2=tf.cast(self.beta_2, variable.dtype),
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )


def encoder_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """The encoder's optimizer: Adam, gradients clipped elementwise to [-5, 5].

    `GaitEncoder`'s losses are the published sums over a batch of 128 divided by 128; so are the gradients, and with
    them the clipping and epsilon here. The steps are the published ones.

    Args:
        recipe: Gives the learning rate, over how many steps it rises first, and Adam's decay of squared gradients.
        steps: Steps of the whole training, over which the rate falls where the recipe has it fall.
    """
    rate = _rate(recipe, recipe.learning_rate, steps, recipe.warmup_steps)
    return FusedAdam(rate, beta_2=recipe.beta_2, epsilon=1e-8 / PUBLISHED_BATCH, clipvalue=5 / PUBLISHED_BATCH)


def recognizer_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """The recognizer's optimizer: Adam, no clipping; arguments as for `encoder_optimizer`."""
    return FusedAdam(_rate(recipe, recipe.recognizer_learning_rate, steps), epsilon=1e-8)


def recognizer_initializer(recipe: Recipe) -> keras.initializers.Initializer:
    """What the recognizer's kernels are drawn from: N(0, 1) in the published code."""
    if recipe.initial_scale is not None:
        return keras.initializers.RandomNormal(stddev=recipe.initial_scale)
    return keras.initializers.GlorotUniform()


def _rate(recipe: Recipe, rate: float, steps: int, warmup: int = 0) -> Any:
    if not (recipe.decay or warmup):
        return rate
    rising = {"warmup_target": rate, "warmup_steps": warmup} if warmup else {}
    return keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else rate, max(steps - warmup, 1), alpha=0.0 if recipe.decay else 1.0, **rising
    )
