"""How both clients reach a server: methods, credentials, retries."""

import json
import os
from typing import Any, NamedTuple

import grpc

from agegait.serving.credentials import bearer, read_pem, require_pair
from agegait.serving.messages import (
    GetModelMetadataResponse,
    GetModelStatusResponse,
    HealthCheckResponse,
    PackedResponse,
)


class Method(NamedTuple):
    """A remote method: its path and what it answers with."""

    path: str
    response: Any


PREDICT = Method("/tensorflow.serving.PredictionService/Predict", PackedResponse)
METADATA = Method("/tensorflow.serving.PredictionService/GetModelMetadata", GetModelMetadataResponse)
STATUS = Method("/tensorflow.serving.ModelService/GetModelStatus", GetModelStatusResponse)
HEALTH = Method("/grpc.health.v1.Health/Check", HealthCheckResponse)

_RETRIES = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                # CANCELLED is what a server says that goes down before it has looked at a request.
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ]
}

OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.service_config", json.dumps(_RETRIES)),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
)
"""Requests that meet a server that goes, or is not there, are sent again: at most five times in all, and never past
their deadline."""


def channel_credentials(
    tls: bool,
    ca: str | os.PathLike | None,
    cert: str | os.PathLike | None,
    key: str | os.PathLike | None,
) -> grpc.ChannelCredentials | None:
    """TLS credentials from PEM files; None where TLS is not asked for.

    Raises:
        ValueError: A file that can't be read, or a certificate and a key that do not belong together, or one alone.
    """
    if (cert is None) != (key is None):
        raise ValueError("tls: expected both tls_cert and tls_key, or neither.")
    if not (tls or ca or cert):
        return None
    if cert is not None and key is not None:
        require_pair("tls", cert, key)
    return grpc.ssl_channel_credentials(
        root_certificates=None if ca is None else read_pem("tls_ca", ca),
        private_key=None if key is None else read_pem("tls_key", key),
        certificate_chain=None if cert is None else read_pem("tls_cert", cert),
    )


def call_metadata(token: str | None) -> list[tuple[str, str]] | None:
    """What goes with each request.

    Raises:
        ValueError: A token that no header can carry.
    """
    return None if token is None else [("authorization", bearer(token))]
