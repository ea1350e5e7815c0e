import threading
from collections.abc import Callable
from typing import Any

import grpc

from agegait.serving.client import answers, channels
from agegait.serving.client.client_errors import ClosedError, client_error
from agegait.serving.client.retries import Retries, require_timeout


class Connection:
    """A client's way to a server. May be shared by threads.

    Args:
        target: As `Client`, and so are the rest.
        timeout: Seconds that a request may take.
        wait: Whether to wait for a server that can't be reached.
        max_answer_bytes: Largest answer that is read.
        token: What is sent with each request.
        credentials: Of TLS; None for none.
    """

    def __init__(
        self,
        target: str,
        timeout: float,
        wait: bool,
        max_answer_bytes: int,
        token: str | None,
        credentials: grpc.ChannelCredentials | None,
    ) -> None:
        require_timeout(timeout)
        options = channels.channel_options(max_answer_bytes)
        self.metadata = channels.call_metadata(token)
        if credentials is None:
            self.channel = grpc.insecure_channel(target, options)
        else:
            self.channel = grpc.secure_channel(target, credentials, options)
        self._timeout = timeout
        self._wait = wait
        self._closed = threading.Event()

    def retries(self) -> Retries:
        """Decides of one request whether it is sent again."""
        return Retries(self._timeout, self._wait)

    def call(self, method: channels.Method, request: Any) -> Any:
        """The answer to a request; it is sent again as `Retries` says, where the method may be repeated.

        Raises:
            ClientError: What the server or the way there refused.
        """
        retries = self.retries()
        # What must not be sent twice waits for the server before it is sent, where it is to wait.
        ready = self._wait and not method.repeatable

        def ask() -> Any:
            remote = self.channel.unary_unary(method.path, request_serializer=type(request).SerializeToString)
            answer = remote(request, timeout=retries.remaining, metadata=self.metadata, wait_for_ready=ready)
            return answers.parse(method.response, answer)

        return self.repeated(ask, retries, method.repeatable)

    def repeated(self, ask: Callable[[], Any], retries: Retries, repeatable: bool = True) -> Any:
        """What asking gives, once it gives anything."""
        while not self._closed.is_set():
            try:
                return ask()
            except grpc.RpcError as error:
                if not self._closed.is_set():
                    if not repeatable:
                        raise client_error(error) from None
                    self._closed.wait(retries.pause(client_error(error)))
            except ValueError:  # What gRPC says of a channel that was closed.
                if not self._closed.is_set():
                    raise
        raise ClosedError

    def close(self) -> None:
        """Ends it; requests under way end with `ClosedError`."""
        self._closed.set()
        self.channel.close()
