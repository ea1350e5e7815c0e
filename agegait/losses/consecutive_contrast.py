from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="agegait")
class ConsecutiveContrast(keras.losses.Loss):
    """Contrast between windows that follow each other in a walk and all others of a batch.

    The rows of a batch are in the order of their walks. Row i and row i + 1 are a positive pair where both are of one
    walk. As in the published code, the batch is doubled: z = [v_2..v_B, v_1..v_{B-1}], so that row i and row i + B - 1
    of z are a pair. With cosines c, each row a of a pair (a, b) has the loss
    -log(exp(c_ab / temperature) / sum over j != a of exp(c_aj / temperature)). So a window's own second copy is one of
    the negatives; its cosine is 1 and has no slope.

    The published code also takes the last window of a walk and the first of the next for a pair. Here, pairs across
    walks are left out, and their rows are negatives alone.

    Args:
        temperature: Divides the cosines, more than 0. The published code has 0.1, and 0.5 for KGBD.

    Call arguments:
        y_true: The number of each window's walk, integers, `[B]`.
        y_pred: Projections, `[B, D]`, of any length.

    Returns:
        The mean over both rows of all pairs; 0 without a pair.

    Raises:
        ValueError: A temperature that is not positive.

    Example:
        >>> projections = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        >>> loss = agegait.losses.ConsecutiveContrast(temperature=0.01)
        >>> bool(loss([5, 5, 7, 7], projections) < loss([5, 7, 7, 7], projections))
        True

    Reference:
        Rao et al., A Self-Supervised Gait Encoding Approach with Locality-Awareness for 3D Skeleton Based Person
        Re-Identification, TPAMI 2021, and its code.
    """

    def __init__(self, temperature: float = 0.1, name: str = "consecutive_contrast", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if not temperature > 0:
            raise ValueError(f"temperature: expected a positive number, received {temperature}.")
        self.temperature = temperature

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        walks = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        units = ops.normalize(y_pred, axis=-1)
        first, second = units[1:], units[:-1]
        doubled = ops.concatenate([first, second], axis=0)  # [2 (B - 1), D]
        similarities = ops.matmul(doubled, ops.transpose(doubled)) / self.temperature
        # Far below every similarity, and its exponential 0, without the infinity that would make slopes NaN.
        others = ops.logical_not(ops.eye(ops.shape(doubled)[0], dtype="bool"))
        totals = ops.logsumexp(ops.where(others, similarities, -1e9), axis=-1)
        close = ops.sum(first * second, axis=-1) / self.temperature  # [B - 1]
        losses = ops.sum(ops.reshape(totals, (2, -1)), axis=0) - 2.0 * close
        paired = ops.cast(ops.equal(walks[1:], walks[:-1]), losses.dtype)
        return ops.sum(losses * paired) / ops.maximum(2.0 * ops.sum(paired), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}
