from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from agegait.data import padded
from agegait.export.embedder_endpoints import embedder_endpoints
from agegait.export.embedder_file import EmbedderFile
from agegait.serving.server.batched_run import run_batched
from agegait.serving.server.batcher import Batcher
from agegait.serving.server.call import Call
from agegait.serving.server.catalog import Catalog
from agegait.serving.server.servable import Servable, Signature, TensorSpec
from agegait.serving.server.walk_fault_error import WalkFaultError
from agegait.skeletons import JOINTS
from agegait.thresholds.calibration import Calibration
from agegait.thresholds.preset_name import STARTER, preset_name

_SIGNATURE = "padded"
_WALKS = (None, None, len(JOINTS), 3)


@dataclass(frozen=True, eq=False)
class GalleryModel:
    """The embedder of a served gallery.

    A gallery stays with the version that it began with: another embedder's embeddings do not compare.

    Attributes:
        name: What it is called, for the log.
        signature: What embeds walks of any lengths.
        embedder_file: Which embedder it is, and what its distances mean.
        source: What has to be kept while it runs.
    """

    name: str
    signature: Signature
    embedder_file: EmbedderFile
    source: Any

    @classmethod
    def of_servable(cls, servable: Servable) -> "GalleryModel | None":
        """An exported embedder of the 20 joints; None for another model, or one that does not say which it is."""
        signature = servable.signatures.get(_SIGNATURE)
        if servable.embedder is None or signature is None or signature.inputs["skeletons"].shape != _WALKS:
            return None
        return cls(f"{servable.name}/{servable.version}", signature, servable.embedder, servable)

    @classmethod
    def of_preset(cls, name: str, embedder: Any) -> "GalleryModel":
        """A `GaitEmbedder` that comes with agegait, by the same graph as if it were exported."""
        endpoint = embedder_endpoints(embedder)[_SIGNATURE]
        with tf.device("CPU"):
            traced = tf.function(endpoint.function, input_signature=endpoint.inputs, autograph=False)
            function = traced.get_concrete_function()
        signature = Signature(
            _SIGNATURE,
            {spec.name: _spec(spec) for spec in endpoint.inputs},
            {output: _spec(spec) for output, spec in function.structured_outputs.items()},
            function,
            endpoint.limits,
        )
        return cls(name, signature, EmbedderFile.of(embedder, Calibration.from_preset(name)), (embedder, traced))

    def embedder(self, batcher: Batcher, call: Call) -> "CallEmbedder":
        """It, as a gallery asks for it, in a request's place and time."""
        return CallEmbedder(self, batcher, call)


@dataclass(frozen=True, eq=False)
class CallEmbedder:
    """A `GalleryModel` at work for one request; an `agegait.gallery.Embedder`.

    Attributes:
        model: The model.
        batcher: What runs it.
        call: The request.
    """

    model: GalleryModel
    batcher: Batcher
    call: Call

    @property
    def embedding_size(self) -> int:
        """Size D of an embedding."""
        return self.model.embedder_file.embedding_size

    @property
    def frame_rate(self) -> float:
        """Frames a second of the walks that it takes."""
        return self.model.embedder_file.frame_rate

    def fingerprint(self) -> str:
        """What no other embedder has."""
        return self.model.embedder_file.fingerprint

    def embed(self, walks: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
        """Embeddings `[W, D]` of walks `[T, J, 3]`.

        Raises:
            WalkFaultError: A walk that shows no body, as the model says.
            StatusError: The model did not run.
        """
        together = padded(walks)
        inputs = {"skeletons": together["skeleton"], "lengths": together["length"]}
        outputs = run_batched(self.batcher, self.model.signature, inputs, self.call)
        for number, fault in enumerate(outputs.get("fault", ())):
            if fault:
                raise WalkFaultError(number, fault.decode())
        return outputs["embeddings"]


def find_gallery_model(catalog: Catalog, name: str | None, fingerprint: str | None) -> GalleryModel:
    """The embedder for a gallery.

    Args:
        catalog: The models that are served.
        name: Of one of them, or of an embedder that comes with agegait; None for any that fits.
        fingerprint: Of the embedder of the gallery's templates; None where it has none.

    Raises:
        ValueError: None fits.
    """
    from agegait.models import GaitEmbedder

    names = catalog.names() if name is None else [name]
    served = [
        model
        for each in names
        for _, servable in sorted(catalog.available(each).items(), reverse=True)
        if (model := GalleryModel.of_servable(servable)) is not None
    ]
    preset = None if name is None else preset_name(name)
    presets = [] if served and name is not None else [each for each in GaitEmbedder.PRESETS if preset in (None, each)]
    for model in served:
        if fingerprint in (None, model.embedder_file.fingerprint):
            return model
    for preset in presets:
        model = GalleryModel.of_preset(preset, GaitEmbedder.from_preset(preset))
        if fingerprint in (None, model.embedder_file.fingerprint):
            return model
        served.append(model)
    if not served:
        raise ValueError(
            f"model: expected an exported embedder that is served here, or {STARTER}, received "
            f"{name!r}: an embedder that an older version of agegait exported has to be exported again."
        )
    known = ", ".join(f"{model.name} ({model.embedder_file.fingerprint[:12]})" for model in served)
    raise ValueError(
        f"model: expected the embedder that made this gallery's templates, {str(fingerprint)[:12]}, found {known}."
    )


def _spec(spec: tf.TensorSpec) -> TensorSpec:
    return TensorSpec(spec.dtype.as_datatype_enum, tuple(spec.shape.as_list()))
