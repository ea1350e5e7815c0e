from collections.abc import Sequence
from typing import Any, Self

import keras
from keras import ops

from agegait.layers.axis_lstm import AxisLSTM, has_few_rows
from agegait.layers.basic_attention import BasicAttention
from agegait.layers.initializers import glorot_uniform
from agegait.layers.lstm_cell import LSTMCell
from agegait.layers.tensors import Shape, State, Tensor


@keras.saving.register_keras_serializable(package="agegait")
class ReverseDecoder(keras.layers.Layer):
    """The decoder: LSTM layers with attention and input feeding that reconstruct a window in reverse order.

    At step t the input is [d_t ; s_{t-1}], with d_t the frame fed in and s the attentional state, s_0 = 0. The last
    LSTM layer's output g_t asks the attention for a context c_t; s_t = W_a [g_t ; c_t]; y_t = W_o s_t + b_o rebuilds
    frame f + 1 - t. The contexts are the window's AGEs. Which frame a step rebuilds is the loss's, the target's and the
    attention's choice: where these are of direction `"forward"`, step t rebuilds frame t.

    Args:
        joints: Number J of values a frame and axis.
        attention: A `BasicAttention` layer, or one of its kinds, of the same number of axes; its units are the
            decoder's.
        num_layers: LSTM layers, as many as the encoder has.
        feed: What d_t is. `"zeros"`: nothing, as in the published code. `"previous"`: the last reconstruction, as in
            the paper's figure. `"target"`: the true frame before it (teacher forcing).

    Call arguments:
        memory: The encoder's outputs, `[A, B, f, k]`.
        initial_state: The encoder's final states, a pair `(h, c)` for each layer, `[A, B, k]` each.
        target: The window in the order of reconstruction, `[A, B, f, J]`; needed, and read, only with
            `feed="target"`.
        few: Whether the batch has few rows, see `AxisLSTM`.

    Returns:
        The reconstruction `[A, B, f, J]`, step t rebuilding frame f + 1 - t; the attention's weights `[A, B, f, f]`,
        step by frame; the contexts `[A, B, f, k]`.

    Raises:
        ValueError: An unknown feed, a feed of targets without targets, or a number of states that is not the number of
            layers.

    Example:
        >>> memory, states = agegait.layers.SkeletonEncoder(units=8)(np.ones((3, 2, 6, 20), "float32"))
        >>> attention = agegait.layers.LocalityAwareAttention(units=8)
        >>> decoder = agegait.layers.ReverseDecoder(joints=20, attention=attention)
        >>> reconstruction, weights, contexts = decoder(memory, states)
        >>> reconstruction.shape, weights.shape, contexts.shape
        (TensorShape([3, 2, 6, 20]), TensorShape([3, 2, 6, 6]), TensorShape([3, 2, 6, 8]))

    Reference:
        Rao et al., Self-Supervised Gait Encoding with Locality-Aware Attention, IJCAI 2020, equations 2 to 6; Luong et
        al., EMNLP 2015, for input feeding.
    """

    FEEDS = ("zeros", "previous", "target")

    def __init__(
        self, joints: int, attention: BasicAttention, num_layers: int = 2, feed: str = "zeros", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if feed not in self.FEEDS:
            raise ValueError(f"feed: expected one of {', '.join(self.FEEDS)}, received {feed!r}.")
        self.joints = joints
        self.attention = attention
        self.num_layers = num_layers
        self.feed = feed
        self.units = attention.units
        self.axes = attention.axes
        self.lstms = [
            AxisLSTM(self.units, self.axes, name=f"lstm_{number}", dtype=self.dtype_policy)
            for number in range(num_layers)
        ]

    def build(self, memory_shape: Shape, initial_state_shape: Any = None, target_shape: Shape | None = None) -> None:
        k = self.units
        sizes = [self.joints + k] + [k] * (self.num_layers - 1)
        for lstm, size in zip(self.lstms, sizes, strict=True):
            lstm.build((self.axes, memory_shape[1], memory_shape[2], size))
        if not self.attention.built:  # one that was saved with its decoder comes back built
            self.attention.build((self.axes, *memory_shape[1:3], k), memory_shape)
        self.state_kernel = self.add_weight(
            name="state_kernel", shape=(self.axes, 2 * k, k), initializer=glorot_uniform(2 * k, k)
        )
        self.output_kernel = self.add_weight(
            name="output_kernel",
            shape=(self.axes, k, self.joints),
            initializer=keras.initializers.TruncatedNormal(stddev=0.1),
        )
        self.output_bias = self.add_weight(name="output_bias", shape=(self.axes, self.joints), initializer="zeros")

    def call(
        self,
        memory: Tensor,
        initial_state: Sequence[State],
        target: Tensor | None = None,
        few: bool | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        if len(initial_state) != self.num_layers:
            raise ValueError(f"initial_state: expected {self.num_layers} pairs (h, c), received {len(initial_state)}.")
        if self.feed == "target" and target is None:
            raise ValueError(
                'target: expected the window in the order of reconstruction for feed="target", received None.'
            )
        # The first layer leaves the rows of a frame that is always zero out.
        unread = [self.joints if self.feed == "zeros" and number == 0 else 0 for number in range(self.num_layers)]
        few = has_few_rows(memory) if few is None else few
        cells = [lstm.cells(rows, few) for lstm, rows in zip(self.lstms, unread, strict=True)]
        states = [lstm.states_by_axis(state) for lstm, state in zip(self.lstms, initial_state, strict=True)]
        by_axis = [memory, self.attention.keys(memory), self.state_kernel, self.output_kernel, self.output_bias]
        if self.feed == "target":
            by_axis.append(target)
        decoded = [
            self._decode(*parts)
            for parts in zip(
                zip(*cells, strict=True),
                zip(*states, strict=True),
                *(ops.unstack(ops.convert_to_tensor(tensor), self.axes) for tensor in by_axis),
                strict=True,
            )
        ]
        return tuple(ops.stack(part) for part in zip(*decoded, strict=True))

    def _decode(
        self,
        cells: Sequence[LSTMCell],
        states: Sequence[State],
        memory: Tensor,
        keys: Tensor,
        state_kernel: Tensor,
        output_kernel: Tensor,
        output_bias: Tensor,
        target: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One axis: the cells and states of its layers, all else without the leading axis."""

        def rebuild(attentional: Tensor) -> Tensor:
            return ops.matmul(attentional, output_kernel) + output_bias

        frames = memory.shape[1]
        fed = ops.unstack(target, frames, axis=1) if self.feed == "target" else []
        states = list(states)
        attentionals, weights, contexts = [], [], []
        inputs = None  # zeros
        for step in range(frames):
            for number, cell in enumerate(cells):
                states[number] = cell(inputs, states[number])
                inputs = states[number][0]
            context, weight = self.attention.attend(ops.expand_dims(inputs, 1), keys, memory, step)
            inputs = ops.matmul(ops.concatenate([inputs, ops.squeeze(context, 1)], axis=-1), state_kernel)
            attentionals.append(inputs)
            weights.append(weight)
            contexts.append(context)
            if self.feed == "previous":
                fed.append(rebuild(inputs))
            if self.feed != "zeros":
                inputs = ops.concatenate([fed[step], inputs], axis=-1)
        rebuilt = rebuild(ops.reshape(ops.stack(attentionals, axis=1), (-1, self.units)))
        return (
            ops.reshape(rebuilt, (-1, frames, self.joints)),
            ops.concatenate(weights, axis=1),
            ops.concatenate(contexts, axis=1),
        )

    def compute_output_shape(
        self, memory_shape: Shape, initial_state_shape: Any = None, target_shape: Shape | None = None
    ) -> tuple[Shape, Shape, Shape]:
        axes, batch, frames, size = memory_shape
        return (axes, batch, frames, self.joints), (axes, batch, frames, frames), (axes, batch, frames, size)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "joints": self.joints,
            "attention": keras.saving.serialize_keras_object(self.attention),
            "num_layers": self.num_layers,
            "feed": self.feed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**{**config, "attention": keras.saving.deserialize_keras_object(config["attention"])})
