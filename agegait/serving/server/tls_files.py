import datetime
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from cryptography import x509

from agegait.serving.credentials import read_pem, require_pair

NOTICE = datetime.timedelta(days=14)
"""How long before a certificate's end it is warned of."""


class Pems(NamedTuple):
    """What `TlsFiles` hold."""

    cert: bytes
    key: bytes
    client_ca: bytes | None


@dataclass(frozen=True)
class TlsFiles:
    """A server's files for TLS, in PEM. Renewed files are read again.

    Attributes:
        cert: The certificate chain.
        key: Its private key.
        client_ca: The authorities of callers' certificates; callers must then have one.

    Raises:
        ValueError: Files that can't be read or do not belong together.

    Example:
        >>> agegait.serving.Server("exported", tls=agegait.serving.TlsFiles("chain.pem", "key.pem"))
    """

    cert: str | os.PathLike
    key: str | os.PathLike
    client_ca: str | os.PathLike | None = None

    def __post_init__(self) -> None:
        self.read()

    def read(self) -> Pems:
        """What the files hold now.

        Raises:
            ValueError: As of the constructor.
        """
        require_pair("", self.cert, self.key)
        client_ca = None if self.client_ca is None else read_pem("client_ca", self.client_ca)
        pems = Pems(read_pem("cert", self.cert), read_pem("key", self.key), client_ca)
        self.warnings(pems)  # Says which file holds no certificates.
        return pems

    def require_valid(self, pems: Pems) -> None:
        """Refuses a certificate chain that is expired or not valid yet.

        Raises:
            ValueError: It says from when to when it is valid.
        """
        now = datetime.datetime.now(datetime.UTC)
        for name, file, certificate in self._certificates(pems):
            start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            if name == "cert" and not start <= now < end:
                raise ValueError(
                    f"cert: expected a certificate that is valid now, {file} has one from {start:%Y-%m-%d} to "
                    f"{end:%Y-%m-%d}."
                )

    def warnings(self, pems: Pems) -> list[str]:
        """What is to be said of certificates: those that are not valid now, or not for much longer."""
        now = datetime.datetime.now(datetime.UTC)
        found = []
        for name, file, certificate in self._certificates(pems):
            start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            if end <= now:
                found.append(f"{name}: a certificate in {file} has expired on {end:%Y-%m-%d}.")
            elif start > now:
                found.append(f"{name}: a certificate in {file} is not valid before {start:%Y-%m-%d %H:%M} UTC.")
            elif end - now < NOTICE:
                found.append(f"{name}: a certificate in {file} expires on {end:%Y-%m-%d}.")
        return found

    def _certificates(self, pems: Pems) -> Iterator[tuple[str, str | os.PathLike | None, x509.Certificate]]:
        """Each with its field and file."""
        for name, file, pem in (("cert", self.cert, pems.cert), ("client_ca", self.client_ca, pems.client_ca)):
            try:
                certificates = [] if pem is None else x509.load_pem_x509_certificates(pem)
            except ValueError:
                raise ValueError(f"{name}: expected certificates in PEM, received {file}.") from None
            for certificate in certificates:
                yield name, file, certificate
