from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="agegait")
class AdditiveMarginSoftmax(keras.losses.Loss):
    """Cross-entropy of scaled cosines, in which the right class has to win by a margin (AM-softmax).

    The loss of a sample with label y and cosines c_n is that of the logits scale * (c_n - margin [n = y]). The margin
    makes embeddings of one class lie close together, which plain cross-entropy does not ask for.

    Args:
        margin: Subtracted from the cosine of the right class, from 0 to under 2.
        scale: Factor of all cosines, more than 0: these lie in -1..1, too close for a softmax.

    Call arguments:
        y_true: Labels, integers, `[B]`.
        y_pred: Cosines between embeddings and classes, `[B, N]`, see `agegait.layers.CosineClassifier`.

    Returns:
        The mean over the batch.

    Raises:
        ValueError: A margin or a scale out of range.

    Example:
        >>> loss = agegait.losses.AdditiveMarginSoftmax(margin=0.3, scale=1.0)
        >>> round(float(loss([0], [[0.8, 0.5]])), 4)  # log 2: less the margin, both classes are as near
        0.6931

    Reference:
        Wang et al., Additive Margin Softmax for Face Verification, IEEE Signal Processing Letters 2018, equation 6.
    """

    def __init__(
        self, margin: float = 0.2, scale: float = 30.0, name: str = "additive_margin_softmax", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not 0 <= margin < 2:
            raise ValueError(f"margin: expected a number from 0 to under 2, received {margin}.")
        if not scale > 0:
            raise ValueError(f"scale: expected a positive number, received {scale}.")
        self.margin = margin
        self.scale = scale

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        y_pred = ops.convert_to_tensor(y_pred)
        labels = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        right = ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)
        logits = self.scale * (y_pred - self.margin * right)
        return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "margin": self.margin, "scale": self.scale}
