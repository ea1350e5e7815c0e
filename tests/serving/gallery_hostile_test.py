"""Callers who mean a gallery no good: messages that are none, answers that nobody reads, streams without an end."""

import grpc
import numpy as np
import pytest
from support.export_walker import until
from support.gallery_bodies import walk
from support.raw_peer import RawPeer
from support.served_bodies import NEAR, serving_bones

from agegait.serving import gallery_pb2 as messages
from agegait.serving.client.gallery_requests import walk_message

SERVICE = "/agegait.gallery.v1.Gallery"
WALK = walk_message("walk", walk(0))
BEGIN = messages.WatchWalkRequest(walk=WALK, settings=messages.WatchSettings(threshold=NEAR))
GOOD = {
    "Enrol": messages.EnrolRequest(person="Cem", walks=[WALK], consent="form", expires={"seconds": 1 << 33}),
    "Forget": messages.ForgetRequest(person="Anna"),
    "ListPeople": messages.ListPeopleRequest(page_size=3, after=1),
    "Identify": messages.IdentifyRequest(walk=WALK, k=3, threshold=NEAR, false_alarms=0.01),
    "Verify": messages.VerifyRequest(person="Anna", walk=WALK, threshold=NEAR),
    "WatchWalk": BEGIN,
}
EXPECTED = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
}


def mutated(raw, random):
    """A message with some bytes changed, cut out, or put in; most of them where its fields are, before the walk."""
    changed = bytearray(raw)
    for _ in range(random.integers(1, 4)):
        place = int(random.integers(0, min(len(changed), 60) if random.random() < 0.8 else len(changed)) or 0)
        kind = random.integers(0, 3)
        if kind == 0:
            changed[place] = random.integers(0, 256)
        elif kind == 1:
            del changed[place : place + int(random.integers(1, 9))]
        else:
            changed[place:place] = random.bytes(random.integers(1, 9))
        if not changed:
            break
    return bytes(changed)


def test_messages_that_are_none_are_refused_and_nothing_breaks(bones_folder, gallery_url):
    random = np.random.default_rng(0)
    found = set()
    with serving_bones(bones_folder, gallery_url) as (server, client), grpc.insecure_channel(server.address) as channel:
        client.enrol("Anna", walk(0), consent="form")
        for method, good in GOOD.items():
            raw = good.SerializeToString()
            for _ in range(60):
                try:
                    if method == "WatchWalk":
                        list(channel.stream_stream(f"{SERVICE}/{method}")(iter([mutated(raw, random)]), timeout=60))
                    else:
                        channel.unary_unary(f"{SERVICE}/{method}")(mutated(raw, random), timeout=60)
                except grpc.RpcError as error:
                    found.add(error.code())
        client.enrol("Björn", walk(1), consent="form")
        assert client.identify(walk(1, 1), threshold=NEAR).person == "Björn"
    assert grpc.StatusCode.INVALID_ARGUMENT in found
    assert found <= EXPECTED


def test_streams_whose_answers_are_not_read_are_ended(bones_folder, gallery_url):
    limits = {"idle_seconds": 2, "max_walk_streams": 4, "max_walk_streams_per_connection": 4}
    with serving_bones(bones_folder, gallery_url, limits) as (server, client):
        client.enrol("Anna", walk(0), consent="form")
        with RawPeer(server.address) as peer:
            for _ in range(4):
                peer.call(f"{SERVICE}/WatchWalk", BEGIN.SerializeToString())
            until(lambda: len(server._gate.walk_streams) == 4)
            assert client.identify(walk(0, 1), threshold=NEAR).person == "Anna"  # others have threads of their own
            until(lambda: len(server._gate.walk_streams) == 0, 60)
            with client.watch_walk(every=30, threshold=NEAR) as watch:
                assert [found.person for frame in walk(0, 1) if (found := watch.add(frame))] == ["Anna"]


def test_streams_whose_message_does_not_come_are_ended(bones_folder, gallery_url):
    limits = {"idle_seconds": 2, "max_walk_streams": 4, "max_walk_streams_per_connection": 4}
    with serving_bones(bones_folder, gallery_url, limits) as (server, client):
        client.enrol("Anna", walk(0), consent="form")
        with RawPeer(server.address) as peer:
            for _ in range(6):  # two of which are refused at once
                peer.call(f"{SERVICE}/WatchWalk", b"\n", size=1 << 20)
            until(lambda: len(server._gate.walk_streams) == 4)
            assert client.identify(walk(0, 1), threshold=NEAR).person == "Anna"
            until(lambda: len(server._gate.walk_streams) == 0, 60)
            assert server.calls == 0


def test_a_peer_that_hangs_up_leaves_nothing_behind(bones_folder, gallery_url):
    with serving_bones(bones_folder, gallery_url) as (server, client):
        for _ in range(3):
            with RawPeer(server.address, window=1 << 16) as peer:
                for _ in range(4):
                    peer.call(f"{SERVICE}/WatchWalk", BEGIN.SerializeToString(), more=True)
                until(lambda: len(server._gate.walk_streams) == 4)
        until(lambda: len(server._gate.walk_streams) == 0)
        until(lambda: server._gallery.in_hand == 0)
        until(lambda: server._gallery._service._budget.held == 0)
        assert client.people() == []


@pytest.mark.parametrize("role", ["identify", "manage"])
def test_a_message_without_the_role_is_not_read(bones_folder, gallery_url, tmp_path, role):
    tokens, roles = tmp_path / "tokens", tmp_path / "roles"
    tokens.touch(0o600)
    tokens.write_text(f"lab: {'l' * 32}\n")
    roles.write_text(f"token other {role}\n")
    options = {"token_file": tokens, "roles": roles}
    with serving_bones(bones_folder, gallery_url, client={"token": "l" * 32}, **options) as (server, _):
        with RawPeer(server.address, window=1 << 16) as peer:
            sent = [("authorization", f"Bearer {'l' * 32}")]
            ended = {peer.call(f"{SERVICE}/{method}", b"\n", size=1 << 20, metadata=sent): method for method in GOOD}
            codes = {}
            while len(codes) < len(ended):
                for event in peer.read():
                    headers = dict(getattr(event, "headers", None) or ())
                    if "grpc-status" in headers:
                        codes[ended[event.stream_id]] = headers["grpc-status"]
        assert codes == dict.fromkeys(GOOD, "7")  # PERMISSION_DENIED
