"""What a client raises, by the gRPC status that it met."""

import re

import grpc


class ClientError(Exception):
    """A request that failed.

    Attributes:
        status: The gRPC status.
        details: The server's words.
    """

    def __init__(self, status: grpc.StatusCode, details: str) -> None:
        super().__init__(f"{details} ({status.name})")
        self.status = status
        self.details = details


class InvalidRequestError(ClientError):
    """The request itself is wrong: INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE."""


class NotFoundError(ClientError):
    """No such model or version; of a gallery, nobody of that name."""


class NameTakenError(ClientError):
    """A name that looks like the one of somebody else in a gallery: ALREADY_EXISTS."""


class UnauthenticatedError(ClientError):
    """A token or certificate is missing or wrong, or its role: UNAUTHENTICATED, PERMISSION_DENIED."""


class OverloadedError(ClientError):
    """The server's queue is full, or the request too large: RESOURCE_EXHAUSTED."""


class DeadlineError(ClientError):
    """No answer within the time-out."""


class UnavailableError(ClientError):
    """Nobody answers there, or not yet, or no longer."""


class BadAnswerError(ClientError):
    """What the server answered makes no sense: no message, too large, tensors that are absent or of another shape."""

    def __init__(self, details: str) -> None:
        super().__init__(grpc.StatusCode.INTERNAL, details)


class ClosedError(ClientError):
    """The client was closed, be it while the request was under way."""

    def __init__(self) -> None:
        super().__init__(grpc.StatusCode.CANCELLED, "the client is closed")


_TOO_LARGE = re.compile(r"(CLIENT: Received|Decompressed) message larger than max")
"""gRPC's words for an answer that is larger than a client reads; the status is that of a full server."""

_KINDS = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    grpc.StatusCode.FAILED_PRECONDITION: InvalidRequestError,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequestError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: NameTakenError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: UnauthenticatedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: OverloadedError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
}


def client_error(error: grpc.RpcError) -> ClientError:
    """The error to raise for what a gRPC call, plain or asyncio, raised."""
    status, details = error.code(), error.details() or ""  # type: ignore[attr-defined]
    if status == grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE.search(details):
        return BadAnswerError(details)
    return _KINDS.get(status, ClientError)(status, details)
