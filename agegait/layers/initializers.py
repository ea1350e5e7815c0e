"""Initial values of weights that have a leading axis, which Keras would take for a convolution's window."""

import keras


def glorot_uniform(fan_in: int, fan_out: int) -> keras.initializers.Initializer:
    """Glorot and Bengio's uniform initializer for a matrix `[..., fan_in, fan_out]`."""
    limit = (6 / (fan_in + fan_out)) ** 0.5
    return keras.initializers.RandomUniform(-limit, limit)
