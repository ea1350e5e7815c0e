from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="agegait")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy of integer labels, a share of each spread evenly over all classes.

    Keras smooths one-hot labels alone, and accuracy is counted by integers. Without smoothing it is Keras's
    `SparseCategoricalCrossentropy(from_logits=True)`.

    Args:
        smoothing: The share, from 0 to under 1.

    Call arguments:
        y_true: Labels, `[B]`.
        y_pred: Logits, `[B, N]`.

    Returns:
        The mean over the batch.

    Raises:
        ValueError: A share below 0, or of 1 and more.

    Example:
        >>> loss = agegait.losses.SmoothedCrossentropy(smoothing=0.1)
        >>> round(float(loss(np.array([0]), np.array([[2.0, 0.0]]))), 3)
        0.227

    Reference:
        Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016, section 7.
    """

    def __init__(self, smoothing: float = 0.0, name: str = "smoothed_crossentropy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if not 0 <= smoothing < 1:
            raise ValueError(f"smoothing: expected a share from 0 to under 1, received {smoothing}.")
        self.smoothing = smoothing

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        labels = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        losses = ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=True)
        if not self.smoothing:
            return losses
        # That of evenly spread labels: - 1/N sum_n log p_n.
        even = ops.logsumexp(y_pred, axis=-1) - ops.mean(y_pred, axis=-1)
        return (1 - self.smoothing) * losses + self.smoothing * even

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "smoothing": self.smoothing}
