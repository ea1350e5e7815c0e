import hashlib
import json
from typing import Any

import keras
import numpy as np

_OF_NO_EFFECT = frozenset({"name", "trainable", "build_config", "compile_config", "registered_name", "module"})
"""What a config says besides that does not change what a model computes."""


def fingerprint(model: keras.Model) -> str:
    """The SHA-256 digest of all by which a model computes, its config and weights, as a hexadecimal number.

    It is the same for a model that was saved and loaded, whatever its name is.

    Raises:
        ValueError: A model without weights yet.
    """
    if not model.built:
        raise ValueError("fingerprint: expected a model with weights, received one that was not built.")
    digest = hashlib.sha256(json.dumps(_effective(model.get_config()), sort_keys=True).encode())
    for weight in model.weights:
        value = np.ascontiguousarray(keras.ops.convert_to_numpy(keras.ops.cast(weight, "float32")), "<f4")
        digest.update(f"{list(value.shape)}".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def _effective(config: Any) -> Any:
    if isinstance(config, dict):
        return {key: _effective(value) for key, value in config.items() if key not in _OF_NO_EFFECT}
    if isinstance(config, list | tuple):
        return [_effective(value) for value in config]
    return config
