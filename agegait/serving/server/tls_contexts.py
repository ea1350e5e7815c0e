import logging
import os
import ssl
from pathlib import Path

from agegait.serving.credentials import read_pem, require_pair

_log = logging.getLogger("agegait.serving")


class TlsContexts:
    """The TLS context of new connections, which follows its PEM files as they are renewed.

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
        self._cert, self._key, self._client_ca = cert, key, client_ca
        self._seen = self._stamps()
        self._context = self._read()

    def __call__(self) -> ssl.SSLContext:
        """The context for a connection that begins now."""
        try:
            stamps = self._stamps()
            if stamps != self._seen:
                self._seen = stamps
                self._context = self._read()
                _log.info("TLS files of HTTP were renewed")
        except (OSError, ValueError) as error:
            # Half of a renewal, or a bad one: the certificates that served keep serving.
            _log.error("renewed TLS files can't be used: %s", error)
        return self._context

    def _read(self) -> ssl.SSLContext:
        require_pair("tls", self._cert, self._key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self._cert, self._key, password="")
        if self._client_ca is not None:
            try:
                context.load_verify_locations(cadata=read_pem("tls_client_ca", self._client_ca).decode("ascii"))
            except (ssl.SSLError, UnicodeDecodeError):
                raise ValueError(f"tls_client_ca: expected certificates in PEM, received {self._client_ca}.") from None
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _stamps(self) -> list[tuple[int, int] | None]:
        files = [Path(file) for file in (self._cert, self._key, self._client_ca) if file is not None]
        return [(stat.st_mtime_ns, stat.st_size) if (stat := _stat(file)) else None for file in files]


def _stat(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except OSError:
        return None
