from typing import Any

import keras
from keras import ops

from agegait.layers.axis_lstm import AxisLSTM
from agegait.layers.basic_attention import BasicAttention
from agegait.layers.initializers import glorot_uniform


@keras.saving.register_keras_serializable(package="agegait")
class ReverseDecoder(keras.layers.Layer):
    """The reverse-sequence decoder: LSTM layers with attention and input feeding, rebuilding a window last frame first.

    At step t the input is [d_t ; s_{t-1}], with d_t the frame fed in and s the attentional state, s_0 = 0. The last
    LSTM layer's output g_t asks the attention for a context c_t; s_t = W_a [g_t ; c_t]; y_t = W_o s_t + b_o rebuilds
    frame f + 1 - t. The contexts are the window's AGEs. Which frame a step rebuilds is the loss's, the target's and the
    attention's choice: where these are of direction `"forward"`, step t rebuilds frame t.

    Args:
        joints: Number J of values a frame and axis.
        attention: A `BasicAttention` layer, or one of its kinds, of the same number of axes; its units are the
            decoder's.
        num_layers: LSTM layers, as many as the encoder has.
        feed: What d_t is. `"zeros"`: nothing, as in the published code. `"previous"`: the frame just rebuilt, as in
            the paper's figure. `"target"`: the true frame before it (teacher forcing).

    Call arguments:
        memory: The encoder's outputs, `[A, B, f, k]`.
        initial_state: The encoder's final states, a pair `(h, c)` for each layer, `[A, B, k]` each.
        target: The window in the order that it is rebuilt in, `[A, B, f, J]`; needed, and read, only with
            `feed="target"`.

    Returns:
        The reconstruction `[A, B, f, J]`, step t rebuilding frame f + 1 - t; the attention's weights `[A, B, f, f]`,
        step by frame; the contexts `[A, B, f, k]`.

    Raises:
        ValueError: An unknown feed, a feed of targets without targets, or a number of states that is not the number of
            layers.

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

    def build(self, memory_shape, initial_state_shape=None, target_shape=None):
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

    def call(self, memory, initial_state, target=None):
        if len(initial_state) != self.num_layers:
            raise ValueError(f"initial_state: expected {self.num_layers} pairs (h, c), received {len(initial_state)}.")
        if self.feed == "target" and target is None:
            raise ValueError(
                'target: expected the window as it is to be rebuilt, as feed="target" asks, received None.'
            )
        batch, frames = ops.shape(memory)[1], memory.shape[2]
        kernels = [self._kernel(number) for number in range(self.num_layers)]
        state_kernel = ops.convert_to_tensor(self.state_kernel)
        keys = self.attention.keys(memory)
        states = [lstm.cast_state(state) for lstm, state in zip(self.lstms, initial_state, strict=True)]
        attentional = ops.zeros((self.axes, batch, self.units), dtype=self.compute_dtype)
        zeros = ops.zeros((self.axes, batch, self.joints), dtype=self.compute_dtype)
        shifted = [zeros, *ops.unstack(target, frames, axis=2)] if self.feed == "target" else None

        attentionals, weights, contexts = [], [], []
        previous = zeros
        for step in range(frames):
            inputs = attentional
            if self.feed != "zeros":
                inputs = ops.concatenate([previous if shifted is None else shifted[step], attentional], axis=-1)
            for number, lstm in enumerate(self.lstms):
                both = ops.concatenate([inputs, lstm.cast_product(states[number][0])], axis=-1)
                states[number] = lstm.advance(ops.matmul(both, kernels[number]), states[number])
                inputs = lstm.cast_product(states[number][0])
            query = ops.expand_dims(inputs, 2)
            context, weight = self.attention.attend(query, keys, memory, step)
            attentional = ops.matmul(ops.concatenate([inputs, context[:, :, 0]], axis=-1), state_kernel)
            if self.feed == "previous":
                previous = self._rebuild(ops.expand_dims(attentional, 2))[:, :, 0]
            attentionals.append(attentional)
            weights.append(weight)
            contexts.append(context)
        return (
            self._rebuild(ops.stack(attentionals, axis=2)),
            ops.concatenate(weights, axis=2),
            ops.concatenate(contexts, axis=2),
        )

    def _kernel(self, number):
        """One kernel for a layer's inputs and its state; without the rows of the frame fed in where it is zero."""
        kernel = ops.convert_to_tensor(self.lstms[number].kernel)
        if number == 0 and self.feed == "zeros":
            kernel = kernel[:, self.joints :]
        return ops.concatenate([kernel, ops.convert_to_tensor(self.lstms[number].recurrent_kernel)], axis=1)

    def _rebuild(self, attentional):
        """W_o s + b_o over some steps at once, `[A, B, S, k]` to `[A, B, S, J]`."""
        axes, batch, steps, size = ops.shape(attentional)
        rebuilt = ops.matmul(ops.reshape(attentional, (axes, batch * steps, size)), self.output_kernel)
        rebuilt = rebuilt + ops.expand_dims(ops.convert_to_tensor(self.output_bias), 1)
        return ops.reshape(rebuilt, (axes, batch, steps, self.joints))

    def compute_output_shape(self, memory_shape, initial_state_shape=None, target_shape=None):
        axes, batch, frames, size = memory_shape
        return (axes, batch, frames, self.joints), (axes, batch, frames, frames), (axes, batch, frames, size)

    def get_config(self):
        return {
            **super().get_config(),
            "joints": self.joints,
            "attention": keras.saving.serialize_keras_object(self.attention),
            "num_layers": self.num_layers,
            "feed": self.feed,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "attention": keras.saving.deserialize_keras_object(config["attention"])})
