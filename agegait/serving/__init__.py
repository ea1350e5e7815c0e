"""The gRPC server of exported models, compatible with TensorFlow Serving, and the client that asks it.

The public names load on first use (PEP 562): the client needs grpcio, protobuf and NumPy alone, and importing it
imports neither Keras nor TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "AsyncClient": "client.async_client",
    "AsyncStream": "client.async_stream",
    "Client": "client.client",
    "ClientError": "client.client_errors",
    "AnswerPolicy": "server.answer_policy",
    "Identification": "client.walks",
    "Limits": "server.limits",
    "Server": "server.server",
    "Stream": "client.stream",
}

__all__ = [
    "AnswerPolicy",
    "AsyncClient",
    "AsyncStream",
    "Client",
    "ClientError",
    "Identification",
    "Limits",
    "Server",
    "Stream",
]

if TYPE_CHECKING:
    from agegait.serving.client.async_client import AsyncClient
    from agegait.serving.client.async_stream import AsyncStream
    from agegait.serving.client.client import Client
    from agegait.serving.client.client_errors import ClientError
    from agegait.serving.client.stream import Stream
    from agegait.serving.client.walks import Identification
    from agegait.serving.server.answer_policy import AnswerPolicy
    from agegait.serving.server.limits import Limits
    from agegait.serving.server.server import Server


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'agegait.serving' has no attribute {name!r}")
    return getattr(importlib.import_module(f"agegait.serving.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
