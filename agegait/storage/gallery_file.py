import contextlib
import sqlite3
from pathlib import Path

from agegait.storage.store import Store

_SQLITE = b"SQLite format 3\0"


def gallery_store(path: Path) -> Store | None:
    """What a gallery's SQLite file holds; None for another file."""
    try:
        with path.open("rb") as file:
            if file.read(len(_SQLITE)) != _SQLITE:
                return None
    except PermissionError:
        return None
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'gallery_person'").fetchone():
                return None
            names = database.execute("SELECT name FROM gallery_person ORDER BY id").fetchall()
    except sqlite3.Error as error:
        return Store(path, "gallery", None, remark=f"a database that cannot be read: {error}")
    return Store(path, "gallery", tuple(name for (name,) in names))
