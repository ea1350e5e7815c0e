from typing import Any

import keras
import numpy as np
from keras import ops

from agegait.layers import CosineClassifier
from agegait.layers.tensors import Shape, Tensor


@keras.saving.register_keras_serializable(package="agegait")
class EmbeddingRecognizer(keras.Model):
    """Identifies the people whose walks an embedder was shown, by the mean embedding of each person.

    A person's logit is the cosine between a walk's embedding and the person's mean, times a scale. The means are
    templates of these people: they are kept apart from the embedder, which knows nobody.

    Args:
        num_persons: People N.
        scale: What cosines are multiplied by. Smaller than in training, so that an embedding of few frames does not
            outvote a `GaitRecognizer`, see `docs/results.md`.

    Call arguments:
        inputs: Embeddings `[B, D]` of a `GaitEmbedder`.

    Returns:
        Logits `[B, N]`; of an embedding of zeros, which stands for nothing, zeros.

    Raises:
        ValueError: Embeddings of another size than those of the people, or a scale that is not positive.

    Example:
        >>> embeddings, persons = np.eye(4, 8), [0, 0, 1, 1]
        >>> recognizer = agegait.EmbeddingRecognizer(num_persons=2)
        >>> recognizer.adapt(embeddings, persons)
        >>> recognizer.predict(embeddings, verbose=0).argmax(axis=1).tolist()
        [0, 0, 1, 1]
    """

    def __init__(self, num_persons: int, scale: float = 10.0, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        if num_persons < 1:
            raise ValueError(f"num_persons: expected at least 1, received {num_persons}.")
        if not scale > 0:
            raise ValueError(f"scale: expected a positive number, received {scale}.")
        self.num_persons = num_persons
        self.scale = scale
        self.persons = CosineClassifier(num_persons, name="persons", dtype=self.variable_dtype)

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) != 2:
            raise ValueError(f"inputs: expected embeddings [B, D], received a shape of {tuple(input_shape)}.")
        self.embedding_size = input_shape[1]
        self.persons.build(input_shape)

    def adapt(self, embeddings: Any, persons: Any) -> None:
        """Takes each person's mean from walks, in place of what was known of them.

        Args:
            embeddings: `[W, D]`, one of each walk.
            persons: `[W]` integers from 0, whose walk each is.

        Raises:
            ValueError: Somebody without a walk, or somebody else.
        """
        embeddings, persons = np.asarray(embeddings, "float32"), np.asarray(persons)
        found = np.unique(persons)
        if embeddings.ndim != 2 or persons.shape != embeddings.shape[:1]:
            raise ValueError(
                f"embeddings, persons: expected [W, D] and [W], received shapes of {embeddings.shape} and "
                f"{persons.shape}."
            )
        if not np.array_equal(found, np.arange(self.num_persons)):
            raise ValueError(
                f"persons: expected at least one walk of each of {self.num_persons} people, received some of "
                f"{len(found)}."
            )
        if not self.built:
            self.build((None, embeddings.shape[1]))
        means = np.stack([embeddings[persons == person].mean(axis=0) for person in found], axis=1)
        self.persons.set_weights([means / np.linalg.norm(means, axis=0)])

    def call(self, inputs: Tensor) -> Tensor:
        embeddings = ops.convert_to_tensor(inputs)
        if len(embeddings.shape) != 2 or embeddings.shape[1] != self.embedding_size:
            raise ValueError(
                f"inputs: expected embeddings [B, {self.embedding_size}], received a shape of "
                f"{tuple(embeddings.shape)}."
            )
        return self.scale * self.persons(embeddings)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape[0], self.num_persons

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_persons": self.num_persons, "scale": self.scale}
