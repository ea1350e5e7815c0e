import os
from pathlib import Path


def read_pem(argument: str, file: str | os.PathLike) -> bytes:
    """A PEM file's bytes.

    Args:
        argument: What the file was given as, for the error.
        file: The file.

    Raises:
        ValueError: It can't be read, or holds no PEM.
    """
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise ValueError(f"{argument}: {file} can't be read: {error.strerror}.") from None
    if b"-----BEGIN " not in content:
        raise ValueError(f"{argument}: expected a PEM file, received {file}.")
    return content


def bearer(token: str) -> str:
    """The `authorization` header that carries a token.

    Raises:
        ValueError: A token that no header can carry.
    """
    if not token or not all("!" <= character <= "~" for character in token):
        raise ValueError("token: expected visible ASCII characters and no spaces.")
    return f"Bearer {token}"
