import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from agegait.cli.confirmation import confirm
from agegait.storage.private_files import is_open
from agegait.terminal.console import output
from agegait.terminal.visible_text import visible

if TYPE_CHECKING:
    from agegait.storage import Store

PEOPLE_SHOWN = 6
UNLINKED = (
    "Deleted files are unlinked, not overwritten: copies, backups, snapshots and the disk itself may hold them yet."
)


def list_stored(options: argparse.Namespace) -> None:
    """Lists what is stored, or where a person is, and deletes the person's recordings on request."""
    from agegait.storage import find_stores

    if options.person is None and (options.delete or options.yes):
        raise ValueError("--person: expected with --delete, received none.")
    stores = [store for path in options.paths for store in find_stores(path)]
    if options.person is None:
        _print_all(stores)
        return
    person = options.person
    found = [store for store in stores if store.holds(person)]
    unknown = [store for store in stores if store.holds(person) is None]
    _print_person(person, found, unknown, len(stores))
    if options.delete:
        _delete(person, found, unknown, options.paths, options.yes)


def _print_all(stores: Sequence["Store"]) -> None:
    from agegait.storage.store import KINDS

    console = output()
    table = _table("where", "what", "of whom", "who can read it")
    for store in stores:
        readers = "everybody" if is_open(store.path if store.path.is_dir() else store.path.parent) else "not everybody"
        remark = f" ({store.remark})" if store.remark else ""
        table.add_row(str(store.path), f"{store.kind}{remark}", _people(store.persons), readers)
    console.print(table if stores else "no biometric data found")
    for kind in dict.fromkeys(store.kind for store in stores):
        console.print(f"{kind}: {KINDS[kind]}", soft_wrap=True)


def _print_person(person: str, found: Sequence["Store"], unknown: Sequence["Store"], among: int) -> None:
    from agegait.storage.store import REMEDIES

    console = output()
    if not found:
        console.print(f"{person}: in none of {among} places whose records say of whom they are", soft_wrap=True)
    else:
        table = _table("where", "what", "to take the person out")
        for store in found:
            files = store.places(person)
            for folder, count in _by_folder(files):
                table.add_row(str(folder), f"recordings: {count} files", REMEDIES["recordings"])
            if not files:
                table.add_row(str(store.path), store.kind, REMEDIES[store.kind])
        console.print(table)
    for store in unknown:
        text = f"{store.path}: {store.kind} that does not say of whom it is: {REMEDIES['model']}"
        console.print(text, style="yellow", soft_wrap=True)


def _delete(
    person: str, found: Sequence["Store"], unknown: Sequence["Store"], roots: Sequence[Path], sure: bool
) -> None:
    """Deletes what is recorded of a person, and folders that are empty then: nothing else, nothing beyond links."""
    console = output()
    files = {place: store for store in found for place in store.places(person)}
    own = [place for place, store in files.items() if not store.is_linked(place)]
    left = [str(store.path) for store in (*found, *unknown) if not store.places(person)]
    left += dict.fromkeys(str(place.parent) for place in files if place not in own)
    if own:
        if not sure:
            lines = (f"{count} files in {folder}" for folder, count in _by_folder(own))
            confirm(f"Delete for good what is recorded of {person}?", *lines)
        for file in own:
            file.unlink()
        for folder, count in _by_folder(own):
            console.print(f"deleted: {count} files in {folder}", soft_wrap=True)
            left += _clear(folder, person, roots)
        console.print(UNLINKED, soft_wrap=True)
    if left:
        raise ValueError(f"{person}: still in {', '.join(dict.fromkeys(left))}: see above what is to be done")


def _clear(folder: Path, person: str, roots: Sequence[Path]) -> list[str]:
    """Removes a folder and the person's above it, where they are empty; returns those where something else is left."""
    from agegait.storage import is_same_person

    for place in (folder, folder.parent):
        if place in roots or (place == folder.parent and not is_same_person(place.name, person)):
            return []
        if any(place.iterdir()):
            return [str(place)] if is_same_person(place.name, person) else []
        place.rmdir()
    return []


def _by_folder(files: Sequence[Path]) -> list[tuple[Path, int]]:
    return list(Counter(file.parent for file in files).items())


def _people(persons: Sequence[str] | None) -> str:
    if persons is None:
        return "not said"
    shown = ", ".join(map(visible, persons[:PEOPLE_SHOWN]))
    return shown + (f" and {len(persons) - PEOPLE_SHOWN} more" if len(persons) > PEOPLE_SHOWN else "") or "see its runs"


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table
