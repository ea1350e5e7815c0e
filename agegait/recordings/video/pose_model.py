"""Where the pose model comes from: a file of the user's own, or its publisher."""

import os
from pathlib import Path

VARIABLE = "AGEGAIT_POSE_MODEL"
"""Environment variable that names the file of a pose model, where none is given otherwise."""

ADDRESS = (
    "https://storage.googleapis.com/mediapipe-models/pose_landmarker/pose_landmarker_full/float16/1/"
    "pose_landmarker_full.task"
)
"""Of MediaPipe's pose landmarker, the full model, under the Apache licence 2.0."""

SHA256 = "421b4797fb7cb98a07c6e5fb6b116abf74022c1dba0d6b432cc95bcee03b2de0"

_TIMEOUT = 30
"""Seconds without a byte after which a download is given up."""


def pose_model_file(asked: str | os.PathLike | None = None) -> Path:
    """The file of the pose model, downloaded the first time where none is named.

    A download is kept in the user's cache folder, whole or not at all, and compared with a pinned checksum each time.

    Args:
        asked: A file; None for the one that `AGEGAIT_POSE_MODEL` names, or the download.

    Raises:
        ValueError: No such file, or the download failed.
    """
    named = asked or os.environ.get(VARIABLE)
    if named:
        path = Path(named)
        if not path.is_file():
            raise ValueError(f"{'pose_model' if asked else VARIABLE}: expected a file, received {path}.")
        return path
    return _download(ADDRESS, SHA256)


def _download(address: str, sha256: str) -> Path:
    try:
        import pooch
        import requests  # which pooch downloads with
    except ImportError as error:
        text = f'pose_model: expected a file, or `pip install "agegait[video]"` to download one: {error}.'
        raise ValueError(text) from None
    folder = Path(pooch.os_cache("agegait"))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fetch = pooch.HTTPDownloader(timeout=_TIMEOUT)
        return Path(pooch.retrieve(address, f"sha256:{sha256}", address.rpartition("/")[2], folder, downloader=fetch))
    except (OSError, ValueError) as error:  # ValueError: another checksum
        offline = isinstance(error, requests.ConnectionError)
        reason = "no connection" if offline else " ".join(str(error).split())[:300]
        raise ValueError(
            f"pose_model: the pose model could not be downloaded: {reason}. Download {address} elsewhere, and name the "
            "file: pose_model=pose_landmarker_full.task"
        ) from None
