"""Work on many rows in pieces of bounded size, in the graph: memory grows with the answer, not with the work."""

from collections.abc import Callable

import tensorflow as tf

PIECE = 1024
"""Windows that are worked on at once: enough to keep all cores busy."""


def map_pieces(
    function: Callable[[tf.Tensor], dict[str, tf.Tensor]],
    count: tf.Tensor,
    specs: dict[str, tf.TensorSpec],
    piece: int | tf.Tensor,
) -> dict[str, tf.Tensor]:
    """What a function gives of rows, a piece at a time, joined.

    Args:
        function: Takes the numbers of some rows, in order, `[n]`, and gives tensors `[n, ...]`.
        count: How many rows there are.
        specs: What those tensors are: `[None, ...]` by name.
        piece: Most rows at once.
    """
    arrays = {
        name: tf.TensorArray(spec.dtype, size=0, dynamic_size=True, infer_shape=False, element_shape=spec.shape)
        for name, spec in specs.items()
    }

    def step(number: tf.Tensor, arrays: dict[str, tf.TensorArray]) -> tuple[tf.Tensor, dict[str, tf.TensorArray]]:
        found = function(_rows(number, count, piece))
        return number + 1, {name: array.write(number, found[name]) for name, array in arrays.items()}

    # Once at least, so that there is something to join.
    _, arrays = tf.while_loop(
        lambda number, _: (number == 0) | (number * piece < count), step, (0, arrays), parallel_iterations=1
    )
    return {name: array.concat() for name, array in arrays.items()}


def sum_pieces(
    function: Callable[[tf.Tensor], tuple[tf.Tensor, dict[str, tf.Tensor]]],
    count: tf.Tensor,
    totals: dict[str, tf.Tensor],
    piece: int,
) -> dict[str, tf.Tensor]:
    """Adds what a function gives of rows to totals, a piece at a time.

    Args:
        function: Takes the numbers of some rows, in order, `[n]`, and gives to which of the totals each belongs, `[n]`,
            and what it adds to that, `[n, ...]` for each of the totals.
        count: How many rows there are.
        totals: `[M, ...]` by name, to begin with.
        piece: Most rows at once.
    """

    def step(number: tf.Tensor, totals: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        owners, found = function(_rows(number, count, piece))
        places = owners[:, None]
        return number + 1, {
            name: tf.tensor_scatter_nd_add(total, places, found[name]) for name, total in totals.items()
        }

    _, totals = tf.while_loop(lambda number, _: number * piece < count, step, (0, totals), parallel_iterations=1)
    return totals


def _rows(number: tf.Tensor, count: tf.Tensor, piece: int | tf.Tensor) -> tf.Tensor:
    return tf.range(number * piece, tf.minimum((number + 1) * piece, count))
