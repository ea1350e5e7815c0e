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
