import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agegait.data.folder.plain_name import plain_name

KINDS = {
    "recordings": "walks as they were recorded",
    "run": "models trained on walks, names of people and walks, perhaps an evaluation and a report with drawings",
    "export": "models trained on walks, names of people, the run's record",
    "search": "settings and figures; its best trial is a run",
    "reproduction": "names of walks, figures, answers to test walks; its runs and models are listed too",
    "data set": "walks, prepared for TensorFlow Datasets",
    "model": "weights trained on walks",
    "gallery": "names of people, notes of consent, embeddings of walks, who did what",
}
"""What is biometric, or says who somebody is, in each kind of store."""

REMEDIES = {
    "recordings": "delete them: --delete",
    "run": "no person can be taken out of trained weights: delete the folder, train again without the person",
    "export": "the same: delete all versions that hold the person, export the new run",
    "search": "delete the folder, search again",
    "reproduction": "delete the folder",
    "data set": "delete the folder and what it was prepared from",
    "model": "find out whom it was trained on; delete it",
    "gallery": "forget the person, with `agegait.Gallery.forget`",
}
"""What is to be done where a store holds a person who is to be deleted."""


@dataclass(frozen=True)
class Store:
    """A place with biometric data.

    Attributes:
        path: The folder or file.
        kind: One of `KINDS`.
        persons: Names of the people whose walks it holds or was made from; None where it does not say.
        named: Names of walks that are mentioned besides.
        recordings: Persons and files of recordings.
        graphs: Files of exported models whose people are not among `persons` for certain.
        remark: What else is to be known.
    """

    path: Path
    kind: str
    persons: tuple[str, ...] | None = ()
    named: tuple[str, ...] = ()
    recordings: tuple[tuple[str, Path], ...] = ()
    graphs: tuple[Path, ...] = ()
    remark: str = ""

    def holds(self, person: str) -> bool | None:
        """Whether a person is in it, by name; None where it does not say."""
        if self.persons is None:
            return None
        named = (part for walk in self.named for part in PurePosixPath(walk).parts)
        if any(is_same_person(person, name) for name in (*self.persons, *named)):
            return True
        return any(_is_in_graph(graph, person) for graph in self.graphs)

    def places(self, person: str) -> tuple[Path, ...]:
        """The files of a person's recordings."""
        return tuple(dict.fromkeys(path for name, path in self.recordings if is_same_person(person, name)))

    def is_linked(self, place: Path) -> bool:
        """Whether a file is a link, or is reached by one, and so lies elsewhere."""
        return place.resolve() != self.path.resolve() / place.relative_to(self.path)


def is_same_person(name: str, other: str) -> bool:
    """Whether two names differ in no more than case, blanks around them and how Unicode writes an accent."""
    return plain_name(name) == plain_name(other)


def _is_in_graph(saved_model: Path, person: str) -> bool:
    """Whether a text tensor in a SavedModel's graph has a name, without loading TensorFlow for it."""
    content = saved_model.read_bytes()
    names = {unicodedata.normalize(form, person).encode(errors="surrogateescape") for form in ("NFC", "NFD")}
    return any(_framed(name) in content for name in names)


def _framed(name: bytes) -> bytes:
    """A text as field 8, string_val, of a TensorProto has it."""
    length, size = len(name), []
    while length >= 0x80:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([8 << 3 | 2, *size, length]) + name
