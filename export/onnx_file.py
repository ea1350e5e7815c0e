from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from .edge_metadata import EdgeMetadata

_KEY = "agegait"
_OPSET = 18
_SMALL = 1024
"""Weights of fewer numbers stay in float32: they take no room, and are what features are standardised by."""


class OnnxFile:
    """A model for ONNX Runtime. Its metadata is the property `agegait` of the file.

    Args:
        path: What `agegait export --format onnx` wrote.

    Attributes:
        metadata: What goes with the model.

    Raises:
        ValueError: Another file.
    """

    SUFFIX = ".onnx"
    PACKAGES = ("tf2onnx", "onnx", "onnxruntime")
    EXTRA = "onnx"

    def __init__(self, path: str | PathLike[str], threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.metadata = EdgeMetadata.from_json(self._session.get_modelmeta().custom_metadata_map.get(_KEY, ""))

    def __call__(self, skeletons: np.ndarray, lengths: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs by name, for walks `[B, T, J, 3]` and their lengths `[B]`."""
        found = self._session.run(None, {"skeletons": skeletons, "lengths": lengths})
        return {output.name: value for output, value in zip(self._session.get_outputs(), found, strict=True)}

    @classmethod
    def write(cls, graph: Any, path: Path, metadata: EdgeMetadata) -> None:
        """Converts an `EdgeGraph`, with weights as the metadata says."""
        import onnx
        import tensorflow as tf
        import tf2onnx

        function = tf.function(graph.function, input_signature=graph.signature, autograph=False)
        model, _ = tf2onnx.convert.from_function(
            function, input_signature=graph.signature, opset=_OPSET, custom_op_handlers={"SelectV2": (_select, [])}
        )
        _name_sizes(model)
        if metadata.quantization == "float16":
            _halve(model)
        elif metadata.quantization == "int8":
            model = _in_int8(model, path)
        onnx.helper.set_model_props(model, {_KEY: metadata.to_json()})
        onnx.checker.check_model(model)
        onnx.save(model, path)


def _select(ctx: Any, node: Any, name: str, args: Any) -> None:
    """Keeps a selection of numbers one: tf2onnx makes products of it, by which NaN and infinity would come through."""
    del name, args
    import onnx
    from tf2onnx.onnx_opset.controlflow import Select

    if ctx.get_dtype(node.output[0]) == onnx.TensorProto.FLOAT:
        node.type = "Where"
    else:
        Select.version_7(ctx, node)


def _name_sizes(model: Any) -> None:
    """Calls sizes that are not fixed by what they are, not by a number."""
    for value in (*model.graph.input, *model.graph.output):
        for size, name in zip(value.type.tensor_type.shape.dim, ("batch", "frames"), strict=False):
            if not size.HasField("dim_value"):
                size.dim_param = name


def _halve(model: Any) -> None:
    """Stores large weights in float16; they are cast to float32 when the file is loaded."""
    import onnx

    casts = []
    for weight in model.graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT or np.prod(weight.dims) < _SMALL:
            continue
        values = onnx.numpy_helper.to_array(weight).astype(np.float16)
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(values, f"{name}_float16"))
        casts.append(onnx.helper.make_node("Cast", [weight.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _in_int8(model: Any, path: Path) -> Any:
    """Weights in int8, one scale for each output; inputs of products are rounded as they come."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    flat = {weight.name for weight in model.graph.initializer if len(weight.dims) == 2}
    quantized = path.with_name(f"{path.stem}_quantized.onnx")
    quantize_dynamic(
        model,
        quantized,
        op_types_to_quantize=["MatMul", "Conv"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        # The runtime has no such products with a weight for each axis, those of attention.
        nodes_to_exclude=[
            node.name for node in model.graph.node if node.op_type == "MatMul" and node.input[1] not in flat
        ],
    )
    try:
        return onnx.load(quantized)
    finally:
        quantized.unlink()
