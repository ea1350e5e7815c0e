import logging
import os
import ssl

from agegait.serving.server.tls import TlsFiles

_log = logging.getLogger("agegait.serving")


class TlsContexts:
    """The TLS context of new connections over HTTP, which follows its PEM files as they are renewed.

    Args:
        cert: PEM file of the certificate chain.
        key: PEM file of its private key.
        client_ca: PEM file of the authorities of callers' certificates; callers must then have one.

    Raises:
        ValueError: Files that can't be read or do not belong together.
    """

    def __init__(
        self, cert: str | os.PathLike, key: str | os.PathLike, client_ca: str | os.PathLike | None = None
    ) -> None:
        self._cert, self._key = cert, key
        self._files = TlsFiles(cert, key, client_ca)
        self._context = self._make()
        self._stale = False

    def __call__(self) -> ssl.SSLContext:
        """The context for a connection that begins now."""
        self._stale = self._files.follow() or self._stale
        if self._stale:
            try:
                self._context = self._make()
                self._stale = False
            except (OSError, ValueError) as error:  # They changed again meanwhile; what served keeps serving.
                _log.error("renewed TLS files can't be used, those before stay: %s", error)
        return self._context

    def _make(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self._cert, self._key, password="")
        if self._files.pems.client_ca is not None:
            context.load_verify_locations(cadata=self._files.pems.client_ca.decode("ascii", "ignore"))
            context.verify_mode = ssl.CERT_REQUIRED
        return context
