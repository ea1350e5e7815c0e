import tempfile
import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from .edge_metadata import EdgeMetadata
from .plain_path import plain_path

_METADATA = "agegait.json"


class LiteRTFile:
    """A model for LiteRT (TensorFlow Lite). Its metadata is `agegait.json` in the ZIP archive at the file's end.

    TensorFlow Lite keeps what belongs to a model in such an archive: runtimes do not look at it, `unzip` does.

    Args:
        path: What `agegait export --format litert` wrote.

    Attributes:
        metadata: What goes with the model.

    Raises:
        ValueError: Another file.
    """

    SUFFIX = ".tflite"
    PACKAGES = ("ai_edge_litert",)
    EXTRA = "litert"

    def __init__(self, path: str | PathLike[str], threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            with zipfile.ZipFile(path) as archive:
                self.metadata = EdgeMetadata.from_json(archive.read(_METADATA))
        except (zipfile.BadZipFile, KeyError) as error:
            raise ValueError(f"{path}: expected what `agegait export` writes, received something else.") from error
        # By its content: the interpreter takes a path for a pattern of the system's encoding.
        self._interpreter = Interpreter(model_content=Path(path).read_bytes(), num_threads=threads)
        self._run = self._interpreter.get_signature_runner()

    def __call__(self, skeletons: np.ndarray, lengths: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs by name, for walks `[B, T, J, 3]` and their lengths `[B]`."""
        return self._run(skeletons=skeletons, lengths=lengths)

    @classmethod
    def write(cls, graph: Any, path: Path, metadata: EdgeMetadata) -> None:
        """Converts an `EdgeGraph`, with weights as the metadata says."""
        import keras
        import tensorflow as tf

        archive = keras.export.ExportArchive()
        function = tf.function(graph.function, input_signature=graph.signature, autograph=False)
        function.get_concrete_function()
        archive.add_endpoint("serving_default", function)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder, plain_path(Path(folder)) as plain:
            archive.write_out(str(plain), verbose=False)
            converter = tf.lite.TFLiteConverter.from_saved_model(str(plain), signature_keys=["serving_default"])
            if metadata.quantization is not None:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if metadata.quantization == "float16":
                converter.target_spec.supported_types = [tf.float16]
            path.write_bytes(converter.convert())
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archived:
            archived.writestr(_METADATA, metadata.to_json())
