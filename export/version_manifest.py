import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self


@dataclass(frozen=True)
class VersionManifest:
    """What the files of an exported version are known by. It lies among them, in its version's folder.

    Attributes:
        FILE: Its place in the folder.
        sha256: The SHA-256 of each other file, by the file's path from the folder.
    """

    FILE: ClassVar = Path("assets.extra/agegait_manifest.json")

    sha256: dict[str, str]

    @classmethod
    def from_files(cls, folder: Path) -> Self:
        """That of all files that a folder has by now."""
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return cls({file.relative_to(folder).as_posix(): _digest(file) for file in files})

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """From what `write` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            hashes = json.loads(text)["sha256"]
            if not all(isinstance(digest, str) for digest in hashes.values()):
                raise TypeError
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise ValueError(f"{cls.FILE}: not a manifest") from None
        return cls(hashes)

    def write(self, folder: Path) -> None:
        """Writes it into the version's folder."""
        (folder / self.FILE).write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")

    def changed(self, folder: Path) -> list[str]:
        """Paths of files in a folder that are not as they were.

        Raises:
            OSError: One that is missing, or cannot be read.
        """
        return [name for name, digest in self.sha256.items() if _digest(folder / name) != digest]


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
