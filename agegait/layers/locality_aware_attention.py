import keras
from keras import ops

from agegait.layers.local_attention import LocalAttention
from agegait.layers.tensors import Tensor


@keras.saving.register_keras_serializable(package="agegait")
class LocalityAwareAttention(LocalAttention):
    """Locality-aware attention (LA): a loss draws it to frames next to the reconstructed one.

    Step t (from 1) of a reverse decoder rebuilds frame p_t = f + 1 - t, one that goes forward p_t = t. Around it lies
    a Gaussian locality l_t(j) = exp(-(j - p_t)^2 / (2 sigma^2)); the loss term 1/2 sum_{t,j} (a_t(j) - l_t(j) a_t(j))^2
    draws the weights a_t to it. The weights themselves are not masked. Called on its own, the layer adds the term, a
    mean over the batch, to the model's losses; inside a `ReverseDecoder` the model that owns the decoder does.

    Args:
        units: Size k of a query.
        axes: Number A of axes.
        sigma: Width of the locality in frames; half the number of frames where absent.
        direction: `"reverse"` or `"forward"`, the order in which frames are reconstructed.

    Call arguments:
        query: The decoder's outputs g, `[A, B, S, k]`.
        value: The encoder's outputs h, `[A, B, f, k]`.

    Returns:
        The contexts `[A, B, S, k]` and the weights `[A, B, S, f]`, each row of which sums to 1.

    Raises:
        ValueError: sigma is not positive, or an unknown direction.

    Example:
        >>> attention = agegait.layers.LocalityAwareAttention(units=8)
        >>> attention.locality(steps=6, frames=6)[0].round(2)  # the first step reconstructs the last frame
        array([0.25, 0.41, 0.61, 0.8 , 0.95, 1.  ])
        >>> contexts, weights = attention(np.ones((3, 2, 6, 8), "float32"), np.ones((3, 2, 6, 8), "float32"))
        >>> len(attention.losses)
        1

    Reference:
        Rao et al., Self-Supervised Gait Encoding with Locality-Aware Attention, IJCAI 2020, equations 7 to 9.
    """

    def call(self, query: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        contexts, weights = super().call(query, value)
        self.add_loss(ops.mean(self.locality_loss(weights)))
        return contexts, weights

    def locality_loss(self, weights: Tensor) -> Tensor:
        """The loss term of each window, `[B]`, from the weights `[A, B, S, f]`: a sum over axes, steps and frames."""
        weights = ops.cast(weights, self.variable_dtype)
        outside = ops.convert_to_tensor(1 - self.locality(*weights.shape[2:]), dtype=self.variable_dtype)
        return 0.5 * ops.sum(ops.square(weights * outside), axis=(0, 2, 3))
