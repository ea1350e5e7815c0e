"""SavedModels of the trained models, for our gRPC server and for tensorflow/serving.

The public name loads on first use (PEP 562): it imports TensorFlow.
"""

from typing import TYPE_CHECKING, Any

__all__ = ["save"]

if TYPE_CHECKING:
    from .saved_models import save


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'agegait.export' has no attribute {name!r}")
    from .saved_models import save

    return save


def __dir__() -> list[str]:
    return sorted(__all__)
