from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from agegait.layers import WindowMeasures
from agegait.layers.adaptation import gather
from agegait.layers.tensors import Inputs, Shape, Tensor
from agegait.models.gait_recognizer import GaitRecognizer
from agegait.models.inputs import in_order, skeletons_of

WINDOWS_AT_ONCE = 4096
"""Windows that `adapt` measures in one go: the differences of all their joints take a few hundred megabytes."""


@keras.saving.register_keras_serializable(package="agegait")
class WindowRecognizer(keras.Model):
    """Names a person from a window of skeletons itself, without an encoder.

    A recognition network on the window's coordinates and the distances between its joints, each standardised by what
    `adapt` has seen. It is what an encoder has to beat. The mean of its logits and a `GaitRecognizer`'s names
    somewhat more windows than either, see `GaitIdentifier`.

    The loss is Keras's to choose, as with `GaitRecognizer`.

    Args:
        num_persons: People N.
        units: Units of each hidden layer, one for each number; an integer is one layer.
        dropout: Share of hidden units dropped in training.
        kernel_initializer: Of every kernel.

    Call arguments:
        inputs: Windows `[B, f, J, 3]`, normalized, or a dict that holds them as `"skeleton"`.

    Returns:
        Logits `[B, N]`.

    Raises:
        ValueError: Windows of another rank, or of another size than those before, or `fit`, `evaluate` or `predict`
            before `adapt`.

    Example:
        >>> windows, persons = np.random.default_rng(0).normal(size=(20, 6, 5, 3)), np.arange(20) % 3
        >>> recognizer = agegait.WindowRecognizer(num_persons=3, units=8)
        >>> recognizer.adapt(windows)
        >>> recognizer.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> history = recognizer.fit(windows, persons, verbose=0)
        >>> recognizer.predict(windows, verbose=0).shape
        (20, 3)
    """

    def __init__(
        self,
        num_persons: int,
        units: int | Sequence[int] = 256,
        dropout: float = 0.0,
        kernel_initializer: str | dict | keras.initializers.Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.measures = WindowMeasures(name="measures", dtype=self.variable_dtype)
        self.recognizer = GaitRecognizer(
            num_persons,
            units=units,
            dropout=dropout,
            normalize="standardize",
            kernel_initializer=kernel_initializer,
            name="recognizer",
            dtype=self.dtype_policy,
        )

    @property
    def num_persons(self) -> int:
        """People N."""
        return self.recognizer.num_persons

    def adapt(self, windows: Any) -> None:
        """Takes what to standardise by from training windows.

        Args:
            windows: `[M, f, J, 3]`, or batches of them, such as a `tf.data.Dataset`; labels are not read.
        """
        windows = gather(windows, skeletons_of)
        measured = np.empty(self.measures.compute_output_shape(np.shape(windows)), "float32")
        for start in range(0, len(measured), WINDOWS_AT_ONCE):
            rows = slice(start, start + WINDOWS_AT_ONCE)
            measured[rows] = ops.convert_to_numpy(self.measures(windows[rows]))
        self.recognizer.adapt(measured)

    def build(self, input_shape: Shape) -> None:
        shape = skeletons_of(input_shape)
        self.recognizer.build((None, self.measures.compute_output_shape(shape)[1]))
        _, self.frames, self.joints, _ = shape

    def call(self, inputs: Inputs, training: bool = False) -> Tensor:
        windows = ops.convert_to_tensor(skeletons_of(inputs))
        measured = self.measures(windows)
        _, frames, joints, _ = windows.shape
        if (frames, joints) != (self.frames, self.joints):
            raise ValueError(
                f"inputs: expected windows of {self.frames} frames and {self.joints} joints, received {frames} and "
                f"{joints}."
            )
        return self.recognizer(measured, training=training)

    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """As `keras.Model.fit`, on windows as a call takes them."""
        self.recognizer.check_adapted()
        return super().fit(*args, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.evaluate`, on windows as a call takes them."""
        self.recognizer.check_adapted()
        return super().evaluate(*args, **kwargs)

    def predict(self, x: Any, batch_size: int | None = None, **kwargs: Any) -> Any:
        """As `keras.Model.predict`, on windows as a call takes them."""
        self.recognizer.check_adapted()
        return super().predict(in_order(x, batch_size), batch_size=batch_size, **kwargs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return skeletons_of(input_shape)[0], self.num_persons

    def get_config(self) -> dict[str, Any]:
        own = self.recognizer.get_config()
        return {
            **super().get_config(),
            **{name: own[name] for name in ("num_persons", "units", "dropout", "kernel_initializer")},
        }
