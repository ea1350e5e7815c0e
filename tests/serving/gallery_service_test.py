"""The gallery over real sockets: what is done with it, and what is refused."""

import contextlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import numpy as np
import pytest
from support.export_walker import refused, until
from support.gallery_bodies import BoneLengths, walk, walks
from support.served_bodies import FAULT, NEAR, export_bones, serving_bones

import agegait
from agegait.gallery import Calibration
from agegait.serving import Outcome, TrackedWalk, gallery_pb2 as messages, wire_pb2
from agegait.serving.client import client_errors
from agegait.serving.client.gallery_requests import walk_message

ROOT = Path(__file__).parents[2]


@pytest.fixture
def served(bones_folder, gallery_url):
    with serving_bones(bones_folder, gallery_url) as (server, client):
        yield server, client


@pytest.fixture
def client(served):
    return served[1]


@contextlib.contextmanager
def asking(server):
    """Sends any message, as other programs would."""

    def send(method, request, timeout=60):
        answer = getattr(messages, f"{method}Response")
        path = f"/agegait.gallery.v1.Gallery/{method}"
        remote = channel.unary_unary(path, type(request).SerializeToString, answer.FromString)
        return remote(request, timeout=timeout)

    with grpc.insecure_channel(server.address) as channel:
        yield send


@pytest.fixture
def ask(served):
    with asking(served[0]) as send:
        yield send


@pytest.fixture(scope="module")
def shared_ask(bones_folder, tmp_path_factory):
    """Of a gallery that nothing is done to."""
    url = f"sqlite:///{tmp_path_factory.mktemp('gallery')}/gallery.db"
    with serving_bones(bones_folder, url) as (server, _), asking(server) as send:
        yield send


def names(client):
    return [person.name for person in client.people()]


@pytest.mark.parametrize("module", ["wire", "gallery"])
def test_what_is_generated_is_of_the_proto_file(module):
    text = re.sub(r"//.*", "", (ROOT / f"agegait/serving/{module}.proto").read_text())
    declared = set(re.findall(r"(\w+) = (\d+);", text))
    file = {"wire": wire_pb2, "gallery": messages}[module].DESCRIPTOR
    kinds = [*file.message_types_by_name.values()]
    kinds += [inner for kind in kinds for inner in kind.nested_types if not inner.GetOptions().map_entry]
    fields = {(field.name, str(field.number)) for kind in kinds for field in kind.fields}
    values = {(value.name, str(value.number)) for kind in file.enum_types_by_name.values() for value in kind.values}
    assert fields | values == declared
    methods = {method.name for service in file.services_by_name.values() for method in service.methods}
    assert methods == set(re.findall(r"rpc (\w+)", text))


def test_people_are_recognised_and_strangers_are_not(client):
    for number, name in enumerate(("Anna", "Björn", "张伟")):
        enrolled = client.enrol(name, [walk(number, 0), walk(number, 1)], consent="form")
        assert (enrolled.name, enrolled.walks, enrolled.consent, enrolled.expires) == (name, 2, "form", None)
    found = client.identify(walk(1, 2), k=2, threshold=NEAR)
    assert (found.outcome, found.person, found.people) == (Outcome.KNOWN, "Björn", 3)
    assert [match.accepted for match in found.matches] == [True, False]
    assert found.matches[0].distance < NEAR == found.threshold.distance
    assert (found.quality.frames, found.quality.tracked, found.quality.fault) == (40, 1.0, "")
    stranger = client.identify(walk(9), threshold=NEAR)
    assert (stranger.outcome, stranger.person, len(stranger.matches)) == (Outcome.UNKNOWN, None, 3)
    assert client.verify("björn", walk(1, 3), threshold=NEAR).accepted
    claim = client.verify("Anna", walk(1, 3), threshold=NEAR)
    assert (claim.outcome, claim.match.person, claim.match.accepted) == (Outcome.UNKNOWN, "Anna", False)
    client.forget("Anna")
    assert names(client) == ["Björn", "张伟"]
    assert client.identify(walk(0, 2), threshold=NEAR).outcome is Outcome.UNKNOWN
    with pytest.raises(client_errors.NotFoundError):
        client.forget("Anna")
    with pytest.raises(client_errors.NotFoundError):
        client.verify("Anna", walk(0), threshold=NEAR)


def test_it_is_the_gallery_that_other_programs_have(client, gallery_url):
    with agegait.Gallery.open(gallery_url, BoneLengths(), actor="desk") as gallery:
        gallery.enrol("Anna", [walk(0)], consent="form")
        assert client.identify(walk(0, 1), threshold=NEAR).person == "Anna"
        client.enrol("Björn", [walk(1)], consent="form")
        assert gallery.identify(walk(1, 1), threshold=NEAR).person == "Björn"
        gallery.forget("Anna")
        assert client.identify(walk(0, 1), threshold=NEAR).person is None
        done = [(entry.actor, entry.action, entry.detail) for entry in gallery.audit()]
    assert done == [
        ("desk", "enrol", "1 walk"),
        ("gRPC", "identify", "accepted"),
        ("gRPC", "enrol", "1 walk"),
        ("desk", "identify", "accepted"),
        ("desk", "forget", ""),
        ("gRPC", "identify", "unknown"),
    ]


def test_who_expires_is_deleted_without_a_request(client, gallery_url):
    with agegait.Gallery.open(gallery_url, actor="desk") as gallery:
        expires = datetime.now(UTC) + timedelta(seconds=1)
        enrolled = client.enrol("Anna", walk(0), consent="form", expires=expires)
        assert enrolled.expires == expires
        assert abs((datetime.now(UTC) - enrolled.enrolled).total_seconds()) < 600
        until(lambda: [entry.actor for entry in gallery.audit() if entry.action == "expire"] == ["server"], 60)
    assert names(client) == []


def test_names_that_look_the_same_are_refused(client):
    client.enrol("Anna", walk(0), consent="form")
    with pytest.raises(client_errors.NameTakenError) as caught:
        client.enrol("anna", walk(1), consent="form")
    assert caught.value.status is grpc.StatusCode.ALREADY_EXISTS
    assert caught.value.details == "person: expected a name that nobody else has"  # it may stand in traces: no names
    assert client.enrol("Anna", walk(0, 1), consent="form 2").walks == 2


def test_walks_that_are_no_bodies_are_nobodys(client):
    client.enrol("Anna", walk(0), consent="form")
    half = TrackedWalk(walk(0), np.arange(20) % 2 * np.ones((40, 1), bool))
    for poor, fault in (
        (walk(0)[:20], "expected at least 30 frames, received 20"),
        (1000 * walk(0), "expected limbs as bodies have them"),
        (np.zeros((40, 20, 3), "float32"), "expected limbs as bodies have them"),
        (np.random.default_rng(0).normal(size=(40, 20, 3)), "expected limbs as bodies have them"),
        (half, "expected at least 60% of the joints to be tracked, received 50%"),
        (walk(0) + 60, FAULT),  # as the model itself says
    ):
        found = client.identify(poor, threshold=NEAR)
        assert (found.outcome, found.person, found.matches, found.threshold) == (Outcome.POOR, None, (), None)
        assert found.quality.fault.startswith(fault)
        claim = client.verify("Anna", poor, threshold=NEAR)
        assert (claim.outcome, claim.accepted, claim.match) == (Outcome.POOR, False, None)
        with pytest.raises(client_errors.InvalidRequestError, match=f"walks.*{fault}"):
            client.enrol("Björn", [walk(1), poor], consent="form")
    assert names(client) == ["Anna"]


def test_other_frame_rates_are_resampled(client):
    client.enrol("Anna", TrackedWalk(walk(0, frames=80), frame_rate=60.0), consent="form")
    found = client.identify(TrackedWalk(walk(0, 1, frames=20), frame_rate=15.0), threshold=NEAR)
    assert (found.person, found.quality.frames) == ("Anna", 39)


def test_thresholds_come_from_the_calibration_of_the_export(tmp_path, gallery_url):
    calibration = Calibration.measure(BoneLengths(), walks(range(100, 130)))
    with serving_bones(export_bones(tmp_path, calibration), gallery_url) as (_, client):
        client.enrol("Anna", walk(0), consent="form")
        found = client.identify(walk(0, 1), false_alarms=0.05)
        assert (found.person, found.threshold.false_alarms) == ("Anna", 0.05)
        assert 0.9 < found.matches[0].probability <= 1
        assert client.verify("Anna", walk(0, 1), false_accepts=0.05).accepted


def test_without_a_calibration_a_threshold_is_needed(client):
    client.enrol("Anna", walk(0), consent="form")
    with pytest.raises(client_errors.InvalidRequestError, match="threshold: expected one, as the gallery has no"):
        client.identify(walk(0))


def test_people_come_a_page_at_a_time(client, ask):
    for number in range(5):
        client.enrol(f"person {number}", walk(number), consent="form")
    page = ask("ListPeople", messages.ListPeopleRequest(page_size=2))
    assert [person.name for person in page.people] == ["person 0", "person 1"]
    page = ask("ListPeople", messages.ListPeopleRequest(page_size=3, after=page.next))
    assert [person.name for person in page.people] == ["person 2", "person 3", "person 4"]
    assert page.next == 0


BAD = grpc.StatusCode.INVALID_ARGUMENT
GOOD = walk_message("walk", walk(0))


def changed(**fields):
    message = messages.Walk()
    message.CopyFrom(GOOD)
    for name, value in fields.items():
        setattr(message, name, value)
    return message


@pytest.mark.parametrize(
    ("method", "request_", "words"),
    [
        ("Identify", messages.IdentifyRequest(), "walk: expected [T, 20, 3] float32, 240 bytes a frame, received 0"),
        ("Identify", messages.IdentifyRequest(walk=changed(skeleton=b"123")), "received 3 bytes"),
        ("Identify", messages.IdentifyRequest(walk=changed(tracked=b"\1")), "tracked to be [T, 20] bytes of 0 or 1"),
        ("Identify", messages.IdentifyRequest(walk=changed(tracked=b"\2" * 800)), "bytes of 0 or 1"),
        ("Identify", messages.IdentifyRequest(walk=changed(frame_rate=0.0)), "frame_rate of 1 to 1000, received 0"),
        ("Identify", messages.IdentifyRequest(walk=changed(frame_rate=np.nan)), "frame_rate of 1 to 1000"),
        ("Identify", messages.IdentifyRequest(walk=changed(skeleton=bytes(240 * 8193))), "at most 8,192 frames"),
        ("Identify", messages.IdentifyRequest(walk=changed(skeleton=bytes(240 * 500), frame_rate=1.0)), "15,000"),
        (
            "Identify",
            messages.IdentifyRequest(walk=changed(skeleton=np.full(60, np.inf, "f4").tobytes())),
            "expected coordinates within 1,000,000",
        ),
        ("Identify", messages.IdentifyRequest(walk=GOOD, k=0), "k: expected 1 to 100, received 0"),
        ("Identify", messages.IdentifyRequest(walk=GOOD, k=101), "k: expected 1 to 100, received 101"),
        ("Identify", messages.IdentifyRequest(walk=GOOD, threshold=3), "threshold: expected a distance in 0..2"),
        ("Identify", messages.IdentifyRequest(walk=GOOD, false_alarms=2), "false_alarms: expected a share between"),
        ("Verify", messages.VerifyRequest(walk=GOOD, threshold=1), "person: expected a name of 1 to 200 characters"),
        ("Enrol", messages.EnrolRequest(person="x", consent="form"), "walks: expected at least one walk"),
        ("Enrol", messages.EnrolRequest(person="x", walks=[GOOD]), "consent: expected a note"),
        ("Enrol", messages.EnrolRequest(person="", walks=[GOOD], consent="form"), "person: expected a name"),
        ("Enrol", messages.EnrolRequest(person="a\0b", walks=[GOOD], consent="form"), "characters that can be seen"),
        ("Enrol", messages.EnrolRequest(person="x", walks=[GOOD] * 65, consent="form"), "at most 64, received 65"),
        (
            "Enrol",
            messages.EnrolRequest(person="x", walks=[GOOD], consent="form", expires={"seconds": 1}),
            "expires: expected a time to come",
        ),
        (
            "Enrol",
            messages.EnrolRequest(person="x", walks=[GOOD], consent="form", expires={"seconds": 1 << 60}),
            "expires: expected a time in the years 1 to 9999",
        ),
        ("Forget", messages.ForgetRequest(person=""), "person: expected a name"),
        ("ListPeople", messages.ListPeopleRequest(page_size=501), "page_size: expected 0 to 500, received 501"),
        ("ListPeople", messages.ListPeopleRequest(after=-1), "after: expected at least 0, received -1"),
    ],
)
def test_requests_that_make_no_sense_are_refused(shared_ask, method, request_, words):
    with refused(BAD, words):
        shared_ask(method, request_)
