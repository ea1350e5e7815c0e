import ipaddress
import os
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agegait.serving.credentials import read_pem
from agegait.serving.server.tls import certificate_warnings


@dataclass(frozen=True)
class Doors:
    """How a server may be reached.

    Attributes:
        host: Address that it listens on.
        tls_cert: PEM file of the certificate chain, if TLS is used.
        tls_key: PEM file of its private key.
        tls_client_ca: PEM file of the authorities of callers' certificates, if callers must have one.
        token: Whether callers must send a token.
        token_file: The file of the tokens, if there is one.
        allow_reload: Whether callers may have other models served.
        gallery: Whether people may be enrolled and forgotten.
        plain_ports: The ports beside gRPC's that are HTTP without TLS, by argument.
    """

    host: str
    tls_cert: str | os.PathLike | None = None
    tls_key: str | os.PathLike | None = None
    tls_client_ca: str | os.PathLike | None = None
    token: bool = False
    token_file: str | os.PathLike | None = None
    allow_reload: bool = False
    gallery: bool = False
    plain_ports: Mapping[str, int] = field(default_factory=dict)


def open_doors(doors: Doors) -> list[str]:
    """What an operator should be warned of before strangers come in, a sentence each; empty where all is well.

    Raises:
        ValueError: A certificate that can't be read.
    """
    found = []
    if not is_loopback(doors.host):
        found += _network(doors)
    for argument, file in (("tls_cert", doors.tls_cert), ("tls_client_ca", doors.tls_client_ca)):
        if file is not None:
            found += certificate_warnings(argument, file, read_pem(argument, file))
    for argument, file in (("tls_key", doors.tls_key), ("token_file", doors.token_file)):
        if file is not None and _is_read_by_others(Path(file)):
            found.append(f"{argument}: other users of this machine can read {file}: chmod go= {file}")
    return found


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    try:
        return _is_loopback(host)
    except ValueError:
        pass
    try:
        return bool(host) and all(_is_loopback(str(found[4][0])) for found in socket.getaddrinfo(host, None))
    except (OSError, UnicodeError):
        return False


def _is_loopback(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def _network(doors: Doors) -> list[str]:
    found, anybody = [], not doors.token and doors.tls_client_ca is None
    if doors.tls_cert is None:
        found.append(
            f"host: other machines reach {doors.host}, and there is no TLS: who is on the way reads walks and answers, "
            f"which are biometric data. Give tls_cert and tls_key."
        )
        if doors.token:
            found.append("token: it travels in the clear, as there is no TLS: who is on the way can use it.")
    if anybody:
        found.append(
            f"host: whoever reaches {doors.host} may ask: there is neither a token nor tls_client_ca. Give token_file."
        )
    if anybody and doors.allow_reload:
        found.append("allow_reload: whoever reaches the server may run code here: a SavedModel is code.")
    if anybody and doors.gallery:
        found.append("gallery: whoever reaches the server may enrol and forget people. Give token_file, gallery_roles.")
    for argument, port in doors.plain_ports.items():
        found.append(f"{argument}: port {port} is plain HTTP, without TLS, on {doors.host}.")
    return found


def _is_read_by_others(file: Path) -> bool:
    try:
        status = file.stat()
    except OSError:
        return False
    # A group that reads what another user owns is how a secret reaches a container's user.
    unwanted = stat.S_IRWXO | (stat.S_IRWXG if status.st_uid == os.geteuid() else 0)
    return bool(status.st_mode & unwanted)
