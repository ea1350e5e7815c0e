import grpc


class StatusError(Exception):
    """A request that is refused, with the gRPC status that says how.

    Args:
        code: The status.
        message: What was expected and what came; clients match the words of TensorFlow Serving in it.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid_argument(message: str) -> StatusError:
    """The commonest refusal: the request itself is wrong."""
    return StatusError(grpc.StatusCode.INVALID_ARGUMENT, message)
