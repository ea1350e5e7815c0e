"""What a client raises, by the gRPC status that it met."""

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
    """No such model or version."""


class UnauthenticatedError(ClientError):
    """A token or certificate is missing or wrong: UNAUTHENTICATED, PERMISSION_DENIED."""


class OverloadedError(ClientError):
    """The server's queue is full, or the request too large: RESOURCE_EXHAUSTED."""


class DeadlineError(ClientError):
    """No answer within the time-out."""


class UnavailableError(ClientError):
    """Nobody answers there, or not yet, or no longer."""


_KINDS = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    grpc.StatusCode.FAILED_PRECONDITION: InvalidRequestError,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequestError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: UnauthenticatedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: OverloadedError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
}


def client_error(error: grpc.RpcError) -> ClientError:
    """The error to raise for what a gRPC call, plain or asyncio, raised."""
    status = error.code()  # type: ignore[attr-defined]
    return _KINDS.get(status, ClientError)(status, error.details() or "")  # type: ignore[attr-defined]
