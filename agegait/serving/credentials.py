"""PEM files and tokens, for server and clients."""

import os
import re
import ssl
import stat
from collections.abc import Iterator

DEFAULT_HOLDER = "default"
"""Who holds a token that has no name."""

_MAX_FILE = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")


def read_pem(argument: str, file: str | os.PathLike) -> bytes:
    """A PEM file's bytes.

    Args:
        argument: What the file was given as, for the error.
        file: The file.

    Raises:
        ValueError: It can't be read, or holds no PEM.
    """
    content = _read(argument, file, _MAX_FILE)
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
    """The text of a file of tokens.

    Args:
        argument: What the file was given as, for the error.
        file: The file.

    Raises:
        ValueError: It can't be read, is no ordinary file, or is too large.
    """
    return _read(argument, file, _MAX_FILE).decode("utf-8", "replace")


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


def require_pair(prefix: str, cert: str | os.PathLike, key: str | os.PathLike) -> None:
    """Makes sure of a certificate and its private key before gRPC takes them, which says nothing of what is wrong.

    Args:
        prefix: What comes before `cert` and `key` in the names of the arguments that they were given as.
        cert: The certificate's PEM file.
        key: The key's.

    Raises:
        ValueError: Files that can't be read, are no certificate and key, or do not belong together.
    """
    read_pem(f"{prefix}cert", cert)
    read_pem(f"{prefix}key", key)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except ssl.SSLError as error:
        raise ValueError(
            f"{prefix}cert: expected a certificate and its private key without a pass phrase, received {cert} and "
            f"{key}: {error.reason or 'not readable'}."
        ) from None


def _read(argument: str, file: str | os.PathLike, limit: int) -> bytes:
    """A file's bytes. It waits for nobody, as it would for a pipe that nobody writes to."""
    try:
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise ValueError(f"{argument}: expected an ordinary file, received {file}.")
            content = opened.read(limit + 1)
    except OSError as error:
        raise ValueError(f"{argument}: {file} can't be read: {error.strerror}.") from None
    if len(content) > limit:
        raise ValueError(f"{argument}: expected at most {limit} bytes, {file} has more.")
    return content
