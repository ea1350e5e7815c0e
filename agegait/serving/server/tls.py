"""A server's TLS files: checked, followed as they are renewed, and their ends foreseen."""

import datetime
import logging
import os
import time
from pathlib import Path
from typing import NamedTuple

import grpc
from cryptography import x509

from agegait.serving.credentials import read_pem, require_pair

NOTICE = datetime.timedelta(days=14)
"""How long before a certificate's end it is warned of."""

_DAY = 24 * 60 * 60.0

_log = logging.getLogger("agegait.serving")


class Pems(NamedTuple):
    """What the files hold."""

    cert: bytes
    key: bytes
    client_ca: bytes | None


class TlsFiles:
    """A server's certificate, its key and the authorities of callers' certificates, which follow their files.

    Args:
        cert: PEM file of the certificate chain.
        key: PEM file of its private key.
        client_ca: PEM file of the authorities of callers' certificates, if callers must have one.

    Attributes:
        pems: What serves now.

    Raises:
        ValueError: Files that can't be read or do not belong together.
    """

    def __init__(
        self, cert: str | os.PathLike, key: str | os.PathLike, client_ca: str | os.PathLike | None = None
    ) -> None:
        self._cert, self._key = Path(cert), Path(key)
        self._client_ca = None if client_ca is None else Path(client_ca)
        self._read()  # Says what is wrong with a file, if anything is.
        self._seen = self._stamps()
        self.pems = self._read()
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
                fresh = self._read()
                if stamps != self._stamps():
                    raise ValueError("the files are being written.")
                _require_valid("tls_cert", self._cert, fresh.cert)
                self.pems, self._seen, renewed = fresh, stamps, True
                _log.info("TLS files were renewed")
            self._complaint = ""
        except (OSError, ValueError) as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                _log.error("renewed TLS files can't be used, those before stay: %s", error)
        if renewed or time.monotonic() >= self._next_notice:
            self._next_notice = time.monotonic() + _DAY
            for argument, file, pem in self._certificates(self.pems):
                for warning in certificate_warnings(argument, file, pem):
                    _log.warning("%s", warning)
        return renewed

    def _read(self) -> Pems:
        require_pair("tls", self._cert, self._key)
        fresh = Pems(
            read_pem("tls_cert", self._cert),
            read_pem("tls_key", self._key),
            None if self._client_ca is None else read_pem("tls_client_ca", self._client_ca),
        )
        for argument, file, pem in self._certificates(fresh):
            _certificates(argument, file, pem)
        return fresh

    def _certificates(self, pems: Pems) -> list[tuple[str, Path, bytes]]:
        found = [("tls_cert", self._cert, pems.cert)]
        if self._client_ca is not None and pems.client_ca is not None:
            found.append(("tls_client_ca", self._client_ca, pems.client_ca))
        return found

    def _stamps(self) -> list[tuple[int, ...]]:
        files = [file for file in (self._cert, self._key, self._client_ca) if file is not None]
        return [(stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in (file.stat() for file in files)]


def server_credentials(
    cert: str | os.PathLike | None, key: str | os.PathLike | None, client_ca: str | os.PathLike | None
) -> grpc.ServerCredentials | None:
    """A server's TLS credentials, which follow their files as they are renewed; None without TLS.

    Args:
        cert: PEM file of the certificate chain.
        key: PEM file of its private key.
        client_ca: PEM file of the authorities of callers' certificates; callers must then have one.

    Raises:
        ValueError: Files that can't be read, do not belong together or are only half named.
    """
    if cert is None and key is None and client_ca is None:
        return None
    if cert is None or key is None:
        raise ValueError("tls: expected both tls_cert and tls_key.")
    files = TlsFiles(cert, key, client_ca)

    def configuration() -> grpc.ServerCertificateConfiguration:
        pems = files.pems
        return grpc.ssl_server_certificate_configuration([(pems.key, pems.cert)], root_certificates=pems.client_ca)

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        """Called at each handshake; None keeps what there is."""
        return configuration() if files.follow() else None

    return grpc.dynamic_ssl_server_credentials(
        configuration(), renewed, require_client_authentication=client_ca is not None
    )


def certificate_warnings(argument: str, file: str | os.PathLike, pem: bytes) -> list[str]:
    """What is to be said of a file's certificates: those that are not valid now, or not for much longer.

    Args:
        argument: What the file was given as.
        file: The file.
        pem: What is in it.
    """
    now = datetime.datetime.now(datetime.UTC)
    found = []
    for certificate in _certificates(argument, file, pem):
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if end <= now:
            found.append(f"{argument}: a certificate in {file} has expired on {end:%Y-%m-%d}.")
        elif start > now:
            found.append(f"{argument}: a certificate in {file} is not valid before {start:%Y-%m-%d %H:%M} UTC.")
        elif end - now < NOTICE:
            found.append(f"{argument}: a certificate in {file} expires on {end:%Y-%m-%d}.")
    return found


def _require_valid(argument: str, file: str | os.PathLike, pem: bytes) -> None:
    now = datetime.datetime.now(datetime.UTC)
    for certificate in _certificates(argument, file, pem):
        if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
            raise ValueError(
                f"{argument}: expected a certificate that is valid now, {file} has one from "
                f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}."
            )


def _certificates(argument: str, file: str | os.PathLike, pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise ValueError(f"{argument}: expected certificates in PEM, received {file}.") from None
