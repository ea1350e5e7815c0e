"""What is done with a gallery, on SQLite and on PostgreSQL."""

import json
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from support.gallery_bodies import BoneLengths, walk, walks

import agegait
from agegait.data import Walk
from agegait.gallery import (
    GalleryDatabaseError,
    PoorWalkError,
    Probe,
    UnknownPersonError,
    gallery as gallery_module,
    tables,
)

NEAR = 0.2
"""A distance that parts these bodies."""


def later(monkeypatch, **time):
    monkeypatch.setattr(gallery_module, "_now", lambda: datetime.now(UTC) + timedelta(**time))


def names(gallery):
    return [person.name for person in gallery.people()]


def test_people_are_recognised_and_strangers_are_not(gallery):
    for number, name in enumerate(("Anna", "Björn", "张伟")):
        enrolled = gallery.enrol(name, [walk(number, 0), walk(number, 1)], consent="form")
        assert (enrolled.name, enrolled.walks, enrolled.consent, enrolled.expires) == (name, 2, "form", None)
    found = gallery.identify(walk(1, 2), k=2, threshold=NEAR)
    assert found.person == "Björn"
    assert found.matches[0].person == "Björn"
    assert len(found.matches) == 2
    assert found.matches[0].distance < NEAR < found.matches[1].distance
    assert [match.accepted for match in found.matches] == [True, False]
    assert found.people == 3
    assert found.quality.frames == 40
    stranger = gallery.identify(walk(9), threshold=NEAR)
    assert stranger.person is None
    assert len(stranger.matches) == 3


def test_a_distance_is_one_minus_the_cosine(gallery):
    gallery.enrol("Anna", walk(0), consent="form")
    one, other = BoneLengths().embed([walk(0), walk(1)]).astype("float64")
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    (match,) = gallery.identify(walk(1), threshold=NEAR).matches
    assert match.distance == pytest.approx(1 - cosine, abs=1e-6)
    assert gallery.verify("Anna", walk(1), threshold=NEAR).distance == pytest.approx(1 - cosine, abs=1e-6)


def test_claims_are_verified(gallery):
    for number, name in enumerate(("Anna", "Björn")):
        gallery.enrol(name, [walk(number)], consent="form")
    assert gallery.verify("Anna", walk(0, 1), threshold=NEAR).accepted
    assert not gallery.verify("Anna", walk(1, 1), threshold=NEAR).accepted
    with pytest.raises(UnknownPersonError):
        gallery.verify("Carla", walk(0), threshold=NEAR)


def test_an_empty_gallery_knows_nobody(gallery):
    found = gallery.identify(walk(0), threshold=NEAR)
    assert (found.person, found.matches, found.people) == (None, (), 0)


def test_further_walks_are_added(gallery):
    first = gallery.enrol("Anna", [walk(0)], consent="form 1", expires=datetime(2100, 1, 1, tzinfo=UTC))
    second = gallery.enrol("Anna", [walk(0, 1), walk(0, 2)], consent="form 2")
    assert (second.id, second.walks, second.consent, second.expires) == (first.id, 3, "form 2", first.expires)
    assert second.enrolled == first.enrolled
    assert gallery.people() == [second]


_UNSEEN = "\u200d", "\ufe0f", "\u034f", "\u3164", "\u115f", "\U000e0100"


@pytest.mark.parametrize(
    "looks",
    [
        "ANNA É",
        " anna  é ",
        unicodedata.normalize("NFD", "Anna É"),
        "Anna\u2800É",
        *(f"An{unseen}na É" for unseen in _UNSEEN),
    ],
)
def test_a_name_that_looks_like_anothers(gallery, looks):
    gallery.enrol("Anna É", [walk(0)], consent="form")
    if unicodedata.normalize("NFC", looks.strip()) != "Anna É":
        with pytest.raises(ValueError, match="expected a name that nobody else has"):
            gallery.enrol(looks, [walk(1)], consent="form")
    assert gallery.verify(looks, walk(0), threshold=NEAR).person == "Anna É"
    gallery.forget(looks)
    assert gallery.people() == []


@pytest.mark.parametrize(
    "name", ["", "  ", "\u200d", "\u3164", "\u2800", "a\0", "a\nb", "a\x1b[2J", "\u202eanna", "\udcff", "x" * 201, 3]
)
def test_what_is_no_name(gallery, name):
    for operation in (
        lambda: gallery.enrol(name, [walk(0)], consent="form"),
        lambda: gallery.verify(name, walk(0), threshold=NEAR),
        lambda: gallery.forget(name),
    ):
        with pytest.raises(ValueError, match=r"^person: expected"):
            operation()
    assert gallery.people() == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"consent": " "}, "consent: expected a note"),
        ({"consent": "\0"}, "consent: expected a note"),
        ({"consent": "\u200b\u202e"}, "consent: expected a note that can be seen"),
        ({"person": "\u200b"}, r"person: expected characters that can be seen, received '\\u200b'"),
        ({"consent": "\udcff"}, "consent: expected Unicode"),
        ({"expires": datetime(2000, 1, 1, tzinfo=UTC)}, "expires: expected a time to come"),
        ({"expires": datetime(2100, 1, 1)}, "expires: expected a time to come, with its time zone"),
        ({"expires": datetime.max.replace(tzinfo=timezone(timedelta(hours=-9)))}, "expires: .* before the year 10000"),
        ({"walks": []}, "walks: expected at least one walk"),
        ({"walks": [np.zeros((40, 20, 2))]}, r"walks, walk 0: expected \[T, J, 3\]"),
        ({"walks": ["x"]}, r"walks, walk 0: expected \[T, J, 3\]"),
    ],
)
def test_wrong_arguments(gallery, arguments, error):
    with pytest.raises(ValueError, match=f"^{error}"):
        gallery.enrol(**{"person": "Anna", "walks": [walk(0)], "consent": "form", **arguments})
    assert gallery.people() == []


def test_all_walks_are_enrolled_or_none(gallery):
    with pytest.raises(PoorWalkError, match=r"^walks, walk 1: expected at least 30 frames, received 29\.$") as poor:
        gallery.enrol("Anna", [walk(0), walk(0, frames=29)], consent="form")
    assert poor.value.quality.frames == 29
    assert gallery.people() == []
    assert gallery.audit() == []


def test_what_is_no_body_is_refused(gallery):
    random = np.random.default_rng(0)
    tracked = np.arange(20) < 10
    sensor = Walk(walk(0), np.broadcast_to(tracked, (40, 20)), 30.0, "kinect_v1")
    for poor, error in (
        (random.normal(size=(40, 20, 3)), "expected limbs as bodies have them"),
        (1000 * walk(0), "expected limbs as bodies have them.*millimetres"),
        (np.full((40, 20, 3), np.nan), "expected finite coordinates"),
        (sensor, "expected at least 60% of the joints to be tracked, received 50%"),
    ):
        with pytest.raises(PoorWalkError, match=f"^walk: {error}"):
            gallery.identify(poor, threshold=NEAR)


def test_another_frame_rate_is_resampled(gallery):
    def frames(count, rate):
        recorded = Walk(walk(0)[:count], np.ones((count, 20), bool), rate, "kinect_v1")
        return gallery.identify(recorded, threshold=NEAR).quality.frames

    assert [frames(40, rate) for rate in (None, 30.0, 28.0, 15.0, 10.0)] == [40, 40, 40, 79, 118]
    with pytest.raises(PoorWalkError, match="at least 30 frames, received 20"):
        frames(40, 60.0)


def test_what_was_said_of_the_same_walk_before_is_not_noted_again(gallery):
    gallery.enrol("Anna", [walk(0)], consent="form")
    said = None
    for person in (0, 0, 1, 1, 0):
        said = gallery.identify(walk(person, 1), threshold=NEAR, before=said)
    assert [entry.detail for entry in gallery.audit() if entry.action == "identify"] == [
        "accepted",
        "unknown",
        "accepted",
    ]


def test_a_probe_is_compared_as_its_walk_is(gallery):
    probes = Probe.of_walks(BoneLengths(), "walks", [walk(0), walk(1), walk(0, 1)])
    assert gallery.enrol("Anna", probes[:1], consent="form").walks == 1
    gallery.enrol("Björn", probes[1:2], consent="form")
    assert gallery.identify(probes[2], threshold=NEAR) == gallery.identify(walk(0, 1), threshold=NEAR)
    assert gallery.verify("Anna", probes[2], threshold=NEAR).accepted


def test_people_are_listed_a_page_at_a_time(gallery):
    for number in range(5):
        gallery.enrol(f"person {number}", [walk(number)], consent="form")
    first = gallery.people(most=2)
    assert [person.name for person in first] == ["person 0", "person 1"]
    assert [person.name for person in gallery.people(first[-1].id, 2)] == ["person 2", "person 3"]
    assert gallery.count() == 5


def test_whoever_expired_is_not_found_and_purged(gallery, opened, monkeypatch):
    gallery.enrol("Anna", [walk(0)], consent="form", expires=datetime.now(UTC) + timedelta(hours=1))
    gallery.enrol("Björn", [walk(1)], consent="form")
    assert gallery.identify(walk(0), threshold=NEAR).person == "Anna"
    later(monkeypatch, hours=2)
    assert names(gallery) == ["Björn"]
    with pytest.raises(UnknownPersonError):
        gallery.verify("Anna", walk(0), threshold=NEAR)
    found = gallery.identify(walk(0), threshold=NEAR)
    assert (found.person, found.people) == (None, 1)
    later(monkeypatch, hours=-2)  # it was deleted, not hidden
    assert names(gallery) == ["Björn"]
    assert [entry.action for entry in gallery.audit()][-2:] == ["expire", "identify"]


def test_opening_purges(gallery, opened, monkeypatch):
    gallery.enrol("Anna", [walk(0)], consent="form", expires=datetime.now(UTC) + timedelta(hours=1))
    later(monkeypatch, hours=2)
    opened()
    later(monkeypatch, hours=-2)
    assert names(gallery) == []


def test_the_audit_trail_has_no_names(gallery):
    before = datetime.now(UTC)
    anna = gallery.enrol("Anna", [walk(0), walk(0, 1)], consent="form")
    gallery.identify(walk(0), threshold=NEAR)
    gallery.identify(walk(5), threshold=NEAR, actor="door\n")
    gallery.verify("Anna", walk(5), threshold=NEAR)
    gallery.export("Anna")
    gallery.forget("Anna")
    trail = gallery.audit()
    assert [(entry.actor, entry.action, entry.person, entry.detail) for entry in trail] == [
        ("desk", "enrol", anna.id, "2 walks"),
        ("desk", "identify", anna.id, "accepted"),
        ("door\\n", "identify", None, "unknown"),
        ("desk", "verify", anna.id, "refused"),
        ("desk", "export", anna.id, ""),
        ("desk", "forget", anna.id, ""),
    ]
    assert before <= trail[0].time <= trail[-1].time <= datetime.now(UTC)
    assert gallery.audit(since=trail[-1].time)[-1] == trail[-1]
    assert "Anna" not in repr(trail)


def test_numbers_of_the_forgotten_are_nobody_elses(gallery):
    first = gallery.enrol("Anna", [walk(0)], consent="form")
    gallery.forget("Anna")
    assert gallery.enrol("Anna", [walk(0)], consent="form").id > first.id


def test_a_person_is_exported(gallery):
    expires = datetime(2100, 1, 1, 12, 30, tzinfo=UTC)
    anna = gallery.enrol("Anna", [walk(0), walk(0, 1)], consent="form", expires=expires)
    gallery.enrol("Björn", [walk(1)], consent="form")
    export = gallery.export("anna")
    assert export.person == anna
    assert export.fingerprint == "bone lengths"
    embeddings = BoneLengths().embed([walk(0), walk(0, 1)])
    for template, embedding in zip(export.templates, embeddings, strict=True):
        np.testing.assert_allclose(template.embedding, embedding / np.linalg.norm(embedding), rtol=1e-5)
    assert [entry.action for entry in export.audit] == ["enrol", "export"]
    read = json.loads(export.to_json())
    assert read["person"]["expires"] == "2100-01-01T12:30:00+00:00"
    assert len(read["templates"][0]["embedding"]) == 19


def test_another_embedder_is_refused(gallery, opened):
    opened(BoneLengths("another"))  # nobody is enrolled: it may become the gallery's
    gallery.enrol("Anna", [walk(0)], consent="form")
    with pytest.raises(ValueError, match=r"^embedder: expected the one that made this gallery's templates"):
        opened(BoneLengths("another"))


def test_an_embedder_of_an_empty_gallery_gives_way(gallery, opened):
    other = opened(BoneLengths("another"))
    gallery.enrol("Anna", [walk(0)], consent="form")
    for operation in (
        lambda: other.enrol("Björn", [walk(0)], consent="form"),
        lambda: other.identify(walk(0), threshold=NEAR),
        lambda: other.verify("Anna", walk(0), threshold=NEAR),
    ):
        with pytest.raises(ValueError, match=r"^embedder: expected the one that made"):
            operation()
    gallery.forget("Anna")
    other.enrol("Björn", [walk(1)], consent="form")
    assert other.identify(walk(1), threshold=NEAR).person == "Björn"
    with pytest.raises(ValueError, match=r"^embedder: expected the one that made"):
        gallery.identify(walk(1), threshold=NEAR)


def test_without_an_embedder(gallery, url):
    gallery.enrol("Anna", [walk(0)], consent="form")
    with agegait.Gallery.open(url) as plain:
        assert names(plain) == ["Anna"]
        assert plain.export("Anna").person.name == "Anna"
        with pytest.raises(ValueError, match=r"^embedder: expected one, to compare walks"):
            plain.identify(walk(0), threshold=NEAR)
        plain.forget("Anna")
    assert names(gallery) == []


def test_galleries_follow_each_other(gallery, opened):
    other = opened()
    for number in range(5):
        gallery.enrol(f"person {number}", [walk(number)], consent="form")
        assert other.identify(walk(number, 1), threshold=NEAR).person == f"person {number}"
    gallery.forget("person 2")
    other.enrol("somebody", [walk(7)], consent="form")
    assert other.identify(walk(2, 1), threshold=NEAR).person is None
    assert gallery.identify(walk(7, 1), threshold=NEAR).person == "somebody"
    assert gallery.identify(walk(4, 1), threshold=NEAR).people == 5


def test_many_templates_of_the_nearest_hide_nobody(gallery):
    for number in range(3):
        gallery.enrol(f"person {number}", [walk(number, again) for again in range(80)], consent="form")
    found = gallery.identify(walk(1, 100), k=3, threshold=NEAR)
    assert {match.person for match in found.matches} == {"person 0", "person 1", "person 2"}
    assert found.person == "person 1"
    distances = [match.distance for match in found.matches]
    assert distances == sorted(distances)


def test_without_a_calibration(gallery):
    gallery.enrol("Anna", [walk(0)], consent="form")
    with pytest.raises(ValueError, match=r"^false_alarms: expected a gallery with a calibration.*`recalibrate`"):
        gallery.identify(walk(0))
    with pytest.raises(ValueError, match=r"^false_accepts: expected a gallery with a calibration"):
        gallery.verify("Anna", walk(0))
    with pytest.raises(ValueError, match=r"^threshold: expected a distance in 0\.\.2"):
        gallery.identify(walk(0), threshold=3)
    for k in (0, 1.5, "5", None):
        with pytest.raises(ValueError, match=r"^k: expected at least 1"):
            gallery.identify(walk(0), k=k, threshold=NEAR)


def test_a_calibration_is_everybodys(gallery, opened):
    other = opened()
    assert other.calibration is None
    measured = gallery.recalibrate(walks(range(100, 140)))
    assert gallery.calibration == other.calibration == measured
    gallery.enrol("Anna", [walk(0), walk(0, 1)], consent="form")
    for each in (gallery, other):
        found = each.identify(walk(0, 2))
        assert found.person == "Anna"
        assert found.threshold.false_alarms == 0.01
        assert found.matches[0].probability > 0.9
        assert each.identify(walk(1)).person is None
        assert each.verify("Anna", walk(0, 2), false_accepts=0.001).accepted
    wide, narrow = (gallery.identify(walk(0, 2), false_alarms=rate).threshold.distance for rate in (0.1, 0.001))
    assert wide > narrow
    assert ("recalibrate", None, "40 people") in [(each.action, each.person, each.detail) for each in gallery.audit()]


def test_a_calibration_of_another_embedder_is_refused(gallery, opened):
    other = agegait.gallery.Calibration.measure(BoneLengths("another"), walks(range(100, 110)))
    with pytest.raises(ValueError, match=r"^calibration: expected one of this embedder"):
        opened(calibration=other)
    assert gallery.calibration is None


def test_the_migrations_make_the_tables(gallery, url):
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": "gallery_version",
                "compare_type": lambda context, inspected, column, old, new: (
                    False if isinstance(column.type, tables.Embedding) else None
                ),
            },
        )
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_tables_of_a_newer_version_are_refused(gallery, opened, url):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE gallery_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(ValueError, match=r"^url: expected a gallery that this version of agegait knows.*'9999'"):
        opened()


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("gallery.db", "url: expected one such as sqlite:///gallery.db"),
        ("mysql://x/y", r"url: expected sqlite:///\.\.\. or postgresql\+psycopg://\.\.\., received one of mysql"),
        ("sqlite://", "url: expected sqlite:/// and a file"),
        ("sqlite:///:memory:", "url: expected sqlite:/// and a file"),
    ],
)
def test_other_databases_are_refused(url, error):
    with pytest.raises(ValueError, match=f"^{error}"):
        agegait.Gallery.open(url)


def test_a_server_that_is_not_there(tmp_path):
    with pytest.raises(GalleryDatabaseError, match=r"^postgresql\+psycopg://anna:\*\*\*@/x\?host=.*: expected"):
        agegait.Gallery.open(f"postgresql+psycopg://anna:secret@/x?host={tmp_path}")


def test_approximate_search_is_postgresqls(tmp_path):
    with pytest.raises(ValueError, match=r"^search: expected exact for a SQLite file"):
        agegait.Gallery.open(f"sqlite:///{tmp_path}/gallery.db", search="hnsw")
    with pytest.raises(ValueError, match=r"^search: expected exact or hnsw"):
        agegait.Gallery.open(f"sqlite:///{tmp_path}/gallery.db", search="best")


def test_approximate_search_finds_the_same(postgresql_url):
    exact, approximate = (
        agegait.Gallery.open(postgresql_url, BoneLengths(), search=search) for search in ("exact", "hnsw")
    )
    with exact, approximate:
        for number in range(30):
            approximate.enrol(f"person {number}", [walk(number), walk(number, 1)], consent="form")
        for number in range(40):
            one, other = (each.identify(walk(number, 2), threshold=NEAR) for each in (exact, approximate))
            assert one.person == other.person
            assert [match.person for match in one.matches] == [match.person for match in other.matches]
            distances = [[match.distance for match in each.matches] for each in (one, other)]
            np.testing.assert_allclose(*distances, atol=1e-5)
        approximate.forget("person 3")
        assert approximate.identify(walk(3, 2), threshold=NEAR).person is None
        assert approximate.identify(walk(3, 2), threshold=NEAR).people == 29


def test_threads_share_a_gallery(gallery):
    gallery.enrol("Anna", [walk(0)], consent="form")

    def work(number):
        for turn in range(3):
            name = f"person {number} {turn}"
            gallery.enrol(name, [walk(10 * number + turn)], consent="form")
            assert gallery.identify(walk(10 * number + turn, 1), threshold=NEAR).person == name
            assert gallery.identify(walk(0, 1), threshold=NEAR).person == "Anna"
            gallery.forget(name)
            assert gallery.identify(walk(10 * number + turn, 1), threshold=NEAR).person is None
        return number

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(1, 5))) == [1, 2, 3, 4]
    assert names(gallery) == ["Anna"]


def test_a_match_is_as_likely_as_it_is_near_and_the_gallery_small(gallery):
    gallery.recalibrate(walks(range(100, 140)))
    gallery.enrol("Anna", [walk(0)], consent="form")
    alone = gallery.identify(walk(0, 1), false_alarms=0.1).matches[0].probability
    for number in range(1, 30):
        gallery.enrol(f"person {number}", [walk(number)], consent="form")
    found = gallery.identify(walk(0, 1), k=30, false_alarms=0.1)
    probabilities = [match.probability for match in found.matches]
    assert len(probabilities) == 30
    assert sum(probabilities) < 1
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0.5 < probabilities[0] < alone < 1
