from typing import Any

import keras
from keras import ops

from agegait.layers.tensors import Shape, Tensor


@keras.saving.register_keras_serializable(package="agegait")
class CosineClassifier(keras.layers.Layer):
    """The cosines between embeddings and classes, each of which has a direction that is learned.

    Args:
        num_classes: Classes N.

    Call arguments:
        inputs: Embeddings `[B, D]`, of any length.

    Returns:
        Cosines `[B, N]`, for a loss such as `agegait.losses.AdditiveMarginSoftmax`.

    Raises:
        ValueError: Fewer than one class.

    Example:
        >>> tuple(agegait.layers.CosineClassifier(100)(np.ones((64, 192))).shape)
        (64, 100)
    """

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        # No autocast: cosines are multiplied by a scale of 30 later, and bfloat16 knows 0.9 to 0.004.
        super().__init__(autocast=False, **kwargs)
        if num_classes < 1:
            raise ValueError(f"num_classes: expected at least 1, received {num_classes}.")
        self.num_classes = num_classes

    def build(self, input_shape: Shape) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.num_classes),
            initializer=keras.initializers.RandomNormal(stddev=0.1),
            autocast=False,
        )

    def call(self, inputs: Tensor) -> Tensor:
        embeddings = ops.normalize(ops.cast(inputs, self.variable_dtype), axis=-1)
        cosines = ops.matmul(embeddings, ops.normalize(ops.convert_to_tensor(self.kernel), axis=0))
        return ops.cast(cosines, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.num_classes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}
