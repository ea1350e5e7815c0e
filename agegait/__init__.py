"""agegait names people by the way they walk, from 3D skeletons alone.

The public names load on first use (PEP 562), so that `import agegait` costs nothing and the command line and the
gRPC client start without TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

from agegait.registration import register_with_keras

__version__ = "0.1.0"

_LAYERS = (
    "AxisLSTM",
    "BasicAttention",
    "BodyCheck",
    "LocalityAwareAttention",
    "MaskedBasicAttention",
    "ReverseDecoder",
    "SkeletonEncoder",
    "SkeletonNormalization",
    "Whitening",
    "WindowMeasures",
)
_MODELS = ("GaitEncoder", "GaitIdentifier", "GaitRecognizer", "WindowRecognizer")
_MODULES = (
    "baselines",
    "convert",
    "data",
    "datasets",
    "descriptors",
    "evaluation",
    "export",
    "inspection",
    "layers",
    "limbs",
    "losses",
    "metrics",
    "models",
    "plots",
    "protocols",
    "report",
    "reproduction",
    "serving",
    "skeletons",
    "stored",
    "training",
    "tuning",
)

__all__ = [
    "AxisLSTM",
    "BasicAttention",
    "BodyCheck",
    "GaitEncoder",
    "GaitIdentifier",
    "GaitRecognizer",
    "LocalityAwareAttention",
    "MaskedBasicAttention",
    "ReverseDecoder",
    "SkeletonEncoder",
    "SkeletonNormalization",
    "Whitening",
    "WindowMeasures",
    "WindowRecognizer",
    "__version__",
    "baselines",
    "convert",
    "data",
    "datasets",
    "descriptors",
    "evaluation",
    "export",
    "inspection",
    "layers",
    "limbs",
    "losses",
    "metrics",
    "models",
    "plots",
    "protocols",
    "report",
    "reproduction",
    "serving",
    "skeletons",
    "stored",
    "training",
    "tuning",
]

if TYPE_CHECKING:
    import agegait.export as export
    from agegait import (
        baselines,
        convert,
        data,
        datasets,
        descriptors,
        evaluation,
        inspection,
        layers,
        limbs,
        losses,
        metrics,
        models,
        plots,
        protocols,
        report,
        reproduction,
        serving,
        skeletons,
        stored,
        training,
        tuning,
    )
    from agegait.layers import (
        AxisLSTM,
        BasicAttention,
        BodyCheck,
        LocalityAwareAttention,
        MaskedBasicAttention,
        ReverseDecoder,
        SkeletonEncoder,
        SkeletonNormalization,
        Whitening,
        WindowMeasures,
    )
    from agegait.models import GaitEncoder, GaitIdentifier, GaitRecognizer, WindowRecognizer


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"agegait.{name}")
    if name in _LAYERS:
        return getattr(importlib.import_module("agegait.layers"), name)
    if name in _MODELS:
        return getattr(importlib.import_module("agegait.models"), name)
    raise AttributeError(f"module 'agegait' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


register_with_keras()
