"""What a check of a gallery finds, and the page of it."""

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from rich.console import Console
from support import browser
from support.gallery_bodies import BoneLengths, walk, walks

import agegait
from agegait.gallery import Calibration, check_tables, checking, gallery as gallery_module, write_check

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
    monkeypatch.setattr(checking, "_ROWS_AT_ONCE", 2)
    parts = gallery.check(threshold=LIMIT)
    assert [(pair.first, pair.second) for pair in parts.duplicates] == [("Anna", "Carla")]
    assert [(one.person, one.number, one.nearest) for one in parts.walks] == [
        (one.person, one.number, one.nearest) for one in whole.walks
    ]


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
        pairs = {tuple(sorted(persons[list(place)])) for place in np.argwhere(near)}
        counts.append(len([pair for pair in pairs if pair[0] != pair[1]]))
    assert calibration.expected_pairs(distance, {each: 30}) == pytest.approx(np.mean(counts), rel=0.2)


@pytest.fixture
def page(sqlite_url, tmp_path):
    with agegait.Gallery.open(sqlite_url, BoneLengths()) as gallery:
        enrol(gallery)
        found = gallery.check(threshold=LIMIT)
    write_check(found, tmp_path / "check.html")
    return tmp_path / "check.html"


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
