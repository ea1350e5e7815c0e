"""What a check found as tables, for the terminal and the page alike."""

from collections.abc import Sequence

from agegait.gallery.drift_check import DriftCheck
from agegait.gallery.gallery_check import GalleryCheck
from agegait.gallery.walk_check import WalkCheck
from agegait.terminal.table import Cell, Column, Table

MOST_ROWS = 200


def check_tables(check: GalleryCheck) -> list[Table]:
    """A table of each kind of finding, without those that are empty."""
    limit = f"{check.threshold.distance:.3f}"
    chance = "" if check.expected is None else f" By chance there would be about {check.expected:.1f} such pairs."
    found = [
        _table(
            "Two names, perhaps one body",
            f"Their nearest walks are within the threshold, {limit}.{chance} If it is one person, forget one of the "
            "names and enrol its walks under the other.",
            (Column("person", False, True), Column("like", False, True), Column("distance")),
            [(pair.first, pair.second, f"{pair.distance:.3f}") for pair in check.duplicates],
        ),
        _table(
            "Walks unlike the person's others",
            f"They are beyond the threshold, {limit}, from each other walk of the same person: perhaps somebody else "
            "walked, or the recording is poor. Forget the person and enrol good walks.",
            _COLUMNS,
            list(map(_row, check.disagreeing)),
        ),
        _table(
            "Near the threshold",
            f"Within {check.MARGIN:.0%} of it: barely recognised by the person's other walks, or barely told from "
            "somebody else. Another walk or two of the person makes it surer.",
            _COLUMNS,
            list(map(_row, check.near)),
        ),
        _table(
            "One walk only",
            "People with two walks or more are recognised far more often.",
            (Column("person", False, True), Column("enrolled", False)),
            [(person.name, person.enrolled.date().isoformat()) for person in check.single],
        ),
        _table(
            f"Expire within {check.SOON.days} days",
            "They are deleted on that day. To keep somebody, ask for consent anew and enrol a walk with it.",
            (Column("person", False, True), Column("expires", False)),
            [(person.name, person.expires.date().isoformat()) for person in check.expiring if person.expires],
        ),
        _table(
            "Drift of the calibration",
            "What the calibration says of distances does not hold for the people enrolled: another sensor or place, "
            "a sensor that moved, people who changed, or too few people to calibrate on. `agegait calibrate` makes "
            "another one, of people who are not enrolled. Each person is taken for a stranger to all others; intervals "
            "are of 99 %.",
            (
                Column("of", False, True),
                Column("people"),
                Column("within"),
                Column("expected, %"),
                Column("found, %"),
                Column("", False),
            ),
            list(map(_drift_row, check.drift)) if check.drifted else [],
        ),
    ]
    return [table for table in found if table.rows]


_COLUMNS = (
    Column("person", False, True),
    Column("walk"),
    Column("frames"),
    Column("nearest own"),
    Column("nearest other"),
    Column("like", False, True),
)


def _row(walk: WalkCheck) -> tuple[Cell, ...]:
    figures = f"{walk.number}", f"{walk.frames:,}", _shown(walk.own), _shown(walk.other)
    return Cell(walk.person), *map(Cell, figures), Cell(walk.nearest or "")


def _drift_row(check: DriftCheck) -> tuple[Cell, ...]:
    if check.kind == "strangers":
        of, within = "strangers who are accepted", f"{check.distance:.3f}"
    else:
        of = "walks of a person that are far apart" + (f", enrolled {check.apart}" if check.apart else "")
        within = f"beyond {check.distance:.3f}"
    interval = f"{100 * check.low:.3g} to {100 * check.high:.3g}"
    said = f"{check.ratio:.2g} times as many" if check.drifted else "as expected"
    return (
        Cell(of),
        Cell(f"{check.people:,}"),
        Cell(within),
        Cell(f"{100 * check.expected:.3g}"),
        Cell(f"{100 * check.found:.3g}", interval),
        Cell(said),
    )


def _table(title: str, about: str, columns: tuple[Column, ...], rows: Sequence[tuple[Cell | str, ...]]) -> Table:
    caption = f"The first {MOST_ROWS} of {len(rows):,}." if len(rows) > MOST_ROWS else ""
    cells = tuple(tuple(Cell(cell) if isinstance(cell, str) else cell for cell in row) for row in rows[:MOST_ROWS])
    return Table(title, columns, cells, about=about, caption=caption)


def _shown(distance: float | None) -> str:
    return "" if distance is None else f"{distance:.3f}"
