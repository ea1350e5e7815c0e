"""A gallery that moves to another database: all of it, or nothing."""

import signal
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from support.gallery_bodies import BoneLengths, walk, walks
from support.gallery_processes import start

import agegait
from agegait.gallery import GalleryDatabaseError, copy_gallery, gallery as gallery_module, gallery_copy

NEAR = 0.2
DAY = timedelta(days=1)


@pytest.fixture(params=["to PostgreSQL", "to SQLite"])
def urls(request, sqlite_url, postgresql_url):
    """Where from and where to."""
    return (sqlite_url, postgresql_url) if request.param == "to PostgreSQL" else (postgresql_url, sqlite_url)


@pytest.fixture
def filled(urls):
    """Two people who stay, one who expires soon, one who was forgotten after all others were enrolled."""
    with agegait.Gallery.open(urls[0], BoneLengths(), actor="desk") as gallery:
        gallery.recalibrate(walks(range(100, 115)))
        gallery.enrol("Ängström 李", [walk(0), walk(0, 1)], consent="form 1")
        gallery.enrol("Ben", walk(1), consent="form 2", expires=datetime(2090, 1, 1, 12, tzinfo=UTC))
        gallery.enrol("Carla", walk(2), consent="form 3", expires=datetime.now(UTC) + DAY)
        gallery.enrol("Dora", walk(3), consent="form 4")
        gallery.forget("Dora")
        gallery.identify(walk(0, 2), threshold=NEAR)


def content(url):
    """All that a gallery holds."""
    with agegait.Gallery.open(url, BoneLengths()) as gallery, gallery._database.reads() as connection:
        people = gallery.people()
        templates = {person.name: gallery_module.people.templates_of(connection, person.id) for person in people}
        rows = {
            name: [(row.embedding.tobytes(), row.frames, row.tracked, row.steadiness, row.enrolled) for row in found]
            for name, found in templates.items()
        }
        return people, rows, gallery.audit(), gallery.calibration, gallery.fingerprint


@pytest.mark.usefixtures("filled")
def test_a_copy_is_all_that_there_was(urls):
    copied = copy_gallery(*urls, actor="desk")
    first, second = map(content, urls)
    assert second == first
    assert (copied.people, copied.templates, copied.audit) == (3, 4, len(first[2]))
    assert (copied.calibrated, copied.fingerprint) == (True, "bone lengths")
    last = second[2][-1]
    kind = "PostgreSQL" if urls[1].startswith("postgresql") else "SQLite"
    assert (last.actor, last.action, last.person, last.detail) == ("desk", "copy", None, f"to {kind}")
    with agegait.Gallery.open(urls[1], BoneLengths()) as gallery:
        assert gallery.identify(walk(1, 2), false_alarms=0.05).matches[0].person == "Ben"
        assert gallery.enrol("Emil", walk(4), consent="form 5").id == 5  # Dora's was 4
        assert gallery.identify(walk(4, 2), threshold=NEAR).person == "Emil"
        gallery.forget("Ben")
        assert [person.name for person in gallery.people()] == ["Ängström 李", "Carla", "Emil"]


@pytest.mark.usefixtures("filled")
def test_there_and_back_is_what_it_was(urls, tmp_path):
    copy_gallery(*urls)
    back = f"sqlite:///{tmp_path}/back.db"
    copy_gallery(urls[1], back)
    before, after = content(urls[0]), content(back)
    assert after[:2] == before[:2]
    assert after[3:] == before[3:]
    assert after[2][:-1] == before[2]
    assert (tmp_path / "back.db").stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("filled")
def test_who_is_expired_is_not_copied(urls, monkeypatch):
    monkeypatch.setattr(gallery_module, "_now", lambda: datetime.now(UTC) + 2 * DAY)
    assert copy_gallery(*urls).people == 2
    assert [person.name for person in content(urls[1])[0]] == ["Ängström 李", "Ben"]
    assert [entry.action for entry in content(urls[0])[2]][-2:] == ["expire", "copy"]


@pytest.mark.usefixtures("filled")
def test_a_target_with_anything_in_it_is_refused(urls):
    with agegait.Gallery.open(urls[1], BoneLengths()) as gallery:
        gallery.enrol("Zoe", walk(9), consent="form")
        gallery.forget("Zoe")
    before = content(urls[0])
    with pytest.raises(ValueError, match=r"^target: expected an empty gallery, received .* has something in it"):
        copy_gallery(*urls)
    assert content(urls[0]) == before
    assert content(urls[1])[0] == []


def test_what_is_no_gallery_is_not_copied(sqlite_url, postgresql_url, tmp_path):
    target = f"sqlite:///{tmp_path}/new.db"
    with pytest.raises(ValueError, match=r"^source: expected a gallery, found no file .*gallery\.db\.$"):
        copy_gallery(sqlite_url, target)
    with pytest.raises(ValueError, match=r"^source: expected a gallery, found none in postgresql\+psycopg://"):
        copy_gallery(postgresql_url, target)
    assert list(tmp_path.iterdir()) == []
    agegait.Gallery.open(sqlite_url).close()
    (tmp_path / "link.db").symlink_to(tmp_path / "gallery.db")
    for same in (sqlite_url, f"sqlite:///{tmp_path}/link.db"):
        with pytest.raises(ValueError, match=r"^target: expected another gallery than the source, received the same"):
            copy_gallery(sqlite_url, same)
    with pytest.raises(ValueError, match=r"^target: expected one such as sqlite:///gallery.db"):
        copy_gallery(sqlite_url, "nothing")
    assert copy_gallery(sqlite_url, target) == agegait.gallery.GalleryCopy(0, 0, 1, False, None)


@pytest.mark.usefixtures("filled")
def test_rows_that_are_lost_on_the_way_are_missed(urls, monkeypatch):
    parts = gallery_copy._parts
    monkeypatch.setattr(gallery_copy, "_parts", lambda *arguments: (rows[1:] for rows in parts(*arguments)))
    with pytest.raises(GalleryDatabaseError, match="target: expected 3 rows of gallery_person, found 2"):
        copy_gallery(*urls)
    monkeypatch.undo()
    assert content(urls[1]) == ([], {}, [], None, None)
    assert copy_gallery(*urls).people == 3


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    "words",
    [
        "max(gallery_audit.id)",  # all is written, and not committed
        pytest.param("INSERT INTO gallery_template", marks=pytest.mark.slow),
    ],
)
def test_a_copy_that_is_killed_has_copied_nothing(urls, words):
    process = start("support.gallery_copier", *urls, words)
    assert process.stdout.readline() == "amid\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert content(urls[1]) == ([], {}, [], None, None)
    assert copy_gallery(*urls).people == 3
    assert content(urls[1]) == content(urls[0])


def test_other_processes_follow_a_copy(urls):
    with agegait.Gallery.open(urls[1], BoneLengths()) as waiting:
        nobody = SimpleNamespace(person=None)  # so that the audit trail stays empty
        assert waiting.identify(walk(0), threshold=NEAR, before=nobody).people == 0
        with agegait.Gallery.open(urls[0], BoneLengths()) as gallery:
            gallery.enrol("Anna", walk(0), consent="form")
        copy_gallery(*urls)
        assert waiting.identify(walk(0, 1), threshold=NEAR).person == "Anna"
