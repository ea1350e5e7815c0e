import os
from types import TracebackType
from typing import Self

from agegait.serving.client import channels
from agegait.serving.client.connection import Connection


class ServerClient:
    """What `Client` and `GalleryClient` have in common: the connection, which a `with` statement closes.

    Args:
        target: As `Client`, like all that follow.
        timeout: Seconds that a request may take.
        wait: Whether to wait for a server that can't be reached.
        max_answer_bytes: Largest answer that is read.
        token: What is sent with each request.
        tls: Whether to use TLS.
        tls_ca: Authorities that vouch for the server.
        tls_cert: This client's certificate chain.
        tls_key: Its private key.
    """

    def __init__(
        self,
        target: str,
        *,
        timeout: float = 10.0,
        wait: bool = False,
        max_answer_bytes: int = channels.MAX_ANSWER_BYTES,
        token: str | None = None,
        tls: bool = False,
        tls_ca: str | os.PathLike | None = None,
        tls_cert: str | os.PathLike | None = None,
        tls_key: str | os.PathLike | None = None,
    ) -> None:
        credentials = channels.channel_credentials(tls, tls_ca, tls_cert, tls_key)
        self._connection = Connection(target, timeout, wait, max_answer_bytes, token, credentials)
        self._max_bytes = max_answer_bytes

    def close(self) -> None:
        """Closes the connection; requests under way end with `ClosedError`."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
