import keras
from keras import ops

from agegait.layers.local_attention import LocalAttention
from agegait.layers.tensors import Tensor


@keras.saving.register_keras_serializable(package="agegait")
class MaskedBasicAttention(LocalAttention):
    """Masked basic attention (MBAS): the mask keeps frames next to the reconstructed one.

    Step t (from 1) of a reverse decoder rebuilds frame p_t = f + 1 - t, one that goes forward p_t = t. The weights a_t
    of basic attention are multiplied by the Gaussian locality l_t(j) = exp(-(j - p_t)^2 / (2 sigma^2)); the context is
    c_t = sum_j l_t(j) a_t(j) h_j. Nothing draws the weights to the locality, and what the mask takes away is not given
    to other frames. The papers compare it with locality-aware attention.

    Args:
        units: Size k of a query.
        axes: Number A of axes.
        sigma: Width of the locality in frames; half the number of frames where absent.
        direction: `"reverse"` or `"forward"`, the order in which frames are reconstructed.

    Call arguments:
        query: The decoder's outputs g, `[A, B, S, k]`, those of steps 1 to S.
        value: The encoder's outputs h, `[A, B, f, k]`.

    Returns:
        The contexts `[A, B, S, k]` and the masked weights l_t(j) a_t(j) that they are made with, `[A, B, S, f]`; a row
        sums to less than 1.

    Raises:
        ValueError: sigma is not positive, or an unknown direction.

    Example:
        >>> attention = agegait.layers.MaskedBasicAttention(units=8)
        >>> contexts, weights = attention(np.ones((3, 2, 6, 8), "float32"), np.ones((3, 2, 6, 8), "float32"))
        >>> np.round(weights[0, 0, 0] * 6, 2)  # equal weights, times the locality of the first step
        array([0.25, 0.41, 0.61, 0.8 , 0.95, 1.  ], dtype=float32)

    Reference:
        Rao et al., Self-Supervised Gait Encoding with Locality-Aware Attention, IJCAI 2020, equations 7 and 8.
    """

    def weigh(self, query: Tensor, keys: Tensor, first: int = 0) -> Tensor:
        weights = super().weigh(query, keys, first)
        steps, frames = weights.shape[-2:]
        mask = self.locality(first + steps, frames)[first:]
        return weights * ops.convert_to_tensor(mask, dtype=self.variable_dtype)
