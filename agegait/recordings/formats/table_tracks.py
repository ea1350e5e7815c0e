"""Whose rows are whose in a table: people, their walks, and the bodies that a sensor tells apart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agegait.recordings.formats.table import Table
from agegait.recordings.formats.walk_columns import WalkColumns
from agegait.recordings.recording import listed

_MOST_BODIES = 6
"""That a sensor tells apart at once."""


@dataclass(frozen=True)
class Track:
    """Rows of one body.

    Attributes:
        rows: [R] indices of the table's rows.
        person: Who walks, where a column says so.
        walk: Which walk it is, where a column says so.
        body: The sensor's number for the body, where a column has it.
        frames: [R], numbers of frames where the file has none of its own.
        changes: Places in `rows` from which on the body has another number.
        remarks: What a reader of the file should know.
    """

    rows: np.ndarray
    person: str | None = None
    walk: str | None = None
    body: str | None = None
    frames: np.ndarray | None = None
    changes: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()


def split(table: Table, columns: WalkColumns) -> list[Track]:
    """Tells apart whose a table's rows are.

    Raises:
        ValueError: A row without a person, or a column that may say who walks, or may not.
    """
    persons = None if columns.person is None else table.texts(columns.person)
    if persons is not None and "" in persons:
        row = persons.index("")
        raise ValueError(f"{table.place(row, columns.person or 0)}: expected who walks, found an empty field.")
    walks = _walk_names(table, columns.walks)
    groups: dict[tuple[str | None, str | None], list[int]] = {}
    for row in range(len(table.lines)):
        key = None if persons is None else persons[row], None if walks is None else walks[row]
        groups.setdefault(key, []).append(row)
    tracks = []
    for (person, walk), places in groups.items():
        rows = np.array(places)
        remarks = _ask(table, columns, rows)
        for track in _bodies(table, columns, rows):
            tracks.append(replace(track, person=person, walk=walk or None, remarks=track.remarks + remarks))
    return tracks


def present(table: Table, columns: WalkColumns, tracks: Sequence[Track], body: str) -> list[Track]:
    """The tracks of a body that has columns of its own, without the rows in which it is not there."""
    found = []
    for track in tracks:
        seen = _have_places(table, columns, track.rows)
        gone = int((~seen).sum())
        told = (f"{gone} rows without body {body} were left out",) if gone else ()
        # The rows of other tracks are no hole in this one.
        frames = np.arange(len(track.rows)) if track.frames is None and columns.frame is None else track.frames
        if seen.any():
            found.append(
                replace(
                    track,
                    rows=track.rows[seen],
                    body=body,
                    frames=None if frames is None else frames[seen],
                    changes=tuple(np.unique(np.searchsorted(np.flatnonzero(seen), track.changes)).tolist()),
                    remarks=(
                        *track.remarks,
                        f"several bodies are beside each other in the file: this is {body}",
                        *told,
                    ),
                )
            )
    return found


def _walk_names(table: Table, columns: Sequence[int]) -> list[str] | None:
    """A name of each row's walk, of those columns that differ."""
    texts = [table.texts(column) for column in columns]
    differing = [entries for entries in texts if len(set(entries)) > 1] or texts[:1]
    return ["-".join(filter(None, names)) for names in zip(*differing, strict=True)] if differing else None


def _ask(table: Table, columns: WalkColumns, rows: np.ndarray) -> tuple[str, ...]:
    """Remarks on columns such as `label`, which may say who walks or what somebody does.

    Raises:
        ValueError: Such a column has several values, and nothing shows that all frames are of one recording.
    """
    remarks = []
    for column in columns.labels:
        entries = table.texts(column)
        values = list(dict.fromkeys(entries[row] for row in rows))
        name = columns.titles[column]
        if len(values) > 1 and not _one_recording(table, columns, rows):
            raise ValueError(
                f"{table.source}: column {name!r} has {len(values)} values ({listed(values)}): does it say who walks? "
                f'person_column="{name}" says so, person_column="" says that no column does.'
            )
        told = f" ({len(values)} values; person_column reads it, if it says who walks)" if len(values) > 1 else ""
        remarks.append(f"not read: {name}{told}")
    return tuple(remarks)


def _one_recording(table: Table, columns: WalkColumns, rows: np.ndarray) -> bool:
    """Whether frames count on through all rows."""
    if columns.frame is None:
        return False
    steps = np.diff(table.numbers(columns.frame)[rows])
    return bool((steps >= 0).all() if columns.joint is not None else (steps > 0).all())


def _bodies(table: Table, columns: WalkColumns, rows: np.ndarray) -> list[Track]:
    if columns.body is None:
        return [Track(rows)]
    texts = table.texts(columns.body)
    title = columns.titles[columns.body]
    ids = [texts[row] for row in rows]
    once = list(dict.fromkeys(ids))
    if len(once) == 1:
        return [Track(rows, body=once[0] or None)]
    remarks: tuple[str, ...] = ()
    if columns.joint is None:
        if len(once) > max(_MOST_BODIES, len(rows) / 2):
            return [Track(rows, remarks=(f"not read: {title} (another number in nearly each row, so no body's)",))]
        seen = _have_places(table, columns, rows)
        if seen.any() and not seen.all():
            remarks = (f"{int((~seen).sum())} rows of bodies without coordinates were left out",)
            rows, ids = rows[seen], [name for name, there in zip(ids, seen, strict=True) if there]
            once = list(dict.fromkeys(ids))
    number = {name: code for code, name in enumerate(once)}
    codes = np.array([number[name] for name in ids])
    numbers = None if columns.frame is None else table.numbers(columns.frame)[rows]
    if len(once) > 1 and _at_once(codes, numbers, columns.joint is not None):
        frames = None
        if columns.joint is None and (numbers is None or (np.diff(numbers) == 1).all()):  # it counts rows
            frames = _frames_of(codes)
        remarks = (f"{len(once)} bodies are in the file: {title} {listed(once)}", *remarks)
        return [
            Track(rows[own], body=name, frames=None if frames is None else frames[own], remarks=remarks)
            for code, name in enumerate(once)
            if (own := codes == code).any()
        ]
    changes = tuple((np.flatnonzero(np.diff(codes)) + 1).tolist())
    if changes:
        first = changes[0]
        more = f" It changes {len(changes)} times." if len(changes) > 1 else ""
        remarks = (
            f"{title} changes from {ids[first - 1]} to {ids[first]} in line {table.lines[rows[first]]}: one person or "
            f"two?{more}",
            *remarks,
        )
    return [Track(rows, body=once[0] if len(once) == 1 else None, changes=changes, remarks=remarks)]


def _have_places(table: Table, columns: WalkColumns, rows: np.ndarray) -> np.ndarray:
    """[R], whether any coordinate of a row is there and not 0, which sensors write for a body that they do not see."""
    seen = np.zeros(len(rows), bool)
    for triple in columns.coordinates:
        for column in triple:
            values = table.numbers(column)[rows]
            seen |= np.isfinite(values) & (values != 0)
    return seen


def _at_once(codes: np.ndarray, numbers: np.ndarray | None, long: bool) -> bool:
    """Whether two bodies are in a frame: by its number, or because they take turns in the rows."""
    if numbers is not None:
        pairs = np.unique(np.stack([numbers, codes], axis=1), axis=0)
        if len(pairs) > len(np.unique(numbers)):
            return True
    return not long and len(np.unique(frames := _frames_of(codes))) < len(frames)


def _frames_of(codes: np.ndarray) -> np.ndarray:
    """Numbers of frames by bodies that take turns: a frame ends before a body comes again.

    A body that comes after all others are gone, as where one number follows another, begins a frame as well.
    """
    last: dict[int, int] = {}
    again = np.zeros(len(codes), bool)
    bodies = int(codes.max()) + 1
    for index, code in enumerate(codes.tolist()):
        between = codes[last.get(code, index) + 1 : index]
        if 0 < len(between) < bodies and len(np.unique(between)) == len(between):
            again[last[code] : index + 1] = True
        last[code] = index
    frames, frame, present = np.empty(len(codes), int), 0, set[int]()
    for index, code in enumerate(codes.tolist()):
        if code in present or (index and not (again[index] and again[index - 1])):
            frame, present = frame + 1, set()
        present.add(code)
        frames[index] = frame
    return frames
