"""A served gallery in operation: many callers, limits, drain, health, metrics, logs, and embedders that change."""

import contextlib
import logging
import sqlite3
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support import bodies
from support.export_walker import NOT_SERVING, SERVING, Gate, until
from support.gallery_bodies import BoneLengths, walk, walks
from support.served_bodies import NEAR, export_bones, plain, serving_bones

import agegait
from agegait.gallery import GalleryDatabaseError
from agegait.serving import AnswerPolicy, GalleryClient, GalleryOptions, Outcome, Server, gallery_pb2 as messages
from agegait.serving.client import client_errors, retries
from agegait.serving.client.gallery_requests import walk_message
from agegait.serving.server import gallery_api, gallery_keeper

SERVICE = "agegait.gallery.v1.Gallery"
OVERLOADED = client_errors.OverloadedError


def names(client):
    return [person.name for person in client.people()]


def test_many_callers_at_once(bones_folder, gallery_url):
    with serving_bones(bones_folder, gallery_url) as (server, client):
        for number in range(50, 53):
            client.enrol(f"person {number}", walk(number), consent="form")

        def turns(number):
            with GalleryClient(server.address, timeout=120) as own:
                for turn in range(2):
                    own.enrol(f"person {number}", [walk(number), walk(number, 1)], consent="form")
                    assert own.identify(walk(number, turn + 2), threshold=NEAR).person == f"person {number}"
                    assert own.identify(walk(50 + turn, 1), threshold=NEAR).person == f"person {50 + turn}"
                    own.forget(f"person {number}")
                    assert own.identify(walk(number, turn + 2), threshold=0.02).outcome is Outcome.UNKNOWN

        with ThreadPoolExecutor(6) as threads:
            list(threads.map(turns, range(6)))
        assert names(client) == [f"person {number}" for number in range(50, 53)]


def test_limits(bones_folder, gallery_url):
    limits = {"max_message_bytes": 1 << 20, "max_memory_bytes": 2 << 20}
    with serving_bones(bones_folder, gallery_url, limits) as (_, client):
        client.enrol("Anna", walk(0), consent="form")
        with pytest.raises(OVERLOADED, match="not enough memory: this request needs"):
            client.identify(walk(0, frames=2000), threshold=NEAR)
        with pytest.raises(OVERLOADED, match="larger than max"):
            client.identify(walk(0, frames=8000), threshold=NEAR)
        with client.watch_walk(every=30, last=8000) as watch, pytest.raises(OVERLOADED, match="not enough memory"):
            [watch.add(frame) for frame in walk(0, frames=30)]
        assert client.identify(walk(0, 1), threshold=NEAR).person == "Anna"


def test_the_queue_is_bounded(bones_folder, gallery_url, monkeypatch):
    with serving_bones(bones_folder, gallery_url, {"max_pending": 2}) as (_, client):
        client.enrol("Anna", walk(0), consent="form")
        gate = Gate(monkeypatch)
        with ThreadPoolExecutor(2) as threads:
            held = [threads.submit(client.identify, walk(0, 1), threshold=NEAR) for _ in range(2)]
            assert gate.entered.acquire(timeout=60)
            assert gate.entered.acquire(timeout=60)
            with pytest.raises(OVERLOADED, match="the queue is full: 2 requests are in hand"):
                client.identify(walk(0, 1), threshold=NEAR)
            gate.opened.set()
            assert [found.result().person for found in held] == ["Anna", "Anna"]


def test_a_caller_who_goes_away_enrols_nobody(bones_folder, gallery_url, monkeypatch):
    with serving_bones(bones_folder, gallery_url) as (server, client):
        gate = Gate(monkeypatch)
        with grpc.insecure_channel(server.address) as channel:
            enrol = channel.unary_unary(f"/{SERVICE}/Enrol", messages.EnrolRequest.SerializeToString)
            request = messages.EnrolRequest(person="Anna", walks=[walk_message("walk", walk(0))], consent="form")
            going = enrol.future(request, timeout=60)
            assert gate.entered.acquire(timeout=60)
            going.cancel()
            until(lambda: server._gallery._api.admission._unsent == 0)
        gate.opened.set()
        until(lambda: server._gallery.in_hand == 0)
        assert names(client) == []


def test_what_is_in_hand_is_finished_at_the_end(bones_folder, gallery_url, monkeypatch):
    monkeypatch.setattr(retries, "PATIENCE_SECONDS", 0.0)
    with serving_bones(bones_folder, gallery_url) as (server, client), ThreadPoolExecutor(4) as threads:
        client.enrol("Anna", walk(0), consent="form")
        idle = client.watch_walk(every=1, threshold=NEAR)
        idle.add(walk(0)[0])
        busy = client.watch_walk(every=30, threshold=NEAR)
        for frame in walk(0, 1)[:29]:
            busy.add(frame)
        gate = Gate(monkeypatch)
        found = threads.submit(client.identify, walk(0, 1, frames=50), threshold=NEAR)
        watched = threads.submit(busy.add, walk(0, 1)[29])
        enrolled = threads.submit(client.enrol, "Björn", walk(1, frames=60), consent="form")
        for _ in range(2):  # as many run at once; the third waits its turn
            assert gate.entered.acquire(timeout=60)
        until(lambda: server._gallery.in_hand == 3)
        stopping = threads.submit(server.stop)
        until(lambda: server._health._shut_down)
        with GalleryClient(server.address, timeout=1) as late, pytest.raises(client_errors.ClientError):
            late.identify(walk(0), threshold=NEAR)
        gate.opened.set()
        assert found.result().person == "Anna"
        assert watched.result().person == "Anna"
        assert enrolled.result().name == "Björn"
        stopping.result()
        for watch in (idle, busy):
            with watch, pytest.raises(client_errors.ClientError) as caught:
                watch.identify()
            assert caught.value.status in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    with agegait.Gallery.open(gallery_url) as gallery:
        assert [person.name for person in gallery.people()] == ["Anna", "Björn"]


def test_health_says_how_the_gallery_fares(bones_folder, gallery_url, monkeypatch):
    monkeypatch.setattr(retries, "PATIENCE_SECONDS", 0.0)
    with serving_bones(bones_folder, gallery_url) as (server, client), plain(server) as asked:
        assert asked.serving(SERVICE) == SERVING
        with monkeypatch.context() as patch:
            silent = GalleryDatabaseError("sqlite: expected a database that does as asked")
            patch.setattr(agegait.Gallery, "purge", lambda *_: (_ for _ in ()).throw(silent))
            until(lambda: asked.serving(SERVICE) == NOT_SERVING, 60)
            assert (asked.serving(), asked.serving("live")) == (SERVING, SERVING)
            with pytest.raises(client_errors.UnavailableError, match="the gallery's database does not answer"):
                client.identify(walk(0), threshold=NEAR)
        until(lambda: asked.serving(SERVICE) == SERVING, 60)
        assert client.ready()
    with Server(bones_folder, port=0) as server, GalleryClient(server.address, timeout=60) as client:
        with pytest.raises(client_errors.NotFoundError):
            client.ready()
        with pytest.raises(client_errors.ClientError) as caught:
            client.identify(walk(0))
        assert caught.value.status is grpc.StatusCode.UNIMPLEMENTED


def samples(server):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics", timeout=60) as page:
        families = list(text_string_to_metric_families(page.read().decode()))
    return {
        (
            sample.name.removeprefix("agegait_gallery_"),
            *(value for _, value in sorted(sample.labels.items())),
        ): sample.value
        for family in families
        for sample in family.samples
    }


def test_what_is_done_is_counted_and_nobody_named(bones_folder, gallery_url, caplog):
    name = "Zoë Quastenflosser"
    with (
        caplog.at_level(logging.DEBUG),
        serving_bones(bones_folder, gallery_url, metrics_port=0) as (server, client),
    ):
        client.enrol(name, [walk(0), walk(0, 1)], consent=f"{name} signed")
        client.identify(walk(0, 2), threshold=NEAR)
        client.identify(walk(5), threshold=NEAR)
        client.identify(walk(5)[:10], threshold=NEAR)
        client.verify(name, walk(0, 2), threshold=NEAR)
        with client.watch_walk(every=20, threshold=NEAR) as watch:
            for frame in walk(0, 2):
                watch.add(frame)
            until(lambda: samples(server)["walk_streams",] == 1)
        for wrong in (lambda: client.enrol(name.upper(), walk(1), consent="form"), lambda: client.forget("Anna")):
            with pytest.raises(client_errors.ClientError):
                wrong()
        until(lambda: samples(server)["people",] == 1)
        client.forget(name)
        until(lambda: samples(server)["people",] == 0)
        counted = samples(server)
    for sample, value in {
        ("identifications_total", "known"): 1,
        ("identifications_total", "unknown"): 1,
        ("identifications_total", "poor"): 1,
        ("verifications_total", "known"): 1,
        ("watch_answers_total", "not_enough_frames"): 1,
        ("watch_answers_total", "known"): 1,
        ("enrolments_total",): 1,
        ("enrolled_walks_total",): 2,
        ("forgets_total",): 1,
        ("refused_total", "ALREADY_EXISTS"): 1,
        ("refused_total", "NOT_FOUND"): 1,
        ("up",): 1,
        ("agegait_request_seconds_count", "Identify", ""): 3,
        ("agegait_requests_total", "OK", "WatchWalk", ""): 2,
    }.items():
        assert counted[sample] == value, sample
    assert "Quastenflosser" not in caplog.text
    assert any('"method": "WatchWalk"' in record.message for record in caplog.records)
    assert not any("Quastenflosser" in str(label) for labels in counted for label in labels)


def test_what_could_not_be_overwritten_is_later(bones_folder, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(gallery_keeper, "_WIPE_SECONDS", 0.2)
    monkeypatch.setattr(gallery_keeper, "_WIPE_PATIENCE", 0.1)
    monkeypatch.setattr(gallery_api, "_LONGEST_WIPE", 0.5)
    name = "Zoë Quastenflosser"

    def holds():
        return any(name.encode() in file.read_bytes() for file in tmp_path.iterdir())

    with (
        caplog.at_level(logging.INFO, "agegait.serving"),
        serving_bones(bones_folder, f"sqlite:///{tmp_path}/gallery.db", metrics_port=0) as (server, client),
    ):
        client.enrol(name, walk(0), consent="form")
        client.enrol("Anna", walk(1), consent="form")
        with contextlib.closing(sqlite3.connect(tmp_path / "gallery.db")) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT revision FROM gallery").fetchall()
            with pytest.raises(client_errors.UnavailableError, match=r"deleted, and .* not overwritten yet"):
                client.forget(name)
            until(lambda: samples(server)["unwiped",] == 1)
            until(lambda: "not overwritten yet, and tried again: GalleryDatabaseError" in caplog.text)
            assert [person.name for person in client.people()] == ["Anna"]
            assert client.identify(walk(1, 1), threshold=NEAR).person == "Anna"
            assert client.ready()
            assert holds()
        until(lambda: samples(server)["unwiped",] == 0)
        assert not holds()
        assert caplog.text.count("not overwritten yet") == 1
        assert caplog.text.count("is overwritten now") == 1
        assert samples(server)["forgets_total",] == 1


def test_distances_are_told_beside_those_of_the_calibration(bones_folder, gallery_url):
    with agegait.Gallery.open(gallery_url, BoneLengths()) as gallery:
        calibration = gallery.recalibrate(walks(range(100, 120)))
        gallery.enrol("Anna", walk(0), consent="form")
    with serving_bones(bones_folder, gallery_url, metrics_port=0) as (server, client):
        near = client.identify(walk(0, 2), threshold=NEAR).matches[0].distance
        client.identify(walk(5), threshold=NEAR)
        counted = samples(server)
        assert counted["calibrated_distance", "0.9"] == calibration.own_distance(0.9)
        with agegait.Gallery.open(gallery_url, BoneLengths()) as gallery:
            other = gallery.recalibrate(walks(range(200, 220)))
        until(lambda: samples(server)["calibrated_distance", "0.5"] == other.own_distance(0.5), 60)
    assert counted["distance_sum", "known"] == pytest.approx(near)
    assert counted["distance_count", "unknown"] == 1
    assert calibration.detections(calibration.own_distance(0.9)) == pytest.approx(0.9, abs=0.03)


def test_a_calibration_that_does_not_hold_is_told(bones_folder, gallery_url, monkeypatch, caplog):
    monkeypatch.setattr(gallery_keeper, "_DRIFT_SECONDS", 0.1)
    with agegait.Gallery.open(gallery_url, BoneLengths()) as gallery:
        gallery.recalibrate(walks(range(100, 140)))
        for number in range(20):
            alike = (0.5 * walk(number) + 0.5 * walk(777)).astype("float32")
            gallery.enrol(f"person {number}", alike, consent="form")
    with serving_bones(bones_folder, gallery_url, metrics_port=0) as (server, _):
        until(lambda: samples(server)["calibration_drifted",] == 1)
        assert samples(server)["stranger_share", "0.5"] == 1
        with agegait.Gallery.open(gallery_url, BoneLengths()) as gallery:
            for number in range(20):
                gallery.forget(f"person {number}")
        until(lambda: samples(server)["calibration_drifted",] == 0)
        assert ("stranger_share", "0.5") not in samples(server)
    assert caplog.text.count("its calibration does not hold for the people enrolled") == 1


def test_names_may_be_held_back(bones_folder, gallery_url):
    answers = AnswerPolicy(top_only=True, score_digits=2)
    with serving_bones(bones_folder, gallery_url, answers=answers) as (_, client):
        for number, name in enumerate(("Anna", "Björn")):
            client.enrol(name, walk(number), consent="form")
        found = client.identify(walk(0, 1), threshold=NEAR)
        assert [(match.person, match.distance == round(match.distance, 2)) for match in found.matches] == [
            ("Anna", True)
        ]
        stranger = client.identify(walk(9), threshold=NEAR)
        assert (stranger.outcome, stranger.matches, stranger.people) == (Outcome.UNKNOWN, (), 2)
        assert client.verify("Anna", walk(0, 1), threshold=NEAR).accepted
        claim = client.verify("Anna", walk(1, 1), threshold=NEAR)
        assert (claim.outcome, claim.match, claim.accepted) == (Outcome.UNKNOWN, None, False)


def test_another_embedders_gallery_is_refused(bones_folder, gallery_url):
    with agegait.Gallery.open(gallery_url, BoneLengths("another")) as gallery:
        gallery.enrol("Anna", walk(0), consent="form")
    words = r"model: expected the embedder that made this gallery's templates, another, found embedder/1 \(bone"
    with pytest.raises(ValueError, match=words):
        Server(bones_folder, port=0, gallery=GalleryOptions(gallery_url, "embedder")).start()
    with pytest.raises(ValueError, match="model: expected an exported embedder that is served here, or starter"):
        Server(bones_folder, port=0, gallery=GalleryOptions(gallery_url, "identifier")).start()


def test_a_file_that_is_no_database_is_refused(bones_folder, tmp_path):
    (tmp_path / "walk.npy").write_bytes(b"no database" * 1000)
    with pytest.raises(GalleryDatabaseError, match="not a database"):
        Server(bones_folder, port=0, gallery=GalleryOptions(f"sqlite:///{tmp_path}/walk.npy")).start()


def test_templates_of_another_embedder_that_come_later_are_refused(bones_folder, gallery_url):
    with serving_bones(bones_folder, gallery_url) as (_, client):
        with agegait.Gallery.open(gallery_url, BoneLengths("another")) as gallery:
            gallery.enrol("Anna", walk(0), consent="form")
        for act in (
            lambda: client.identify(walk(0), threshold=NEAR),
            lambda: client.enrol("Björn", walk(1), consent="form"),
        ):
            with pytest.raises(client_errors.InvalidRequestError, match="embedder: expected the one") as caught:
                act()
            assert caught.value.status is grpc.StatusCode.FAILED_PRECONDITION


def test_the_gallery_keeps_its_embedder_when_a_newer_version_comes(tmp_path, gallery_url):
    folder = export_bones(tmp_path / "served")
    with serving_bones(folder, gallery_url) as (server, client):
        client.enrol("Anna", walk(0), consent="form")
        export_bones(folder, fingerprint="another", version=2)
        until(lambda: list(server._catalog.available("embedder")) == [2], 60)
        assert client.identify(walk(0, 1), threshold=NEAR).person == "Anna"


@pytest.mark.slow
def test_the_starter_says_what_it_says_in_process(bones_folder, gallery_url):
    with serving_bones(bones_folder, gallery_url, model="starter") as (_, client):
        for person in range(3):
            client.enrol(f"person {person}", bodies.walk(100, person), consent="form")
        served = client.identify(bodies.walk(100, 1, 1), threshold=1)
        assert client.identify(bodies.walk(100, 1, 1)).threshold.generated
    embedder = agegait.GaitEmbedder.from_preset("walkers")
    with agegait.Gallery.open(gallery_url, embedder) as gallery:
        found = gallery.identify(bodies.walk(100, 1, 1), threshold=1)
    assert served.person == found.person == "person 1"
    for one, other in zip(served.matches, found.matches, strict=True):
        assert one.person == other.person
        np.testing.assert_allclose(one.distance, other.distance, atol=1e-4)
