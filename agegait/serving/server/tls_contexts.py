import logging
import ssl

from agegait.serving.server.tls import FollowedTlsFiles
from agegait.serving.server.tls_files import TlsFiles

_log = logging.getLogger("agegait.serving")


class TlsContexts:
    """The TLS context of new connections over HTTP, which follows its PEM files as they are renewed.

    Raises:
        ValueError: As of `TlsFiles`.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._followed = FollowedTlsFiles(files)
        self._context = self._make()
        self._stale = False

    def __call__(self) -> ssl.SSLContext:
        """The context for a connection that begins now."""
        self._stale = self._followed.follow() or self._stale
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
        context.load_cert_chain(self._files.cert, self._files.key, password="")
        if self._followed.pems.client_ca is not None:
            context.load_verify_locations(cadata=self._followed.pems.client_ca.decode("ascii", "ignore"))
            context.verify_mode = ssl.CERT_REQUIRED
        return context
