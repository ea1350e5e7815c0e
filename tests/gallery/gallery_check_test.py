"""What a check of a gallery finds, and the page of it."""

import io
import tracemalloc
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from rich.console import Console
from support import browser
from support.gallery_bodies import BoneLengths, walk, walks

import agegait
from agegait.gallery import (
    Calibration,
    check_tables,
    checking,
    database as database_module,
    drift,
    gallery as gallery_module,
    snapshot,
    write_check,
)

LIMIT = 0.1
DORA = "Dora" * 50
NASTY = "<script>document.title='x'</script>"


def enrol(gallery):
    """Three people who are told apart, one under two names, one whose walks are of two bodies."""
    gallery.enrol("Anna", [walk(0), walk(0, 1)], consent="form")
    gallery.enrol("Ben", walk(1), consent="form", expires=datetime.now(UTC) + timedelta(days=10))
    gallery.enrol(NASTY, [walk(2), walk(2, 1)], consent="form", expires=datetime.now(UTC) + timedelta(days=40))
    gallery.enrol("Carla", [walk(0, 2), walk(0, 3)], consent="form")
    gallery.enrol(DORA, [walk(3), walk(4)], consent="form")


def test_what_is_wrong_is_found(gallery):
    enrol(gallery)
    found = gallery.check(threshold=LIMIT)
    assert [person.name for person in found.people] == ["Anna", "Ben", NASTY, "Carla", DORA]
    (pair,) = found.duplicates
    assert (pair.first, pair.second) == ("Anna", "Carla")
    embeddings = BoneLengths().embed([walk(0, number) for number in range(4)])
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    assert pair.distance == pytest.approx(1 - (unit[:2] @ unit[2:].T).max(), abs=1e-5)
    assert [(one.person, one.number, one.frames) for one in found.disagreeing] == [(DORA, 1, 40), (DORA, 2, 40)]
    assert [person.name for person in found.single] == ["Ben"]
    assert [person.name for person in found.expiring] == ["Ben"]
    assert (found.expired, found.expected) == (0, None)
    one = next(each for each in found.walks if (each.person, each.number) == ("Anna", 2))
    assert one.own == pytest.approx(1 - unit[0] @ unit[1], abs=1e-5)
    assert (one.nearest, one.other) == ("Carla", pytest.approx(1 - (unit[1] @ unit[2:].T).max(), abs=1e-5))
    last = gallery.audit()[-1]
    assert (last.action, last.person, last.detail) == ("check", None, "5 people")
    near = gallery.check(threshold=one.own * 1.05).near
    assert ("Anna", 2) in {(each.person, each.number) for each in near}


def test_the_threshold_is_that_of_the_calibration(gallery):
    enrol(gallery)
    with pytest.raises(ValueError, match=r"^false_alarms: expected a gallery with a calibration"):
        gallery.check()
    calibration = gallery.recalibrate(walks(range(100, 130)))
    found = gallery.check(false_alarms=0.05)
    sizes = {1: 1, 2: 4}
    assert found.threshold == calibration.threshold(sizes, 0.05)
    assert found.expected == calibration.expected_pairs(found.threshold.distance, sizes)


def test_who_was_expired_is_counted_and_not_named(opened, gallery, monkeypatch):
    enrol(gallery)
    monkeypatch.setattr(gallery_module, "_now", lambda: datetime.now(UTC) + timedelta(days=20))
    later = opened()
    found = later.check(threshold=LIMIT)
    assert found.expired == 1
    assert [person.name for person in found.expiring] == [NASTY]
    assert "Ben" not in {person.name for person in found.people}


def test_a_gallery_of_few(gallery, tmp_path):
    assert gallery.check(threshold=LIMIT).walks == ()
    gallery.enrol("Anna", [walk(0)], consent="form")
    found = gallery.check(threshold=LIMIT)
    assert [(one.own, one.other, one.nearest) for one in found.walks] == [(None, None, None)]
    assert found.duplicates == found.disagreeing == found.near == ()
    write_check(found, tmp_path / "check.html")
    page = (tmp_path / "check.html").read_text()
    assert "<img" not in page
    assert "One walk only" in page


def test_blocks_of_templates_make_no_difference(gallery, monkeypatch):
    enrol(gallery)
    whole = gallery.check(threshold=LIMIT)
    monkeypatch.setattr(snapshot, "_ROWS_AT_ONCE", 3)
    monkeypatch.setattr(snapshot, "_PROBES_AT_ONCE", 2)
    monkeypatch.setattr(snapshot, "_COLUMNS_AT_ONCE", 4)
    parts = gallery.check(threshold=LIMIT)
    assert [(pair.first, pair.second) for pair in parts.duplicates] == [("Anna", "Carla")]
    for one, other in zip(parts.walks, whole.walks, strict=True):
        assert (one.person, one.number, one.nearest) == (other.person, other.number, other.nearest)
        assert one.own == pytest.approx(other.own, abs=1e-6)
        assert one.other == pytest.approx(other.other, abs=1e-6)


def test_nobody_waits_while_walks_are_compared(sqlite_url, monkeypatch):
    """A transaction that went on would keep the log from being emptied."""
    monkeypatch.setattr(database_module, "_BUSY_SECONDS", 0.5)
    compare = gallery_module.compare_all

    def forgetting(*arguments):
        with agegait.Gallery.open(sqlite_url) as other:
            other.forget("Ben")
        return compare(*arguments)

    monkeypatch.setattr(gallery_module, "compare_all", forgetting)
    with agegait.Gallery.open(sqlite_url, BoneLengths()) as gallery:
        enrol(gallery)
        assert "Ben" in [person.name for person in gallery.check(threshold=LIMIT).people]  # as it was


def test_memory_is_that_of_the_templates_not_of_their_pairs():
    random = np.random.default_rng(0)
    embeddings = random.normal(size=(10_000, 8)).astype("float32")
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    numbers = np.arange(10_000)
    many = snapshot.Snapshot(embeddings, numbers, numbers, np.zeros(10_000))
    tracemalloc.start()
    checking.find_nearest(many)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6  # the distances of all pairs are 400 MB, those of 256 walks to all 10


def calibrated(opened, people=60):
    gallery = opened()
    gallery.recalibrate(walks(range(1000, 1000 + people)))
    return gallery


def test_a_calibration_that_holds_has_not_drifted(opened):
    gallery = calibrated(opened)
    for number in range(60):
        gallery.enrol(f"person {number}", [walk(number), walk(number, 1)], consent="form")
    found = gallery.check(false_alarms=0.05)
    assert not found.drifted
    assert [(each.kind, each.apart) for each in found.drift] == [("strangers", "")] * 4 + [
        ("own walks", ""),
        ("own walks", "on one day"),
    ]
    assert found.drift[0].distance == found.threshold.distance
    assert found.drift[0].expected == pytest.approx(0.05, rel=0.1)  # a gallery with a person fewer
    assert [each.expected for each in found.drift[1:4]] == list(drift.RATES)
    assert all(each.low <= each.found <= each.high and each.people == 60 for each in found.drift)
    assert "Drift of the calibration" not in [table.title for table in check_tables.check_tables(found)]
    assert {each.found for each in gallery.drift()} <= {each.found for each in found.drift}
    drawn = gallery.drift(most=30)
    assert 20 <= drawn[0].people <= 30
    assert drawn[0].high - drawn[0].low > found.drift[1].high - found.drift[1].low


def test_people_who_are_nearer_to_each_other_than_those_of_the_calibration(opened, tmp_path):
    gallery = calibrated(opened)
    for number in range(40):
        alike = (0.5 * walk(number) + 0.5 * walk(777)).astype("float32")
        gallery.enrol(f"person {number}", [alike], consent="form")
    found = gallery.check(false_alarms=0.01)
    assert found.drifted
    strangers = found.drift[0]
    unit = np.stack([walk_check.other for walk_check in found.walks])
    assert strangers.found == np.mean(unit <= found.threshold.distance)
    assert strangers.ratio > 5
    assert strangers.low > strangers.expected
    (table,) = [table for table in check_tables.check_tables(found) if table.title == "Drift of the calibration"]
    assert f"{strangers.ratio:.2g} times as many" in [cell.text for cell in table.rows[0]]
    write_check(found, tmp_path / "check.html")
    assert "does not hold for the people enrolled" in (tmp_path / "check.html").read_text()


def test_people_who_changed_since_they_were_enrolled(opened, monkeypatch):
    gallery = calibrated(opened)
    for days, number in ((400, 0), (399.5, 1), (0, 2)):
        now = datetime.now(UTC) - timedelta(days=days)
        monkeypatch.setattr(gallery_module, "_now", lambda now=now: now)
        for person in range(30):
            seen = walk(person, number)
            if number == 2:
                seen = (0.5 * seen + 0.5 * walk(500 + person, number)).astype("float32")
            gallery.enrol(f"person {person}", [seen], consent="form")
    found = {each.apart: each for each in gallery.check(threshold=LIMIT).drift if each.kind == "own walks"}
    assert list(found) == ["", "on one day", "years apart"]
    assert not found["on one day"].drifted
    assert found["years apart"].drifted
    assert found["years apart"].found > 0.5


def test_few_people_say_nothing_of_a_calibration(opened):
    gallery = calibrated(opened, people=12)
    assert gallery.drift() == ()
    for number in range(10):
        gallery.enrol(f"person {number}", [walk(number)], consent="form")
    assert gallery.check().drift == gallery.drift() == ()


def test_a_threshold_that_takes_all_for_one_is_refused(gallery, monkeypatch):
    enrol(gallery)
    monkeypatch.setattr(checking, "_MOST_PAIRS", 5)
    with pytest.raises(ValueError, match=r"^threshold: expected a distance that few people .* more than 5 pairs are"):
        gallery.check(threshold=2)


@pytest.mark.parametrize("each", [1, 3])
def test_pairs_by_chance_are_as_many_as_there_are(each):
    """Of people who have nothing in common: their templates are directions drawn at random."""
    random = np.random.default_rng(0)

    def drawn(people):
        found = random.normal(size=(people * each, 8))
        return found / np.linalg.norm(found, axis=1, keepdims=True), np.repeat(np.arange(people), each)

    calibration = Calibration.of_embeddings(*drawn(400), "random")
    distance, counts = 0.35, []
    for _ in range(40):
        embeddings, persons = drawn(30)
        near = 1 - embeddings @ embeddings.T <= distance
        pairs = np.unique(np.sort(persons[np.argwhere(near)], axis=1), axis=0)
        counts.append(np.sum(pairs[:, 0] != pairs[:, 1]))
    assert calibration.expected_pairs(distance, {each: 30}) == pytest.approx(np.mean(counts), rel=0.2)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    with agegait.Gallery.open(f"sqlite:///{folder}/gallery.db", BoneLengths()) as gallery:
        enrol(gallery)
        found = gallery.check(threshold=LIMIT)
    write_check(found, folder / "check.html")
    return folder / "check.html"


def test_the_page_is_private_and_whole(page):
    assert page.stat().st_mode & 0o077 == 0
    text = page.read_text()
    assert NASTY not in text
    assert "&lt;script&gt;document.title=" in text
    assert text.count('<img src="data:image/svg+xml;base64,') == 2
    for title in ("Two names, perhaps one body", "Walks unlike the person's others", "One walk only", "Expire within"):
        assert title.replace("'", "&#39;") in text


@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.slow)])
def test_a_browser_shows_the_page(page, tmp_path, width):
    assert browser.width_and_blank_images(page, tmp_path, width) == (width, 0)
    cells = '[...root.querySelectorAll("td")]'
    off_screen = f"{cells}.filter((cell) => cell.getBoundingClientRect().right > {width}).length"
    assert browser.answer(page, tmp_path, width, f"`${{{off_screen}}}`") == "0"


def test_a_browser_finds_nothing_wrong_with_it(page):
    dom, said = browser.console(page)
    assert said == []
    assert "<title>Check of a gallery: agegait</title>" in dom


def test_a_long_name_hides_nothing_on_a_terminal(gallery):
    enrol(gallery)
    gallery.enrol(f"{DORA[:-4]}Emma", [walk(4, 1)], consent="form")
    console = Console(width=80, file=io.StringIO())
    for table in check_tables.check_tables(gallery.check(threshold=LIMIT)):
        console.print(table)
    assert "…" not in console.file.getvalue()


def test_long_tables_say_what_they_leave_out(gallery, monkeypatch):
    enrol(gallery)
    monkeypatch.setattr(check_tables, "MOST_ROWS", 1)
    tables = check_tables.check_tables(gallery.check(threshold=LIMIT))
    (disagreeing,) = [table for table in tables if table.title.startswith("Walks unlike")]
    assert (len(disagreeing.rows), disagreeing.caption) == (1, "The first 1 of 2.")
