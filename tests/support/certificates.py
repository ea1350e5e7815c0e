"""Certificates for the tests of TLS: an authority, and what it signs."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates and writes them, as `NAME.pem` and `NAME.key`, into a folder; its own is `ca.pem`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._name = _named("authority")
        self._key = ec.generate_private_key(ec.SECP256R1())
        (folder / "ca.pem").write_bytes(_pem(self._signed(self._name, self._key.public_key(), 30, 1, authority=True)))

    def sign(self, name: str, days: float = 30, since: float = 1, password: bytes | None = None) -> None:
        """Writes a certificate that is valid since so many days ago, for so many days more."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(_named(name), key.public_key(), days, since)
        encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        (self.folder / f"{name}.pem").write_bytes(_pem(certificate))
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        file = self.folder / f"{name}.key"
        file.touch(0o600)
        file.write_bytes(pem)

    def _signed(self, subject, public_key, days, since, authority=False):
        now = datetime.datetime.now(datetime.UTC)
        own = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - since * DAY)
            .not_valid_after(now + days * DAY)
            .add_extension(x509.SubjectAlternativeName(own), critical=False)
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .sign(self._key, hashes.SHA256())
        )


def _named(name):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)
