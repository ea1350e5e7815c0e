"""WatchWalk: running answers while frames come, plain and with asyncio; streams that break, idle, or are too many."""

import asyncio
import contextlib
import threading

import grpc
import numpy as np
import pytest
from support.export_walker import refused, until
from support.gallery_bodies import BoneLengths, walk
from support.served_bodies import NEAR, serving_bones

import agegait
from agegait.serving import AsyncGalleryClient, GalleryClient, GalleryOptions, Outcome, gallery_pb2 as messages
from agegait.serving.client import channels, client_errors
from agegait.serving.client.gallery_requests import walk_message

SHORT, KNOWN, UNKNOWN = Outcome.NOT_ENOUGH_FRAMES, Outcome.KNOWN, Outcome.UNKNOWN


@pytest.fixture
def served(bones_folder, gallery_url):
    with serving_bones(bones_folder, gallery_url) as (server, client):
        client.enrol("Anna", walk(0), consent="form")
        client.enrol("Björn", walk(1), consent="form")
        yield server, client


@pytest.fixture
def client(served):
    return served[1]


def added(watch, frames):
    return [found for frame in frames if (found := watch.add(frame))]


def test_running_answers(client):
    with client.watch_walk(every=10, last=40, threshold=NEAR) as watch:
        answers = added(watch, walk(0, 1, frames=45))
        assert [(found.outcome, found.person, found.frames) for found in answers] == [
            (SHORT, None, 10),
            (SHORT, None, 20),
            (KNOWN, "Anna", 30),
            (KNOWN, "Anna", 40),
        ]
        assert answers[0].quality.fault == "expected at least 30 frames, received 10"
        final = watch.identify()  # those 5 that nobody asked about
        assert (final.frames, final.quality.frames, watch.frames) == (45, 40, 45)
        alone = client.identify(walk(0, 1, frames=40), threshold=NEAR)
        np.testing.assert_allclose(final.matches[0].distance, alone.matches[0].distance, atol=1e-6)
        watch.reset()
        answers = added(watch, walk(1, 1, frames=40))
        assert [found.person for found in answers] == [None, None, "Björn", "Björn"]
        assert answers[-1].frames == 40
        watch.reset()
        assert added(watch, walk(7, frames=40))[-1].outcome is UNKNOWN
    with pytest.raises(ValueError, match="the stream is closed"):
        watch.add(walk(0)[0])


def test_the_newest_frames_count(client):
    with client.watch_walk(every=30, last=30, threshold=NEAR) as watch:
        frames = [*walk(0, 1, frames=60), *walk(1, 1, frames=60), *(1000 * walk(1, 1, frames=30))]
        answers = added(watch, frames)
    assert [found.person for found in answers] == ["Anna", "Anna", "Björn", "Björn", None]
    assert answers[-1].outcome is Outcome.POOR


def test_other_frame_rates_and_joints_that_were_not_tracked(client):
    with client.watch_walk(every=20, frame_rate=15.0, threshold=NEAR) as watch:
        (found,) = added(watch, walk(0, 1, frames=20))
        assert (found.person, found.quality.frames) == ("Anna", 39)
    with client.watch_walk(every=30, threshold=NEAR) as watch:
        answers = [watch.add(frame, np.arange(20) % 2) for frame in walk(0, 1, frames=30)]
        assert (answers[-1].outcome, answers[-1].quality.tracked) == (Outcome.POOR, 0.5)


def test_the_audit_trail_notes_changes_alone(client, gallery_url):
    with client.watch_walk(every=10, last=30, threshold=NEAR) as watch:
        added(watch, [*walk(0, 1, frames=90), *walk(7, 1, frames=60)])
        watch.reset()
        added(watch, walk(7, 2, frames=60))
    with agegait.Gallery.open(gallery_url, BoneLengths()) as gallery:
        details = [entry.detail for entry in gallery.audit() if entry.action == "identify"]
    assert details[0] == "accepted"
    assert details[-2:] == ["unknown", "unknown"]
    assert len(details) <= 4  # two bodies in one window may be nobody, or either


def test_frames_that_make_no_sense_are_not_taken(client):
    with client.watch_walk(threshold=NEAR) as watch:
        for frame in (np.ones((19, 3)), np.full((20, 3), np.nan), "frame"):
            with pytest.raises(ValueError, match=r"^frame: "):
                watch.add(frame)
        assert watch.frames == 0
    for arguments in ({"every": 0}, {"last": 0}):
        with pytest.raises(ValueError, match="expected at least 1 frame"):
            client.watch_walk(**arguments)
    with client.watch_walk(last=29, every=29) as watch, pytest.raises(client_errors.InvalidRequestError, match="last"):
        added(watch, walk(0, frames=29))


def test_with_asyncio(served):
    async def main():
        async with AsyncGalleryClient(served[0].address, timeout=60) as client:
            await client.enrol("Cem", walk(2), consent="form")
            assert (await client.identify(walk(2, 1), threshold=NEAR)).person == "Cem"
            assert (await client.verify("Cem", walk(2, 1), threshold=NEAR)).accepted
            assert await client.ready()

            async def person_of(number):
                async with client.watch_walk(every=15, threshold=NEAR) as watch:
                    answers = [await watch.add(frame) for frame in walk(number, 1, frames=45)]
                    return [found.person for found in answers if found]

            assert await asyncio.gather(*map(person_of, range(3))) == [
                [None, "Anna", "Anna"],
                [None, "Björn", "Björn"],
                [None, "Cem", "Cem"],
            ]
            await client.forget("Cem")
            assert [person.name for person in await client.people()] == ["Anna", "Björn"]
            with pytest.raises(client_errors.NotFoundError):
                await client.forget("Cem")
            async with client.watch_walk(every=40, last=20) as watch:
                for frame in walk(0)[:-1]:
                    await watch.add(frame)
                with pytest.raises(client_errors.InvalidRequestError, match="last: expected at least 30"):
                    await watch.add(walk(0)[-1])

    asyncio.run(main())


def test_a_walk_goes_on_after_a_server_that_was_started_anew(bones_folder, gallery_url):
    with serving_bones(bones_folder, gallery_url) as (server, client):
        client.enrol("Anna", walk(0), consent="form")
        port = server.port
        patient = GalleryClient(server.address, timeout=60, wait=True)
        watch = patient.watch_walk(every=15, threshold=NEAR)
        frames = iter(walk(0, 1, frames=75))
        assert [found.person for found in added(watch, [next(frames) for _ in range(30)])] == [None, "Anna"]
    # The one before said goodbye: an idle stream is ended at once, and held nothing up.
    with agegait.serving.Server(bones_folder, port=port, gallery=GalleryOptions(gallery_url)), patient, watch:
        assert [(found.person, found.frames) for found in added(watch, frames)] == [
            ("Anna", 45),
            ("Anna", 60),
            ("Anna", 75),
        ]


def test_so_many_streams_at_once(bones_folder, gallery_url, monkeypatch):
    options = channels.channel_options
    own = ("grpc.use_local_subchannel_pool", 1)  # gRPC would have all clients of a process share a connection
    monkeypatch.setattr(channels, "channel_options", lambda size: [*options(size), own])
    limits = {"max_walk_streams": 3, "max_walk_streams_per_connection": 2}
    with (
        serving_bones(bones_folder, gallery_url, limits) as (server, client),
        contextlib.ExitStack() as stack,
    ):

        def watched(asked):
            watch = stack.enter_context(asked.watch_walk(every=1, threshold=NEAR))
            assert watch.add(walk(0)[0]).outcome is SHORT
            return watch

        first, _ = watched(client), watched(client)
        with pytest.raises(client_errors.OverloadedError, match="at most 2 streams at once on a connection"):
            watched(client)
        others = [stack.enter_context(GalleryClient(server.address, timeout=60)) for _ in range(2)]
        watched(others[0])
        with pytest.raises(client_errors.OverloadedError, match="at most 3 streams at once"):
            watched(others[1])
        first.__exit__(None, None, None)
        until(lambda: len(server._gate.walk_streams) == 2)
        watched(others[1])


def test_a_stream_without_frames_is_ended(bones_folder, gallery_url):
    with (
        serving_bones(bones_folder, gallery_url, {"idle_seconds": 1}) as (server, client),
        client.watch_walk(every=30, last=30, threshold=NEAR) as watch,
    ):
        client.enrol("Anna", walk(0), consent="form")
        assert added(watch, walk(0, 1, frames=30))[-1].person == "Anna"
        until(lambda: len(server._gate.walk_streams) == 0)
        assert added(watch, walk(0, 1, frames=30))[-1].person == "Anna"  # over a new one


def test_messages_that_make_no_sense_end_the_stream(served):
    good = walk_message("walk", walk(0))
    begin = messages.WatchSettings(threshold=NEAR)
    with grpc.insecure_channel(served[0].address) as channel:
        remote = channel.stream_stream(
            "/agegait.gallery.v1.Gallery/WatchWalk",
            messages.WatchWalkRequest.SerializeToString,
            messages.WatchWalkResponse.FromString,
        )
        for wrong, words in (
            (messages.WatchWalkRequest(walk=messages.Walk(skeleton=b"12")), "received 2 bytes"),
            (messages.WatchWalkRequest(settings=begin), "in the first message alone"),
            (messages.WatchWalkRequest(walk=messages.Walk(frame_rate=30)), "in the first message alone"),
        ):
            answers = remote(iter([messages.WatchWalkRequest(walk=good, settings=begin), wrong]), timeout=60)
            assert next(answers).answer.person == "Anna"
            with refused(grpc.StatusCode.INVALID_ARGUMENT, words):
                next(answers)
        # A caller who has no more to say, and one that says nothing.
        answers = remote(iter([messages.WatchWalkRequest(walk=good, settings=begin)]), timeout=60)
        assert [answer.frames for answer in answers] == [40]
        assert list(remote(iter([]), timeout=60)) == []
    until(lambda: len(served[0]._gate.walk_streams) == 0)


def test_an_answer_that_does_not_come_is_not_waited_for(served, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(agegait.Gallery, "identify", lambda *_: release.wait(60))
    with (
        GalleryClient(served[0].address, timeout=0.5) as client,
        client.watch_walk(every=30) as watch,
        pytest.raises(client_errors.DeadlineError),
    ):
        added(watch, walk(0, frames=30))
    release.set()
