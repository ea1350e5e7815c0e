import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from agegait.export.version_manifest import VersionManifest
from agegait.serving.server.load_error import LoadError
from agegait.serving.server.regular_file import open_regular, read_regular

_MAX_FILES = 10_000
_MAX_MANIFEST_BYTES = 16 << 20

Fingerprint = tuple[tuple[str, int, int, int], ...]
"""What changes when a file does."""


class VersionFiles:
    """The files of a version's folder, looked at before TensorFlow opens them.

    Links are followed: Kubernetes mounts ConfigMaps and volumes as links. Entries of the folder itself whose names
    start with a dot are left alone, since a SavedModel has none: these are such links' targets, or a disk's own.

    Args:
        folder: The version's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fingerprint(self) -> Fingerprint:
        """What changes when a file does; empty while the files are on the move."""
        try:
            return tuple(
                (name, found.st_mtime_ns, found.st_size, found.st_ino) for name, found in sorted(self._entries())
            )
        except OSError:
            return ()

    def check(self) -> None:
        """Refuses what TensorFlow would wait for, or read without end.

        Raises:
            LoadError: An entry that is neither a folder nor a regular file, or can't be looked at.
        """
        try:
            for name, found in self._entries():
                if not stat.S_ISREG(found.st_mode):
                    raise LoadError(f"{name}: not a regular file")
        except OSError as error:
            raise LoadError(f"{self._name(error)}: {error.strerror}") from None

    def verify(self) -> bool:
        """Compares every file with the manifest that was written with it; False where there is none.

        Raises:
            LoadError: A file that is missing, differs, or is not in the manifest, or a manifest that can't be read.
        """
        try:
            expected = self._manifest()
            if expected is None:
                return False
            names = {name for name, _ in self._entries()} - {VersionManifest.FILE.as_posix()}
            for name in sorted(names | expected.keys()):
                if name not in names:
                    raise LoadError(f"manifest: {name}: missing")
                if name not in expected:
                    raise LoadError(f"manifest: {name}: not listed")
                with open_regular(self._folder / name) as file:
                    if hashlib.file_digest(file, "sha256").hexdigest() != expected[name]:
                        raise LoadError(f"manifest: {name}: SHA-256 differs")
        except OSError as error:
            raise LoadError(f"{self._name(error)}: {error.strerror}") from None
        return True

    def _manifest(self) -> dict[str, str] | None:
        try:
            text = read_regular(self._folder / VersionManifest.FILE, _MAX_MANIFEST_BYTES)
            return VersionManifest.from_json(text).sha256
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise LoadError(str(error)) from None

    def _entries(self) -> Iterator[tuple[str, os.stat_result]]:
        """Whatever is no folder, by its path from the version's folder.

        Raises:
            OSError: Something can't be looked at, a folder holds a link to one around it, or there is too much.
        """
        pending: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset())]
        count = 0
        while pending:
            place, around = pending.pop()
            found = os.stat(self._folder / place)
            around |= {(found.st_dev, found.st_ino)}
            for name in sorted(os.listdir(self._folder / place)):
                if not place and name.startswith("."):
                    continue
                path = f"{place}/{name}" if place else name
                found = os.stat(self._folder / path)
                count += 1
                if count > _MAX_FILES:
                    raise OSError(errno.EFBIG, f"more than {_MAX_FILES:,} files", str(self._folder / path))
                if not stat.S_ISDIR(found.st_mode):
                    yield path, found
                elif (found.st_dev, found.st_ino) in around:
                    raise OSError(errno.ELOOP, "a link to a folder that it is in", str(self._folder / path))
                else:
                    pending.append((path, around))

    def _name(self, error: OSError) -> str:
        """The path from the version's folder that an error is about; nobody else's."""
        path = Path(str(error.filename))
        return path.relative_to(self._folder).as_posix() if path.is_relative_to(self._folder) else "a file"
