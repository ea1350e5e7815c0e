import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agegait.data.folder.layout import find_walks
from agegait.recordings.formats.frame_folders import frame_files
from agegait.recordings.registry import may_be_walk
from agegait.storage.gallery_file import gallery_store
from agegait.storage.records import load_json
from agegait.storage.store import Store

_TEXT = ".txt"
"""Ending of many files that are no walks: outside of a folder of recordings only frames count."""


def find_stores(path: str | os.PathLike) -> list[Store]:
    """The places with biometric data in a folder, or below it, by what their records say; links are not followed.

    Raises:
        ValueError: No such folder or file.
        OSError: A folder that cannot be looked into.
    """
    path = Path(path)
    if path.is_file() and (gallery := gallery_store(path)):
        return [gallery]
    if path.is_file() and may_be_walk(path):
        return [Store(path, "recordings", (path.parent.name,), recordings=((path.parent.name, path),))]
    if not path.is_dir():
        raise ValueError(
            f"{path}: expected a folder, or a walk's file, found {'another' if path.exists() else 'none'}."
        )
    return list(_below(path, set()))


def _below(folder: Path, known: set[Path]) -> Iterator[Store]:
    """The stores in a folder; `known` are the walks of those above it."""
    entries = sorted(folder.iterdir())
    names = {entry.name for entry in entries}
    if "run.json" in names:
        yield _run(folder)
        return
    if "manifest.json" in names and (store := _export(folder)):
        yield store
        return
    if "dataset_info.json" in names:
        yield _data_set(folder)
        return
    if "saved_model.pb" in names:
        yield Store(folder, "model", None)
        return
    if "tuning.json" in names:
        yield Store(folder, "search")
    elif "settings.json" in names and names & {"reproduction.json", "results"}:
        yield _reproduction(folder)
        entries = [entry for entry in entries if entry.name in ("runs", "encoders", "embedders")]
    elif not known and (recordings := _recordings(folder)):
        known = {file for _, file in recordings.recordings}
        yield recordings
    yield from _loose(folder, entries, known)
    for entry in entries:
        if entry.is_symlink():
            if entry.is_dir() and not entry.resolve().is_relative_to(folder.resolve()):
                yield Store(entry, "recordings", (entry.name,), remark="a link to elsewhere, which is not followed")
        elif entry.is_dir():
            yield from _below(entry, known)


def _run(folder: Path) -> Store:
    record = _read(folder / "run.json")
    data = _inside(record, "data")
    if not isinstance(persons := data.get("persons"), list):
        return Store(folder, "run", None, remark="run.json is damaged")
    left_out = _inside(_read(folder / "evaluation.json"), "left_out")
    named = (*_texts(_inside(data, "split")), *_texts(left_out))
    return Store(folder, "run", tuple(map(str, persons)), named, remark=f"trained on {data.get('name')}")


def _export(folder: Path) -> Store | None:
    manifest = _read(folder / "manifest.json")
    persons, models = manifest.get("persons"), manifest.get("models")
    if not isinstance(persons, list) or not isinstance(models, dict):
        return None
    newest = {folder / name / str(model.get("version")) for name, model in models.items() if isinstance(model, dict)}
    graphs = tuple(path for path in sorted(folder.glob("*/*/saved_model.pb")) if path.parent not in newest)
    older = sorted({path.parent.name for path in graphs})
    remark = f"of versions {', '.join(older)} the manifest says nothing" if older else ""
    named = _texts(_inside(manifest, "run", "data", "split"))
    return Store(folder, "export", tuple(map(str, persons)), named, graphs=graphs, remark=remark)


def _data_set(folder: Path) -> Store:
    labels = folder / "person.labels.txt"
    persons = tuple(labels.read_text(encoding="utf-8").splitlines()) if labels.exists() else None
    name = _read(folder / "dataset_info.json").get("name")
    return Store(folder, "data set", persons, remark="generated: of nobody" if name == "walkers" else "")


def _reproduction(folder: Path) -> Store:
    return Store(folder, "reproduction", (), _texts(_inside(_read(folder / "settings.json"), "data", "split")))


def _recordings(folder: Path) -> Store | None:
    try:
        layout = find_walks(folder)
    except ValueError:
        return None
    files = tuple((walk.person, file) for walk in layout.walks for file in frame_files(walk.path) or [walk.path])
    return Store(folder, "recordings", layout.persons, recordings=files, remark=f"{len(layout.walks)} walks")


def _loose(folder: Path, entries: list[Path], known: set[Path]) -> Iterator[Store]:
    """What lies in a folder without a record of it: walks and models."""
    walks = [
        entry
        for entry in entries
        if entry not in known and entry.is_file() and entry.suffix.lower() != _TEXT and may_be_walk(entry)
    ]
    frames = [file for file in frame_files(folder) if file not in known]
    if walks or frames:
        name = folder.resolve().parent.name if frames else folder.resolve().name
        files = (*((name, file) for file in (*walks, *frames)), *((walk.stem, walk) for walk in walks))
        remark = f"{len(walks) + bool(frames)} walks; of whom, names of folders and files say"
        yield Store(folder, "recordings", (name,), tuple(walk.stem for walk in walks), files, remark=remark)
    for entry in entries:
        if entry.suffix in (".keras", ".onnx", ".tflite"):
            yield Store(entry, "model", None)
        elif entry not in known and entry.is_file() and (gallery := gallery_store(entry)):
            yield gallery


def _read(path: Path) -> dict[str, Any]:
    """What a record of any version holds; nothing where it is none."""
    try:
        return _inside(load_json(path))
    except (ValueError, FileNotFoundError):
        return {}


def _inside(record: Any, *names: str) -> dict[str, Any]:
    """What a record, perhaps a damaged one, has below these names; nothing where that is no object."""
    for name in names:
        record = record.get(name) if isinstance(record, dict) else None
    return record if isinstance(record, dict) else {}


def _texts(lists: dict[str, Any]) -> tuple[str, ...]:
    """What the lists hold, all of them one after another."""
    return tuple(str(text) for found in lists.values() if isinstance(found, list) for text in found)
