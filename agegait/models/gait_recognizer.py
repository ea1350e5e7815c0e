from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from agegait.layers import Standardization, Whitening
from agegait.layers.adaptation import gather
from agegait.layers.tensors import Shape, Tensor
from agegait.models.inputs import any_length, in_order, unshuffled
from agegait.models.single_frames import batches_of_frames, single_frames


@keras.saving.register_keras_serializable(package="agegait")
class GaitRecognizer(keras.Model):
    """Names a person from the AGEs of a window.

    Manner `"ap"` (average prediction): the network sees single frames, a window's logits are the mean of its frames'.
    `fit` trains it on frames, each with its window's label, as the published code does: a batch is `batch_size` frames.
    Manner `"sc"` (sequence-level concatenation): the network sees the frames of a window joined.

    The loss is Keras's to choose: compile with `SparseCategoricalCrossentropy(from_logits=True)` for integer labels.

    Args:
        num_persons: People N.
        manner: `"ap"` or `"sc"`.
        units: Units of each hidden layer, one for each number; an integer is one layer. The paper has one of 256.
        dropout: Share of hidden units dropped in training.
        normalize: What is done to AGEs first, by the training data that `adapt` reads. None: nothing, as in the
            published recipe, though the scales of AGEs differ by a factor of fifty. `"standardize"`: each value gets
            mean 0 and variance 1. `"whiten"`: the correlation between a frame's values is removed as well, see
            `agegait.layers.Whitening`; the network then learns in a few epochs what takes hundreds otherwise.
        kernel_initializer: Of every kernel; N(0, 1) in the published code.

    Call arguments:
        inputs: AGEs `[B, f, D]`, D = 3 k, or single frames `[B, D]`.

    Returns:
        Logits `[B, N]`.

    Raises:
        ValueError: An unknown manner or normalization, single frames with manner `"sc"`, AGEs of another size than
            those before, or `fit`, `evaluate` or `predict` before `adapt` where something is normalized.

    Example:
        >>> ages, persons = np.random.default_rng(0).normal(size=(20, 6, 12)), np.arange(20) % 3
        >>> recognizer = agegait.GaitRecognizer(num_persons=3, units=8, normalize="standardize")
        >>> recognizer.adapt(ages)
        >>> recognizer.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> history = recognizer.fit(ages, persons, verbose=0)
        >>> recognizer.predict(ages, verbose=0).shape
        (20, 3)

    Reference:
        Rao et al., Self-Supervised Gait Encoding with Locality-Aware Attention, IJCAI 2020, section 3.4.
    """

    MANNERS = ("ap", "sc")
    NORMALIZATIONS = (None, "standardize", "whiten")

    def __init__(
        self,
        num_persons: int,
        manner: str = "ap",
        units: int | Sequence[int] = 256,
        dropout: float = 0.0,
        normalize: str | None = None,
        kernel_initializer: str | dict | keras.initializers.Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        # No autocast: AGEs in bfloat16 would be whitened or standardised to large errors.
        super().__init__(autocast=False, **kwargs)
        if manner not in self.MANNERS:
            raise ValueError(f"manner: expected one of {', '.join(self.MANNERS)}, received {manner!r}.")
        if normalize not in self.NORMALIZATIONS:
            known = ", ".join(map(repr, self.NORMALIZATIONS))
            raise ValueError(f"normalize: expected one of {known}, received {normalize!r}.")
        self.num_persons = num_persons
        self.manner = manner
        self.units = units if isinstance(units, int) else list(units)
        self.dropout = dropout
        self.normalize = normalize
        self.kernel_initializer = kernel_initializer
        self.normalization: Whitening | Standardization | None = None
        if normalize is not None:
            kind = Whitening if normalize == "whiten" else Standardization
            self.normalization = kind(name="normalization", dtype=self.variable_dtype)
        options = {"dtype": self.dtype_policy}
        self.hidden = []
        for number, size in enumerate([units] if isinstance(units, int) else units):
            self.hidden.append(keras.layers.Dense(size, "relu", name=f"hidden_{number}", **self._kernel(), **options))
            self.hidden.append(keras.layers.Dropout(dropout, name=f"dropout_{number}", **options))
        self.logits = keras.layers.Dense(num_persons, name="logits", **self._kernel(), **options)

    def _kernel(self) -> dict[str, keras.initializers.Initializer]:
        # A clone each draws for itself: one instance gives kernels of equal shape equal values.
        return {"kernel_initializer": keras.initializers.get(self.kernel_initializer).clone()}

    def adapt(self, ages: Any) -> None:
        """Takes what to standardise or whiten by from training AGEs.

        Args:
            ages: `[M, f, D]`, or batches of them, such as a `tf.data.Dataset`; labels are not read.
        """
        if self.normalization is None:
            raise ValueError('adapt: expected a recognizer with normalize="standardize" or "whiten", received None.')
        ages = gather(ages)
        # Frames are whitened one by one, a joined window's values standardised each by itself.
        size = ages.shape[-1] if self.normalize == "whiten" else self._size(ages.shape)
        self.normalization.adapt(np.reshape(ages, (-1, size)))

    def check_adapted(self) -> None:
        """Raises ValueError where AGEs are to be normalized and nothing was adapted to."""
        if self.normalization is not None and not self.normalization.adapted:
            raise ValueError(f"normalize: expected adapt(ages) before, as {self.normalize!r} needs, received no data.")

    def build(self, input_shape: Shape) -> None:
        self.size = self._size(input_shape)
        shape = (None, self.size)
        if self.normalization is not None and not self.normalization.built:
            self.normalization.build((None, input_shape[-1]) if self.normalize == "whiten" else shape)
        for layer in (*self.hidden, self.logits):
            if not layer.built:
                layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def _size(self, input_shape: Shape) -> int:
        if len(input_shape) == 3:
            return input_shape[-1] if self.manner == "ap" else input_shape[1] * input_shape[2]
        if len(input_shape) == 2 and self.manner == "ap":
            return input_shape[-1]
        expected = "AGEs [B, f, D]" + (" or [B, D]" if self.manner == "ap" else "")
        raise ValueError(f"inputs: expected {expected}, received a shape of {tuple(input_shape)}.")

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        size = self._size(inputs.shape)
        if size != self.size:
            raise ValueError(f"inputs: expected AGEs of {self.size} values, received {size} in {tuple(inputs.shape)}.")
        windows = len(inputs.shape) == 3 and self.manner == "ap"
        hidden = inputs
        if self.normalization is not None and self.normalize == "whiten":
            hidden = self.normalization(hidden)
        hidden = ops.reshape(hidden, (-1, size))
        if self.normalization is not None and self.normalize == "standardize":
            hidden = self.normalization(hidden)
        for layer in self.hidden:
            hidden = layer(hidden, training=training) if isinstance(layer, keras.layers.Dropout) else layer(hidden)
        logits = self.logits(hidden)
        if windows:
            logits = ops.mean(ops.reshape(logits, (-1, inputs.shape[1], self.num_persons)), axis=1)
        return logits

    def rows(self, ages: Any, persons: Any) -> tuple[Any, ...]:
        """What `fit` trains on: with manner `"ap"` single frames, each with its window's label; else what is given.

        Args:
            ages: `[M, f, D]`.
            persons: `[M]`.

        Returns:
            `[M f, D]` and `[M f]`, or the arguments.
        """
        return (ages, persons) if self.manner == "sc" else single_frames(ages, persons)

    def fit(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> keras.callbacks.History:
        """As `keras.Model.fit`, on AGEs `[M, f, D]` and people `[M]`, or batches of such pairs.

        Batches come in a `tf.data.Dataset`, a `keras.utils.PyDataset` or a generator. With manner `"ap"` the training
        data, not the validation data, become single frames.
        """
        self.check_adapted()
        if not hasattr(x, "shape") and not isinstance(x, list):
            unshuffled(x, kwargs)
            batches = x if self.manner == "sc" else batches_of_frames(x)
            with any_length(kwargs.get("steps_per_epoch")):
                return super().fit(batches, y, batch_size=batch_size, **kwargs)
        weights = kwargs.pop("sample_weight", None)
        if split := kwargs.pop("validation_split", 0):
            # Here, where windows are whole; the last ones, as Keras does.
            first = int(len(x) * (1 - split))
            held = [part if part is None else part[first:] for part in (x, y, weights)]
            kwargs["validation_data"] = tuple(held)
            x, y, weights = (part if part is None else part[:first] for part in (x, y, weights))
        if weights is not None:
            _, weights = self.rows(x, weights)
        x, y = self.rows(x, y)
        return super().fit(x, y, batch_size=batch_size, sample_weight=weights, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.evaluate`, on AGEs as a call takes them."""
        self.check_adapted()
        return super().evaluate(*args, **kwargs)

    def predict(self, x: Any, batch_size: int | None = None, **kwargs: Any) -> Any:
        """As `keras.Model.predict`, on AGEs as a call takes them."""
        self.check_adapted()
        return super().predict(in_order(x, batch_size), batch_size=batch_size, **kwargs)

    def embed(self, ages: Any) -> np.ndarray:
        """What windows are compared by where nobody is named: in searches, and of people who were never trained on.

        The mean over a window's frames. Where AGEs are whitened, each direction counts the same in it and it has unit
        length, which makes the distance of two windows that of the angle between them. No label has a part in that.

        Args:
            ages: `[M, f, D]`, or means over frames `[M, D]`.

        Returns:
            `[M, D]`, a NumPy array.

        Raises:
            ValueError: Another rank, or AGEs of another size than those adapted to.
        """
        ages = np.asarray(ages)
        if ages.ndim not in (2, 3):
            raise ValueError(f"ages: expected [M, f, D] or [M, D], received a shape of {ages.shape}.")
        means = ages.mean(axis=1) if ages.ndim == 3 else ages
        if self.normalization is None or self.normalize != "whiten":
            return means
        self.check_adapted()
        if ages.shape[-1] != (size := self.normalization.mean.shape[0]):
            raise ValueError(f"ages: expected {size} values a frame, received {ages.shape[-1]} in {ages.shape}.")
        white = np.asarray(ops.convert_to_numpy(self.normalization(means)), "float32")
        lengths = np.linalg.norm(white, axis=-1, keepdims=True)
        return np.divide(white, lengths, where=lengths > 0, out=np.zeros_like(white))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape[0], self.num_persons

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_persons": self.num_persons,
            "manner": self.manner,
            "units": self.units,
            "dropout": self.dropout,
            "normalize": self.normalize,
            "kernel_initializer": keras.initializers.serialize(keras.initializers.get(self.kernel_initializer)),
        }
