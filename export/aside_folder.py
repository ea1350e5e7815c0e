"""Where an export is written before it gets its place."""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from agegait.storage.disk_full import naming_full_disk
from agegait.storage.private_files import private_files, private_folder

_PREFIX = ".export-"


@contextlib.contextmanager
def aside_folder(out_dir: Path) -> Iterator[Path]:
    """A folder on the same disk to write in; with it goes an `out_dir` that was made in vain.

    What a killed export has left is removed. What another one writes at the same time is locked, and left alone.
    """
    missing = [folder for folder in (out_dir, *out_dir.parents) if not folder.exists()]
    try:
        with private_files(), naming_full_disk(out_dir):
            private_folder(out_dir)
            with _locked(out_dir) as alone:
                if alone:
                    _remove_leftovers(out_dir)
                aside = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=out_dir))
                lock = _lock(aside)
            try:
                yield aside
            finally:
                shutil.rmtree(aside)
                if lock is not None:
                    os.close(lock)
    finally:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()


def share_with_group(out_dir: Path, written: Path) -> None:
    """Lets an `out_dir` hand on who may read: with its set-group-ID bit set, its group reads what is written there."""
    mode = out_dir.stat().st_mode
    if not mode & stat.S_ISGID or not mode & stat.S_IRGRP:
        return
    for path in (written, *written.rglob("*")):
        path.chmod(stat.S_IMODE(path.stat().st_mode) | (0o050 if path.is_dir() else 0o040))


def _remove_leftovers(out_dir: Path) -> None:
    for folder in out_dir.glob(f"{_PREFIX}*"):
        if folder.is_symlink() or not folder.is_dir():
            continue
        with _locked(folder, fcntl.LOCK_NB) as alone:
            if alone:
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path, flags: int = 0) -> Iterator[bool]:
    """Holds a folder's lock; gives whether it could be had."""
    lock = _lock(folder, flags)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def _lock(folder: Path, flags: int = 0) -> int | None:
    """The lock of a folder, to be closed; None where another process has it, or the file system has no such locks."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | flags)
    except OSError:
        os.close(opened)
        return None
    return opened
