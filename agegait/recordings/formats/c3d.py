"""C3D, the files of motion capture systems."""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from agegait.recordings.file_format import FileFormat
from agegait.recordings.files import opening
from agegait.recordings.files.limits import check_size
from agegait.recordings.formats.marker_names import by_subject
from agegait.recordings.recording import Recording, listed
from agegait.recordings.walk_format import WalkFormat, is_rate

_CHILD = Path(__file__).with_name("c3d_child.py")
_MOST_SECONDS = 600
_MARK = b"P"
"""The second byte of each C3D file."""


def _read(path: Path, within: Path | None, walk_format: WalkFormat) -> list[Recording]:
    source = str(path)
    content = opening.read_regular(path, within)
    if not _recognizes(content):
        raise ValueError(f"{source}: expected a file of C3D, found something else.")
    if importlib.util.find_spec("ezc3d") is None:
        raise ValueError(
            f'{source}: expected ezc3d to read C3D, found that it is not installed: pip install "agegait[c3d]".'
        )
    arrays = _arrays(content, source)
    points = arrays["points"].astype("float64")
    check_size(source, *points.shape[:2])
    points[(arrays["residuals"] < 0) | ~np.isfinite(points).all(axis=-1)] = np.nan
    labels = [str(label).strip() for label in arrays["labels"][: points.shape[1]]]
    computed = {str(label).strip() for label in arrays["computed"]}
    used = [index for index, label in enumerate(labels) if label and label not in computed]
    if not used or not len(points):
        raise ValueError(f"{source}: expected points with labels, found {listed(labels) or 'none'}.")
    unread = points.shape[1] - len(used)
    remarks = (f"{unread} points without a label or with what is no place were not read",) if unread else ()
    rate = float(arrays["rate"][0]) if len(arrays["rate"]) else None
    return [
        Recording(
            source,
            points[:, [used[index] for index in own]],
            names=tuple(own.values()),
            units=_units(arrays["units"]),
            frame_rate=rate if is_rate(rate) else None,
            up=_up(arrays["up"]),
            body=subject or None,
            remarks=remarks,
        )
        for subject, own in by_subject([labels[index] for index in used]).items()
    ]


def _arrays(content: bytes, source: str) -> Mapping[str, np.ndarray]:
    """What a program of its own finds in a file: ezc3d ends the process at some that are damaged."""
    with tempfile.TemporaryDirectory(prefix="agegait-c3d-") as folder:
        copy, out = Path(folder, "walk.c3d"), Path(folder, "walk.npz")
        copy.write_bytes(content)
        paths = os.pathsep.join(path for path in sys.path if path)
        try:
            ended = subprocess.run(
                [sys.executable, "-P", str(_CHILD), str(copy), str(out)],
                env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=_MOST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ValueError(f"{source}: expected a file of C3D, found one that is not read in time.") from None
        if ended.returncode:
            said = ended.stderr.decode("utf-8", "replace").strip().splitlines()
            raise ValueError(f"{source}: expected a file of C3D, found {_damage(said, ended.returncode)}.")
        with np.load(out, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


def _damage(said: Sequence[str], returned: int) -> str:
    """What ezc3d says is wrong, without the words of Python and C++ around it."""
    why = re.sub(r"^[\w.]+: |: iostream error\.?$", "", said[-1]).strip(" .")[:200] if said and returned > 0 else ""
    return f"one that is damaged ({why})" if why else "one that is damaged"


def _units(found: np.ndarray) -> str | None:
    units = str(found[0]).strip().lower() if len(found) else ""
    return units if units in ("m", "cm", "mm", "in") else None


def _up(found: np.ndarray) -> str | None:
    """The axis that Y_SCREEN names, which points up on the screen."""
    match = re.fullmatch("([+-]?)([xyz])", str(found[0]).strip().lower()) if len(found) else None
    return match[1].replace("+", "") + match[2] if match else None


def _recognizes(head: bytes) -> bool:
    return head[1:2] == _MARK


FORMATS = (FileFormat("c3d", "C3D of motion capture", (".c3d",), _read),)
