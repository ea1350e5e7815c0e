"""What layers and models take and give, for type hints."""

from typing import Any, TypeAlias

import keras

Tensor: TypeAlias = keras.KerasTensor
"""Symbolic while a functional model is built; the backend's, or an array, when it runs."""

Inputs: TypeAlias = Tensor | dict[str, Tensor]
"""A tensor of skeletons, or a dict that holds it as `"skeleton"`."""

State: TypeAlias = tuple[Tensor, Tensor]
"""An LSTM's `(h, c)`."""

Shape: TypeAlias = tuple[int | Any, ...]
"""Sizes, None where they are not known before a model runs."""
