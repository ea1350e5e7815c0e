"""How both clients reach a server: methods, credentials, gRPC's options."""

import os
from typing import Any, NamedTuple

import grpc

from agegait.serving.credentials import bearer, read_pem, require_pair
from agegait.serving.gallery_pb2 import (
    EnrolResponse,
    ForgetResponse,
    IdentifyResponse,
    ListPeopleResponse,
    VerifyResponse,
    WatchWalkResponse,
)
from agegait.serving.wire_pb2 import (
    GetModelMetadataResponse,
    GetModelStatusResponse,
    HealthCheckResponse,
    PackedResponse,
)


class Method(NamedTuple):
    """A remote method: its path, what it answers with, and whether a request may be sent twice."""

    path: str
    response: Any
    repeatable: bool = True


PREDICT = Method("/tensorflow.serving.PredictionService/Predict", PackedResponse)
METADATA = Method("/tensorflow.serving.PredictionService/GetModelMetadata", GetModelMetadataResponse)
STATUS = Method("/tensorflow.serving.ModelService/GetModelStatus", GetModelStatusResponse)
HEALTH = Method("/grpc.health.v1.Health/Check", HealthCheckResponse)

ENROL = Method("/agegait.gallery.v1.Gallery/Enrol", EnrolResponse, repeatable=False)
FORGET = Method("/agegait.gallery.v1.Gallery/Forget", ForgetResponse, repeatable=False)
LIST_PEOPLE = Method("/agegait.gallery.v1.Gallery/ListPeople", ListPeopleResponse)
IDENTIFY = Method("/agegait.gallery.v1.Gallery/Identify", IdentifyResponse)
VERIFY = Method("/agegait.gallery.v1.Gallery/Verify", VerifyResponse)
WATCH_WALK = Method("/agegait.gallery.v1.Gallery/WatchWalk", WatchWalkResponse)

MAX_ANSWER_BYTES = 64 << 20
"""Largest answer that a client reads by default."""


_MESSAGE_BYTES = 1 << 16  # What a message has besides the values of its arrays.
_MOST_BYTES = (1 << 31) - 1 - _MESSAGE_BYTES


def channel_options(max_answer_bytes: int) -> list[tuple[str, int]]:
    """gRPC's options of a channel.

    Args:
        max_answer_bytes: Largest answer that is read, as arrays.

    Raises:
        ValueError: It is below 1, or more than gRPC can take.
    """
    if not 1 <= max_answer_bytes <= _MOST_BYTES:
        raise ValueError(f"max_answer_bytes: expected 1 to {_MOST_BYTES}, received {max_answer_bytes}.")
    return [
        ("grpc.max_receive_message_length", max_answer_bytes + _MESSAGE_BYTES),
        ("grpc.max_send_message_length", -1),
        ("grpc.enable_retries", 0),  # See `Retries`: gRPC's own know nothing of models that load.
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
    ]


def channel_credentials(
    tls: bool,
    ca: str | os.PathLike | None,
    cert: str | os.PathLike | None,
    key: str | os.PathLike | None,
) -> grpc.ChannelCredentials | None:
    """TLS credentials from PEM files; None without TLS.

    Raises:
        ValueError: A file that can't be read, or a certificate and a key that do not belong together, or one alone.
    """
    if (cert is None) != (key is None):
        raise ValueError("tls: expected both tls_cert and tls_key, or neither.")
    if not (tls or ca or cert):
        return None
    if cert is not None and key is not None:
        require_pair("tls_", cert, key)
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
