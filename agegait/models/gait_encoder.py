from typing import Any

import keras
from keras import ops

from agegait.layers import BasicAttention, LocalityAwareAttention, MaskedBasicAttention, ReverseDecoder, SkeletonEncoder
from agegait.layers.tensors import Inputs, Shape, Tensor
from agegait.models.inputs import any_length, in_order, skeletons_of, unlabelled, unshuffled


@keras.saving.register_keras_serializable(package="agegait")
class GaitEncoder(keras.Model):
    """Learns gait features from unlabelled skeleton windows by rebuilding them, as a rule in reverse.

    Three encoder-decoders, one for each of x, y and z, run side by side as one model. The contexts of the decoder's
    attention, joined over the axes, are the attention-based gait encodings (AGEs).

    `fit` reads no labels. A window's loss is 1/2 of the squared reconstruction errors plus, with locality-aware
    attention, 1/2 of the squared attention outside the locality, each summed over axes, steps and joints or frames.
    The loss is the mean over the batch, plus `l2` times 1/2 the sum of the squared weights. It is the published loss,
    which sums over batches of 128, divided by 128: the same training whatever the batch size, if gradients are clipped
    at 5 / 128 (`agegait.training.optimizers.encoder_optimizer`).

    Args:
        frames: Frames f of a window.
        joints: Joints J of a frame.
        units: Size k of every LSTM layer.
        num_layers: LSTM layers of the encoder, and of the decoder.
        attention: `"LA"` for locality-aware attention, `"BA"` for basic attention, `"MBAS"` for basic attention whose
            weights are masked by the locality.
        feed: What the decoder is fed, see `agegait.layers.ReverseDecoder`.
        sigma: Width of the locality in frames; half the window where absent.
        locality_weight: Weight of the locality loss.
        l2: Weight of 1/2 the sum of squares of all weights, biases included; 0.02 over a batch of 128 in the published
            code.
        direction: `"reverse"` to rebuild windows last frame first, `"forward"` in their own order, which the paper
            compares it with; the locality is then around frame t at step t.

    Call arguments:
        inputs: Windows `[B, f, J, 3]` in metres, seen as they are given, or a dict that holds them as `"skeleton"`.
        few: Whether the batch has few windows. Another order of computation is faster then; results differ by rounding
            alone. Where absent, a batch of known size has if it is at most 16.

    Returns:
        A dict. `"reconstruction"`: `[B, f, J, 3]`, step t rebuilds frame f - 1 - t (from 0), or t where the direction
        is forward. `"attention"`: `[B, 3, f, f]`, axis, decoder step, encoder frame, the weights that AGEs are made
        with; rows sum to 1, masked ones to less. `"ages"`: `[B, f, 3 k]`.

    Raises:
        ValueError: An unknown attention, feed or direction, a size below 1, or windows of another shape.

    Example:
        >>> windows = np.random.default_rng(0).normal(size=(8, 6, 20, 3))
        >>> encoder = agegait.GaitEncoder(frames=6, joints=20, units=8, num_layers=1)
        >>> encoder.compile(optimizer="adam")
        >>> history = encoder.fit(windows, verbose=0)
        >>> encoder.predict(windows, verbose=0)["ages"].shape
        (8, 6, 24)

    Reference:
        Rao et al., Self-Supervised Gait Encoding with Locality-Aware Attention for Person Re-Identification, IJCAI
        2020, equations 1 to 10.
    """

    ATTENTIONS = ("LA", "BA", "MBAS")
    DIRECTIONS = LocalityAwareAttention.DIRECTIONS
    AXES = 3

    def __init__(
        self,
        frames: int = 6,
        joints: int = 20,
        units: int = 256,
        num_layers: int = 2,
        attention: str = "LA",
        feed: str = "zeros",
        sigma: float | None = None,
        locality_weight: float = 1.0,
        l2: float = 0.02 / 128,
        direction: str = "reverse",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if attention not in self.ATTENTIONS:
            raise ValueError(f"attention: expected one of {', '.join(self.ATTENTIONS)}, received {attention!r}.")
        if direction not in self.DIRECTIONS:
            raise ValueError(f"direction: expected one of {', '.join(self.DIRECTIONS)}, received {direction!r}.")
        for name, size in (("frames", frames), ("joints", joints), ("units", units)):
            if size < 1:
                raise ValueError(f"{name}: expected at least 1, received {size}.")
        self.frames = frames
        self.joints = joints
        self.units = units
        self.num_layers = num_layers
        self.attention = attention
        self.feed = feed
        self.sigma = sigma
        self.locality_weight = locality_weight
        self.l2 = l2
        self.direction = direction
        options = {"axes": self.AXES, "dtype": self.dtype_policy}
        self.encoder = SkeletonEncoder(units, num_layers, name="encoder", **options)
        if attention == "BA":
            attend = BasicAttention(units, name="attention", **options)
        else:
            kind = LocalityAwareAttention if attention == "LA" else MaskedBasicAttention
            attend = kind(units, sigma=sigma, direction=direction, name="attention", **options)
        self.decoder = ReverseDecoder(joints, attend, num_layers, feed, name="decoder", dtype=self.dtype_policy)
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction_loss")
        self.locality_tracker = keras.metrics.Mean(name="locality_loss") if attention == "LA" else None

    def build(self, input_shape: Shape) -> None:
        input_shape = skeletons_of(input_shape)
        self._check_windows(input_shape)
        axis_shape = (self.AXES, input_shape[0], self.frames, self.joints)
        self.encoder.build(axis_shape)
        self.decoder.build(*self.encoder.compute_output_shape(axis_shape))

    def call(self, inputs: Inputs, few: bool | None = None) -> dict[str, Tensor]:
        windows = skeletons_of(inputs)
        self._check_windows(windows.shape)
        by_axis = ops.transpose(windows, (3, 0, 1, 2))
        memory, states = self.encoder(by_axis, few=few)
        target = self._as_rebuilt(by_axis, axis=2) if self.feed == "target" else None
        reconstruction, attention, contexts = self.decoder(memory, states, target=target, few=few)
        return {
            "reconstruction": ops.transpose(reconstruction, (1, 2, 3, 0)),
            "attention": ops.transpose(attention, (1, 0, 2, 3)),
            "ages": self._joined(contexts),
        }

    def _as_rebuilt(self, windows: Tensor, axis: int) -> Tensor:
        """Windows with their frames in the order in which the decoder rebuilds them."""
        return ops.flip(windows, axis=axis) if self.direction == "reverse" else windows

    def _joined(self, by_axis: Tensor) -> Tensor:
        """Features of each axis, `[3, B, f, k]`, side by side, `[B, f, 3 k]`."""
        return ops.reshape(ops.transpose(by_axis, (1, 2, 0, 3)), (-1, self.frames, self.AXES * self.units))

    def _check_windows(self, shape: Shape) -> None:
        if tuple(shape[1:]) != (self.frames, self.joints, 3):
            raise ValueError(
                f"inputs: expected windows [B, {self.frames}, {self.joints}, 3], received a shape of {tuple(shape)}."
            )

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:
        """As `keras.Model.compile`, without losses and metrics: the model has its own."""
        for name, received in {"loss": loss, "metrics": metrics, **kwargs}.items():
            if received is not None and name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
                raise ValueError(f"{name}: expected None, as GaitEncoder has its own, received {received!r}.")
        super().compile(optimizer, **kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """As of `keras.Model`, which leaves a model uncompiled whose `compile` is its own."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The self-supervised loss of a batch, from its windows and what the model made of them; `y` is not read."""
        windows = ops.cast(skeletons_of(x), self.variable_dtype)
        errors = ops.cast(y_pred["reconstruction"], self.variable_dtype) - self._as_rebuilt(windows, axis=1)
        reconstruction = 0.5 * ops.sum(ops.square(errors), axis=(1, 2, 3))
        self.reconstruction_tracker.update_state(reconstruction, sample_weight)
        losses = reconstruction
        if self.locality_tracker is not None:
            locality = self.decoder.attention.locality_loss(ops.transpose(y_pred["attention"], (1, 0, 2, 3)))
            self.locality_tracker.update_state(locality, sample_weight)
            losses = losses + self.locality_weight * locality
        if sample_weight is not None:
            losses = losses * ops.cast(sample_weight, losses.dtype)
        return ops.mean(losses) + self.weight_loss()

    def weight_loss(self) -> Tensor:
        """`l2` times 1/2 the sum of squares of every trainable weight, biases included."""
        return 0.5 * self.l2 * sum(ops.sum(ops.square(weight)) for weight in self.trainable_weights)

    def make_train_function(self, force: bool = False) -> Any:
        """As of `keras.Model`, after all variables are made: TensorFlow traces a step twice that makes some itself."""
        if not self.built:
            self.build((None, self.frames, self.joints, 3))
        if not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        return super().make_train_function(force)

    def fit(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> keras.callbacks.History:
        """As `keras.Model.fit`, on windows alone: labels that a data set carries along are not read.

        A `tf.data.Dataset` may hold batches of windows, or single windows, which are batched by `batch_size`.
        """
        if kwargs.get("class_weight") is not None:
            raise ValueError("class_weight: expected None, as GaitEncoder reads no labels, received weights.")
        validation = kwargs.get("validation_data")
        if isinstance(validation, tuple | list):
            windows, _, weights = keras.utils.unpack_x_y_sample_weight(validation)
            kwargs["validation_data"] = (skeletons_of(windows), weights, weights)
        elif validation is not None:
            kwargs["validation_data"] = unlabelled(validation, kwargs.get("validation_batch_size") or batch_size)
        unshuffled(x, kwargs)
        # Keras drops weights that come without labels: they stand in for these, which are not read.
        labels = kwargs.get("sample_weight")
        with any_length(kwargs.get("steps_per_epoch")):
            return super().fit(unlabelled(x, batch_size), labels, batch_size=batch_size, **kwargs)

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any) -> Any:
        """As `keras.Model.evaluate`, on windows as `fit` takes them."""
        labels = kwargs.get("sample_weight")  # as in `fit`
        with any_length(kwargs.get("steps")):
            return super().evaluate(unlabelled(x, batch_size), labels, batch_size=batch_size, **kwargs)

    def predict(self, x: Any, batch_size: int | None = None, **kwargs: Any) -> Any:
        """As `keras.Model.predict`, on windows as `fit` takes them."""
        with any_length(kwargs.get("steps")):
            return super().predict(in_order(unlabelled(x, batch_size), batch_size), batch_size=batch_size, **kwargs)

    def states(self, x: Any, batch_size: int | None = None, **kwargs: Any) -> Any:
        """The encoder's outputs h_1..h_f, which AGEs are made of, `[B, f, 3 k]`, joined over the axes as AGEs are.

        The paper compares AGEs with them. Arguments are those of `predict`; the decoder does not run.
        """
        if not self.built:
            self.build((None, self.frames, self.joints, 3))
        windows = keras.Input((self.frames, self.joints, 3))
        memory, _ = self.encoder(ops.transpose(windows, (3, 0, 1, 2)))
        model = keras.Model(windows, self._joined(memory))
        with any_length(kwargs.get("steps")):
            return model.predict(in_order(unlabelled(x, batch_size), batch_size), batch_size=batch_size, **kwargs)

    def compute_output_shape(self, input_shape: Shape) -> dict[str, Shape]:
        batch = skeletons_of(input_shape)[0]
        return {
            "reconstruction": (batch, self.frames, self.joints, 3),
            "attention": (batch, self.AXES, self.frames, self.frames),
            "ages": (batch, self.frames, self.AXES * self.units),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "frames": self.frames,
            "joints": self.joints,
            "units": self.units,
            "num_layers": self.num_layers,
            "attention": self.attention,
            "feed": self.feed,
            "sigma": self.sigma,
            "locality_weight": self.locality_weight,
            "l2": self.l2,
            "direction": self.direction,
        }
