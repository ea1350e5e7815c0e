import ipaddress
import os
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agegait.serving.server.tls_files import TlsFiles
from agegait.serving.server.tokens import Tokens


@dataclass(frozen=True)
class Doors:
    """How a server may be reached.

    Attributes:
        host: Address that it listens on.
        tls: Its files, if TLS is used.
        tokens: What callers must send, if anything.
        allow_reload: Whether callers may have other models served.
        gallery: Whether people may be enrolled and forgotten.
        plain_ports: The ports beside gRPC's that are HTTP without TLS, by argument; None where there is none.
    """

    host: str
    tls: TlsFiles | None = None
    tokens: Tokens | None = None
    allow_reload: bool = False
    gallery: bool = False
    plain_ports: Mapping[str, int | None] = field(default_factory=dict)

    @property
    def callers_have_names(self) -> bool:
        """Whether callers must say who they are, by a token or a certificate."""
        return self.tokens is not None or (self.tls is not None and self.tls.client_ca is not None)


def open_doors(doors: Doors) -> list[str]:
    """What an operator should be warned of before strangers come in, a sentence each; empty where all is well.

    Raises:
        ValueError: A certificate that can't be read.
    """
    found = [] if is_loopback(doors.host) else _network(doors)
    secrets = {}
    if doors.tls is not None:
        found += doors.tls.warnings(doors.tls.read())
        secrets["key"] = doors.tls.key
    if doors.tokens is not None and doors.tokens.file is not None:
        secrets["token_file"] = doors.tokens.file
    for name, file in secrets.items():
        if _is_read_by_others(Path(file)):
            found.append(f"{name}: other users of this machine can read {file}: chmod go= {file}")
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
    found, anybody = [], not doors.callers_have_names
    if doors.tls is None:
        found.append(
            f"host: other machines reach {doors.host}, and there is no TLS: who is on the way reads walks and answers, "
            f"which are biometric data. Give a certificate and its key."
        )
        if doors.tokens is not None:
            found.append("token: it travels in the clear, as there is no TLS: who is on the way can use it.")
    if anybody:
        found.append(
            f"host: whoever reaches {doors.host} may ask: there is neither a token nor a client_ca. Give token_file."
        )
    if anybody and doors.allow_reload:
        found.append("allow_reload: whoever reaches the server may run code here: a SavedModel is code.")
    if anybody and doors.gallery:
        found.append("gallery: whoever reaches the server may enrol and forget people. Give token_file and roles.")
    for argument, port in doors.plain_ports.items():
        if port is not None:
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
