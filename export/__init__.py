"""SavedModels of the trained models, the gRPC server that answers for them, and the client that asks it.

The public names load on first use (PEP 562): the client stands on grpcio, protobuf and NumPy alone, and importing it
imports neither Keras nor TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

from agegait.quiet import quiet_import

_HOMES = {
    "AsyncClient": "async_client",
    "AsyncStream": "async_stream",
    "Client": "client",
    "ClientError": "client_errors",
    "Identification": "walks",
    "Server": "server",
    "Stream": "stream",
    "save": "saved_models",
}
_WITH_TENSORFLOW = ("Server", "save")

__all__ = ["AsyncClient", "AsyncStream", "Client", "ClientError", "Identification", "Server", "Stream", "save"]

if TYPE_CHECKING:
    from agegait.export.async_client import AsyncClient
    from agegait.export.async_stream import AsyncStream
    from agegait.export.client import Client
    from agegait.export.client_errors import ClientError
    from agegait.export.saved_models import save
    from agegait.export.server import Server
    from agegait.export.stream import Stream
    from agegait.export.walks import Identification


def __getattr__(name: str) -> Any:
    if name in _WITH_TENSORFLOW:
        with quiet_import():
            return getattr(importlib.import_module(f"agegait.export.{_HOMES[name]}"), name)
    if name in _HOMES:
        return getattr(importlib.import_module(f"agegait.export.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'agegait.export' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
