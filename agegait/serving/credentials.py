"""PEM files and tokens, for server and clients."""

import logging
import os
import re
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import grpc

DEFAULT_HOLDER = "default"
"""Who holds a token that has no name."""

_MAX_TOKEN_FILE = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")

_log = logging.getLogger("agegait.serving")


def read_pem(argument: str, file: str | os.PathLike) -> bytes:
    """A PEM file's bytes.

    Args:
        argument: What the file was given as, for the error.
        file: The file.

    Raises:
        ValueError: It can't be read, or holds no PEM.
    """
    content = _read(argument, file)
    if b"-----BEGIN " not in content:
        raise ValueError(f"{argument}: expected a PEM file, received {file}.")
    return content


def read_token(argument: str, file: str | os.PathLike) -> str:
    """The first token in a file, as a caller sends it; see `parse_tokens`.

    Args:
        argument: What the file was given as, for the error.
        file: The file.

    Raises:
        ValueError: It can't be read, or holds no token that a header can carry.
    """
    for _, _, token in parse_tokens(argument, read_token_file(argument, file)):
        return token
    raise ValueError(f"{argument}: expected a token, {file} holds none.")


def read_token_file(argument: str, file: str | os.PathLike) -> str:
    """The text of a file of tokens. It waits for nobody, as it would for a pipe that nobody writes to.

    Args:
        argument: What the file was given as, for the error.
        file: The file.

    Raises:
        ValueError: It can't be read, is no ordinary file, or is too large.
    """
    try:
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise ValueError(f"{argument}: expected an ordinary file, received {file}.")
            content = opened.read(_MAX_TOKEN_FILE + 1)
    except OSError as error:
        raise ValueError(f"{argument}: {file} can't be read: {error.strerror}.") from None
    if len(content) > _MAX_TOKEN_FILE:
        raise ValueError(f"{argument}: expected at most {_MAX_TOKEN_FILE} bytes, {file} has more.")
    return content.decode("utf-8", "replace")


def parse_tokens(argument: str, text: str) -> Iterator[tuple[int, str, str]]:
    """The tokens of a file, a line each: `name: token`, or a token alone. Empty lines and `# comments` are left out.

    Args:
        argument: What the file was given as, for the error.
        text: The file's text.

    Yields:
        The line's number, the holder's name and the token.

    Raises:
        ValueError: A line that is none of these.
    """
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, colon, token = line.partition(":")
        name, token = (name.strip(), token.strip()) if colon else (DEFAULT_HOLDER, line)
        if not _NAME.fullmatch(name) or not _is_token(token):
            raise ValueError(  # The line itself may be secret.
                f"{argument}: expected `name: token` or a token in line {number}; a name has letters, digits and ._@-, "
                f"a token visible ASCII characters and no spaces."
            )
        yield number, name, token


def bearer(token: str) -> str:
    """The `authorization` header that carries a token.

    Raises:
        ValueError: A token that no header can carry.
    """
    if not _is_token(token):
        raise ValueError("token: expected visible ASCII characters and no spaces.")
    return f"Bearer {token}"


def _is_token(token: str) -> bool:
    return bool(token) and all("!" <= character <= "~" for character in token)


def server_credentials(
    cert: str | os.PathLike | None, key: str | os.PathLike | None, client_ca: str | os.PathLike | None
) -> grpc.ServerCredentials | None:
    """A server's TLS credentials, which follow their files as they are renewed; None where TLS is not asked for.

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
    files = [Path(file) for file in (cert, key, client_ca) if file is not None]
    require_pair("tls", cert, key)

    def read() -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(read_pem("tls_key", key), read_pem("tls_cert", cert))],
            root_certificates=None if client_ca is None else read_pem("tls_client_ca", client_ca),
        )

    seen = [_stamps(files)]

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        """Asked at each handshake; None keeps what there is."""
        try:
            stamps = _stamps(files)
            if stamps == seen[0]:
                return None
            require_pair("tls", cert, key)
            fresh = read()
        except (OSError, ValueError) as error:
            # Half of a renewal, or a bad one: the certificates that served keep serving.
            _log.error("renewed TLS files can't be used: %s", error)
            return None
        seen[0] = stamps
        _log.info("TLS files were renewed")
        return fresh

    return grpc.dynamic_ssl_server_credentials(read(), renewed, require_client_authentication=client_ca is not None)


def require_pair(argument: str, cert: str | os.PathLike, key: str | os.PathLike) -> None:
    """Makes sure of a certificate and its private key before gRPC takes them, which says nothing of what is wrong.

    Raises:
        ValueError: Files that can't be read, are no certificate and key, or do not belong together.
    """
    read_pem(f"{argument}_cert", cert)
    read_pem(f"{argument}_key", key)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except ssl.SSLError as error:
        raise ValueError(
            f"{argument}: expected a certificate and its private key without a pass phrase, received {cert} and {key}: "
            f"{error.reason or 'not readable'}."
        ) from None


def _stamps(files: list[Path]) -> list[tuple[int, int]]:
    return [(stat.st_mtime_ns, stat.st_size) for stat in (file.stat() for file in files)]


def _read(argument: str, file: str | os.PathLike) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ValueError(f"{argument}: {file} can't be read: {error.strerror}.") from None
