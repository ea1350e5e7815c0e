"""How the models read what Keras users feed them: arrays, dicts of features, tf.data."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

DEFAULT_BATCH = 128


def skeletons_of(inputs: Any) -> Any:
    """The skeletons of a tensor of skeletons, or of a dict of features that has them under `"skeleton"`."""
    if not isinstance(inputs, dict):
        return inputs
    if "skeleton" not in inputs:
        raise ValueError(f'inputs: expected a dict with "skeleton", received keys {sorted(inputs)}.')
    return inputs["skeleton"]


def unlabelled(data: Any, batch_size: int | None = None) -> Any:
    """Windows alone, in batches: what self-supervised training reads of a `tf.data.Dataset`, an array or a dict."""
    if not hasattr(data, "element_spec"):
        return skeletons_of(data)

    def windows(*element):
        return skeletons_of(element[0])

    data = data.map(windows)
    single_windows = data.element_spec.shape.rank == 3
    return data.batch(batch_size or DEFAULT_BATCH) if single_windows else data


@contextlib.contextmanager
def any_length(steps: int | None = None) -> Iterator[None]:
    """Without Keras's warning at the end of a data set whose length it did not know, such as windows of walks.

    Where somebody says how many steps there are, a data set that ends before them is worth the warning.
    """
    with warnings.catch_warnings():
        if steps is None:
            warnings.filterwarnings("ignore", message="Your input ran out of data")
        yield
