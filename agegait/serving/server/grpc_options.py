"""The options of gRPC's own server."""

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha.reflection import SERVICE_NAME, enable_server_reflection
from tensorflow_serving.apis import model_service_pb2, prediction_service_pb2

from agegait.serving import gallery_pb2
from agegait.serving.server.limits import Limits

_DEAD_PEER_SECONDS = 60


def grpc_options(limits: Limits) -> list[tuple[str, int]]:
    """The options of a `grpc.Server` that hold callers within limits."""
    return [
        ("grpc.max_receive_message_length", limits.max_message_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_metadata_size", 16 << 10),
        ("grpc.max_concurrent_streams", limits.max_calls_per_connection),
        ("grpc.max_allowed_incoming_connections", limits.max_connections),
        ("grpc.max_connection_idle_ms", int(1000 * limits.idle_seconds)),
        ("grpc.max_connection_age_ms", int(1000 * limits.connection_seconds)),
        ("grpc.max_connection_age_grace_ms", int(1000 * limits.request_seconds)),
        ("grpc.server_handshake_timeout_ms", 10_000),
        ("grpc.keepalive_time_ms", 1000 * _DEAD_PEER_SECONDS),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.so_reuseport", 0),  # Two servers would share a port without an error.
    ]


def offer_reflection(server: grpc.Server, gallery: bool = False) -> None:
    """Has a server tell what it offers, the gallery's service where it has one."""
    services = [
        file.services_by_name[name].full_name
        for file, name in (
            (prediction_service_pb2.DESCRIPTOR, "PredictionService"),
            (model_service_pb2.DESCRIPTOR, "ModelService"),
            (health_pb2.DESCRIPTOR, "Health"),
            *([(gallery_pb2.DESCRIPTOR, "Gallery")] if gallery else []),
        )
    ]
    enable_server_reflection([*services, SERVICE_NAME], server)
