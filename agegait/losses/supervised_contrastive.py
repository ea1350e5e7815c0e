from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="agegait")
class SupervisedContrastive(keras.losses.Loss):
    """Contrast within a batch: an embedding is to be nearer to those of its label than to all others.

    With cosines c_ij and the other samples P(i) of the label of sample i, its loss is the mean over p in P(i) of
    -log(exp(c_ip / temperature) / sum over j != i of exp(c_ij / temperature)). A sample that is alone with its label
    has a loss of 0: batches need several samples of each label, see `agegait.data.BalancedClips`.

    Labels may be people. They may be walks too, for which nobody has to be named: it is then contrast between walks.

    Args:
        temperature: Divides the cosines, more than 0.

    Call arguments:
        y_true: Labels, integers, `[B]`.
        y_pred: Embeddings, `[B, D]`, of any length.

    Returns:
        The mean over the batch.

    Raises:
        ValueError: A temperature that is not positive.

    Example:
        >>> embeddings = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        >>> bool(agegait.losses.SupervisedContrastive()([5, 5, 7, 7], embeddings) < 0.001)
        True

    Reference:
        Khosla et al., Supervised Contrastive Learning, NeurIPS 2020, equation 2.
    """

    def __init__(self, temperature: float = 0.1, name: str = "supervised_contrastive", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if not temperature > 0:
            raise ValueError(f"temperature: expected a positive number, received {temperature}.")
        self.temperature = temperature

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        labels = ops.reshape(ops.cast(y_true, "int32"), (-1, 1))
        embeddings = ops.normalize(y_pred, axis=-1)
        similarities = ops.matmul(embeddings, ops.transpose(embeddings)) / self.temperature  # [B, B]
        others = ops.logical_not(ops.eye(ops.shape(labels)[0], dtype="bool"))
        positives = ops.cast(ops.logical_and(ops.equal(labels, ops.transpose(labels)), others), similarities.dtype)
        # Far below every similarity, and its exponential 0, without the infinity that would make slopes NaN.
        log_shares = ops.log_softmax(ops.where(others, similarities, -1e9), axis=-1)
        counts = ops.sum(positives, axis=-1)
        return -ops.sum(ops.where(positives > 0, log_shares, 0.0), axis=-1) / ops.maximum(counts, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}
