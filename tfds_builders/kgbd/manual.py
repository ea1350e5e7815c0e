"""Copies of KGBD that someone put into the manual directory: a folder, or an archive that is read as it is."""

import re
from collections.abc import Iterator

from etils import epath

from tfds_builders import archives

_LAYOUTS = ("", "Data/", "kinect gait raw dataset/", "KinectGait*/Data/")
_OURS = re.compile(r"kgbd|kinect.?gait", re.IGNORECASE)
_WALK = re.compile(r"(?:^|/)(Person[^/]+/[^/.][^/]*)\.txt$")


def find(manual_dir: epath.Path) -> epath.Path | None:
    """Finds a copy of KGBD: in `manual_dir`/kgbd, else in `manual_dir` itself, which other data sets may share.

    Returns:
        The folder that holds the folders PersonNNN, or an archive; None if there is neither.

    Raises:
        ValueError: `manual_dir`/kgbd is there without a copy in it, or there are several archives.
    """
    own = manual_dir / "kgbd"
    if not own.is_dir():
        return _folder(manual_dir) or _archive(path for path in manual_dir.iterdir() if _OURS.search(path.name))
    copy = _folder(own) or _archive(own.iterdir())
    if copy is None:
        raise ValueError(
            f"{own}: expected KGBD as Data/PersonNNN/W.txt or as an archive of that ({', '.join(archives.SUFFIXES)}), "
            f"got {sorted(path.name for path in own.iterdir())[:10] or 'an empty folder'}"
        )
    return copy


def files(folder: epath.Path) -> dict[str, epath.Path]:
    """Lists the walks of an unpacked copy: "Person001/1" -> its file."""
    paths = {f"{path.parent.name}/{path.name}": path for path in folder.glob("Person*/*.txt")}
    return {match[1]: path for name, path in paths.items() if (match := _WALK.search(name))}


def members(archive: epath.Path) -> dict[str, str]:
    """Lists the walks of an archive: "Person001/1" -> its path in the archive.

    Raises:
        ValueError: The archive cannot be read, holds a walk twice, or has a path that climbs out of it.
    """
    found: dict[str, str] = {}
    for name in archives.names(archive):
        if match := _WALK.search(name):
            _check_new(match[1], found, archive, name)
            found[match[1]] = name
    return found


def texts(archive: epath.Path) -> Iterator[tuple[str, bytes]]:
    """Reads the walks of an archive, in its order, without writing anything to disk.

    Yields:
        A walk's name, such as "Person001/1", and its text.

    Raises:
        ValueError: As `members`.
    """
    seen: dict[str, str] = {}
    for name, text in archives.read(archive, _WALK.search):
        walk = _WALK.search(name)[1]  # type: ignore[index]
        _check_new(walk, seen, archive, name)
        seen[walk] = name
        yield walk, text


def _check_new(walk: str, seen: dict[str, str], archive: epath.Path, name: str) -> None:
    if walk in seen:
        raise ValueError(f"{archive}: expected each walk once, got {walk} again as {name!r}")


def _folder(parent: epath.Path) -> epath.Path | None:
    for layout in _LAYOUTS:
        for file in parent.glob(f"{layout}Person*/*.txt"):
            return file.parent.parent
    return None


def _archive(paths: Iterator[epath.Path]) -> epath.Path | None:
    found = sorted(path for path in paths if archives.stem(path.name) is not None)
    if len(found) > 1:
        raise ValueError(f"{found[0].parent}: expected one archive of KGBD, got {[path.name for path in found]}")
    return found[0] if found else None
