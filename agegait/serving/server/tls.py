"""A server's TLS, which follows its files as they are renewed."""

import logging
import os
import time

import grpc

from agegait.serving.server.tls_files import TlsFiles

_DAY = 24 * 60 * 60.0

_log = logging.getLogger("agegait.serving")


class FollowedTlsFiles:
    """What `TlsFiles` hold, as they are renewed.

    Attributes:
        pems: What serves now.

    Raises:
        ValueError: As of `TlsFiles`.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._seen = self._stamps()
        self.pems = files.read()
        self._complaint = ""
        self._next_notice = time.monotonic() + _DAY  # The first is given at the start: see `open_doors`.

    def follow(self) -> bool:
        """Reads files that were renewed; returns whether there were any. Called at each handshake.

        A renewal that is half written, can't be read, or holds a certificate that is expired or not yet valid is logged
        once, and what served keeps serving. So is, daily, a certificate that is about to expire.
        """
        renewed = False
        try:
            stamps = self._stamps()
            if stamps != self._seen:
                fresh = self._files.read()
                if stamps != self._stamps():
                    raise ValueError("the files are being written.")
                self._files.require_valid(fresh)
                self.pems, self._seen, renewed = fresh, stamps, True
                _log.info("TLS files were renewed")
            self._complaint = ""
        except (OSError, ValueError) as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                _log.error("renewed TLS files can't be used, those before stay: %s", error)
        if renewed or time.monotonic() >= self._next_notice:
            self._next_notice = time.monotonic() + _DAY
            for warning in self._files.warnings(self.pems):
                _log.warning("%s", warning)
        return renewed

    def _stamps(self) -> list[tuple[int, ...]]:
        files = [file for file in (self._files.cert, self._files.key, self._files.client_ca) if file is not None]
        return [(stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in map(os.stat, files)]


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """A server's TLS credentials, which follow their files as they are renewed.

    Raises:
        ValueError: As of `TlsFiles`.
    """
    followed = FollowedTlsFiles(files)

    def configuration() -> grpc.ServerCertificateConfiguration:
        pems = followed.pems
        return grpc.ssl_server_certificate_configuration([(pems.key, pems.cert)], root_certificates=pems.client_ca)

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        """Called at each handshake; None keeps what there is."""
        return configuration() if followed.follow() else None

    return grpc.dynamic_ssl_server_credentials(
        configuration(), renewed, require_client_authentication=files.client_ca is not None
    )
