"""The frames of a track in a table: their numbers and times, those that are there twice, and those that are missing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agegait.recordings.formats.table import Table
from agegait.recordings.formats.time_texts import seconds_of
from agegait.recordings.formats.walk_columns import WalkColumns
from agegait.recordings.frame_times import MOST_MISSING, Clock, missing_frames, read_clock

_SEVERAL = "and one walk a file, unless columns such as person and walk tell several apart"
_HOLES = 3
"""That are told one by one."""


@dataclass(frozen=True)
class Frames:
    """The frames of a track.

    Attributes:
        kept: [T] those of the rows that frames begin in.
        seconds: [T], when each was taken; None where unknown.
        frame_rate: Hz, where it is known and times are not.
        breaks: Frames before which more than a few are missing.
        remarks: On the above.
    """

    kept: np.ndarray
    seconds: np.ndarray | None
    frame_rate: float | None
    breaks: tuple[int, ...]
    remarks: tuple[str, ...]


def frames_of(
    table: Table, columns: WalkColumns, rows: np.ndarray, numbers: np.ndarray | None, coordinates: np.ndarray
) -> Frames:
    """Finds the frames of a track.

    Args:
        table: That has a track alone.
        columns: Of the table.
        rows: [R] that frames begin in.
        numbers: [R] of the frames, where the file or the order of its bodies tells them.
        coordinates: [R, J, 3]

    Raises:
        ValueError: Numbers or times that fall, or two frames of one number.
    """
    remarks: tuple[str, ...] = ()
    kept = np.arange(len(rows))
    if numbers is not None:
        again = _again(table, columns, rows, numbers, coordinates)
        kept = np.flatnonzero(~again)
        remarks = _told_again(table, rows, again, "frame", numbers)
    clock, times, said = _clock(table, columns, rows[kept], numbers is not None)
    if times is not None and numbers is None:
        again = np.concatenate([[False], (np.diff(times) == 0) & _like_the_one_before(coordinates)[1:]])
        if again.any() and (np.diff(times[~again]) > 0).all():
            kept = kept[~again]
            remarks = _told_again(table, rows, again, "time", times)
            clock, times, said = _clock(table, columns, rows[kept], False)
    breaks: list[int] = []
    if numbers is not None:
        missing = missing_frames(numbers[kept], counted=True)
        breaks += np.flatnonzero(missing > MOST_MISSING).tolist()
        has_numbers = columns.frame is not None and np.array_equal(numbers, table.numbers(columns.frame)[rows])
        remarks += _told_missing(missing, *_names(table, rows[kept], numbers[kept] if has_numbers else None))
    if clock.seconds is not None:
        missing = missing_frames(clock.seconds)
        missing[missing <= MOST_MISSING] = 0
        missing[breaks] = 0
        breaks += np.flatnonzero(missing).tolist()
        remarks += _told_missing(missing, *_names(table, rows[kept], None))
    return Frames(kept, clock.seconds, clock.frame_rate, tuple(sorted(breaks)), remarks + said)


def times_of(table: Table, column: int, rows: np.ndarray) -> tuple[np.ndarray | None, str]:
    """A column's times, by numbers or in text; or None, and why there are none."""
    entries = table.columns[column]
    if not isinstance(entries, np.ndarray):
        texts = [table.texts(column)[row] for row in rows] if entries else []
        times = seconds_of(texts)
        if times is None:
            strange = next((text for text in texts if seconds_of([text]) is None), texts[0])
            return None, f"not understood: {strange[:40]!r}"
        return times, ""
    times = entries[rows]
    if not np.isfinite(times).all():
        return (
            None,
            f"has no time in line {table.lines[rows[np.flatnonzero(~np.isfinite(times))[0]]]}, so it is not read",
        )
    return times, ""


def _clock(
    table: Table, columns: WalkColumns, rows: np.ndarray, numbered: bool
) -> tuple[Clock, np.ndarray | None, tuple[str, ...]]:
    """The first clock that is of use, its times, and remarks on how they were understood.

    Raises:
        ValueError: Times fall, and no numbers say that frames are in order.
    """
    said: list[str] = []
    for place, (column, unit) in enumerate(columns.times):
        times, why = times_of(table, column, rows)
        if times is not None and (np.diff(times) < 0).any():
            row = rows[np.flatnonzero(np.diff(times) < 0)[0] + 1]
            if not numbered:
                raise ValueError(f"{table.place(row, column)}: expected times in order, {_SEVERAL}.")
            times, why = None, f"falls in line {table.lines[row]}, so it is not read"
        clock = Clock(None)
        if times is not None and len(times):
            is_text = not isinstance(table.columns[column], np.ndarray)
            clock = read_clock(times, 1.0 if is_text or column in table.clocks else unit)
            why = clock.remark
        if why:
            said.append(f"{table.title(column)} {why}")
        if clock.seconds is not None or clock.frame_rate is not None:
            others = [columns.titles[index] for index, _ in columns.times[place + 1 :]]
            return clock, times, (*said, *([f"not read: {', '.join(others)}"] if others else []))
    return Clock(None), None, tuple(said)


def _again(
    table: Table, columns: WalkColumns, rows: np.ndarray, numbers: np.ndarray, coordinates: np.ndarray
) -> np.ndarray:
    """[R], whether a frame is the one before, number and all.

    Raises:
        ValueError: Numbers fall, or a frame has the number of the one before and other coordinates.
    """
    steps = np.concatenate([[1], np.diff(numbers)])
    again = (steps == 0) & _like_the_one_before(coordinates)
    if ((wrong := steps <= 0) & ~again).any():
        index = int(np.flatnonzero(wrong & ~again)[0])
        other = " with other coordinates" if steps[index] == 0 else ""
        raise ValueError(
            f"{table.place(rows[index], columns.frame or 0)}: expected frames in order, {_SEVERAL}, found "
            f"{numbers[index]:.15g} after {numbers[index - 1]:.15g}{other}."
        )
    return again


def _like_the_one_before(coordinates: np.ndarray) -> np.ndarray:
    same = (coordinates[1:] == coordinates[:-1]) | (np.isnan(coordinates[1:]) & np.isnan(coordinates[:-1]))
    return np.concatenate([[False], same.all(axis=(1, 2))])


def _told_again(table: Table, rows: np.ndarray, again: np.ndarray, word: str, values: np.ndarray) -> tuple[str, ...]:
    if not again.any():
        return ()
    first, count = int(np.flatnonzero(again)[0]), int(again.sum())
    place = f"line {table.lines[rows[first]]} is {word} {values[first]:.15g} again"
    several = "frames are there twice", "were"
    noun, verb = several if count > 1 else ("frame is there twice", "was")
    return (f"{count} {noun} ({place}) and {verb} left out",)


def _names(table: Table, rows: np.ndarray, numbers: np.ndarray | None) -> tuple[Sequence[str], str]:
    """What frames are called where some are missing between them."""
    if numbers is None:
        return [str(line) for line in table.lines[rows]], "lines "
    return [f"{number:.15g}" for number in numbers], ""


def _told_missing(missing: np.ndarray, names: Sequence[str], word: str) -> tuple[str, ...]:
    """Says where frames are missing, first of all where many are."""
    places = np.flatnonzero(missing)
    if not len(places):
        return ()
    places = places[np.argsort(-missing[places], kind="stable")]
    shown = [f"{missing[i]} between {word}{names[i - 1]} and {names[i]}" for i in places[:_HOLES]]
    first = shown[0].replace(" ", " frames are missing " if missing[places[0]] > 1 else " frame is missing ", 1)
    more = [f"{missing[places[_HOLES:]].sum()} in {len(places) - _HOLES} more places"] if len(places) > _HOLES else []
    return (", ".join([first, *shown[1:], *more]),)
