import asyncio
import itertools
import shutil
import sys

import grpc
import numpy as np
import pytest
from support.export_walker import until
from support.small_identifier import FRAMES, JOINTS, make_identifier
from support.uncompared import uncompared

from agegait.export import saved_models
from agegait.export.identifier_endpoints import identifier_endpoints
from agegait.serving import AsyncClient, Client, ModelOptions, Server
from agegait.serving.client import client_errors


def noise(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def write(identifier, version_folder):
    """What `save` does, for the identifier alone and what is asked here."""
    version_folder.parent.mkdir(exist_ok=True)
    endpoints = identifier_endpoints(identifier)
    asked = {name: endpoints[name] for name in ("serving_default", "identify", "windows")}
    with uncompared():
        saved_models._write(version_folder, "identifier", asked)


@pytest.fixture(scope="module")
def exported(small_export, tmp_path_factory):
    """Identifiers whose windows touch, overlap, or leave frames between them."""
    folder = tmp_path_factory.mktemp("exported")
    shutil.copytree(small_export / "identifier", folder / "touching")
    for name, stride in (("overlapping", 3), ("apart", 7)):
        write(make_identifier(stride), folder / name / "1")
    return folder


@pytest.fixture(scope="module")
def server(exported):
    with Server(exported, port=0) as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    with Client(server.address, timeout=20) as client:
        yield client


def check(found, expected):
    assert found.person == expected.person
    np.testing.assert_allclose(found.logits, expected.logits, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, rtol=1e-5, atol=1e-5)
    assert found.score == pytest.approx(expected.score, abs=1e-5)


@pytest.mark.parametrize("model", ["touching", "overlapping", "apart"])
@pytest.mark.parametrize("every", [1, 3, 6, 11])
def test_the_running_answer_is_identifys_of_all_frames_so_far(client, model, every):
    frames = noise(30, JOINTS, 3)
    with client.stream(every, model=model) as walk:
        for count, frame in enumerate(frames, 1):
            found = walk.add(frame)
            if count % every or count < FRAMES:
                assert found is None
            else:
                check(found, client.identify(frames[:count], model)[0])
        check(walk.identify(), client.identify(frames, model)[0])
    assert (walk.frames, walk.left_out) == (30, 0)


def test_each_window_is_asked_about_once_and_no_frame_sent_without_need(client):
    asked = []

    def counted(method, request):
        asked.append(request.inputs["skeletons"].tensor_shape.dim[1].size)
        return client._call(method, request)

    walk = client.stream(2, model="touching")
    walk._call = counted
    for frame in noise(21, JOINTS, 3):
        walk.add(frame)
        assert walk.waiting < FRAMES + 2
    assert asked == [2, 4, 4, 4, 4, 4]  # the first one learns how long a window is
    assert walk.windows == 5


def test_only_the_last_frames_count_if_so_asked(client):
    frames = noise(40, JOINTS, 3)
    walk = client.stream(3, last=13, model="overlapping")
    windows = [client.identify(frames[start : start + FRAMES], "overlapping")[0].logits for start in range(0, 37, 3)]
    for count, frame in enumerate(frames, 1):
        found = walk.add(frame)
        if found is None:
            continue
        complete = (count - FRAMES) // 3 + 1
        expected = np.mean(windows[max(0, complete - 4) : complete], axis=0)
        np.testing.assert_allclose(found.logits, expected, rtol=1e-5, atol=1e-5)
    assert walk.windows == 4


def test_last_must_hold_a_window(client):
    walk = client.stream(2, last=3, model="touching")
    walk.add(noise(JOINTS, 3))
    with pytest.raises(ValueError, match="last: expected at least the 4 frames of a window, received 3"):
        walk.add(noise(JOINTS, 3))


def test_a_reset_begins_another_persons_walk(client):
    one, other = noise(9, JOINTS, 3), noise(9, JOINTS, 3, seed=2)
    walk = client.stream(model="overlapping")
    for frame in one:
        walk.add(frame)
    walk.reset()
    assert (walk.frames, walk.waiting, walk.windows, walk.found) == (0, 0, 0, None)
    for frame in other:
        walk.add(frame)
    check(walk.identify(), client.identify(other, "overlapping")[0])


def test_a_sensor_may_use_its_buffer_again(client):
    frames, buffer = noise(8, JOINTS, 3), np.empty((JOINTS, 3), np.float32)
    walk = client.stream(8, model="touching")
    for frame in frames:
        buffer[...] = frame
        found = walk.add(buffer)
    check(found, client.identify(frames, "touching")[0])


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (noise(JOINTS, 2), r"frame: expected \[5, 3\], received \[5, 2\]; it was not taken"),
        (noise(4, 3), r"frame: expected \[5, 3\], received \[4, 3\]; it was not taken"),
        (noise(1, JOINTS, 3), r"frame: expected \[5, 3\], received \[1, 5, 3\]; it was not taken"),
        (np.full((JOINTS, 3), np.nan), "frame: expected finite coordinates, .*; it was not taken"),
        ("frame", "frame: expected arrays of numbers"),
    ],
)
def test_a_wrong_frame_leaves_the_walk_as_it_was(client, frame, words):
    frames = noise(8, JOINTS, 3)
    walk = client.stream(8, model="touching")
    for number, right in enumerate(frames):
        if number == 5:
            with pytest.raises(ValueError, match=words):
                walk.add(frame)
        found = walk.add(right)
    check(found, client.identify(frames, "touching")[0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"every": 0}, "every: expected at least 1 frame, received 0"),
        ({"last": 0}, "last: expected at least 1 frame, received 0"),
        ({"every": 7, "keep": 6}, "keep: expected at least the 7 frames of `every`, received 6"),
    ],
)
def test_wrong_options_are_refused(client, options, words):
    with pytest.raises(ValueError, match=words):
        client.stream(**options)


def test_a_closed_stream_takes_no_frame(client):
    with client.stream(model="touching") as walk:
        pass
    with pytest.raises(ValueError, match="the stream is closed"):
        walk.add(noise(JOINTS, 3))


def failing(call, fails):
    """Asks the server, or not: before it gets the question, or after, as `fails` has it."""

    def flaky(method, request):
        when = next(fails)
        if when != "before":
            response = call(method, request)
        if when in ("before", "after"):
            raise client_errors.UnavailableError(grpc.StatusCode.UNAVAILABLE, "away")
        return response

    return flaky


@pytest.mark.parametrize("model", ["touching", "overlapping", "apart"])
def test_errors_lose_no_frame_and_count_none_twice(client, model):
    frames = noise(60, JOINTS, 3)
    walk = client.stream(3, model=model)
    walk._call = failing(client._call, itertools.cycle(["after", "before", "", "before", "", "", "after"]))
    errors = 0
    for frame in frames:
        try:
            walk.add(frame)
        except client_errors.UnavailableError:
            errors += 1
    assert errors > 5
    walk._call = client._call
    check(walk.identify(), client.identify(frames, model)[0])
    assert walk.left_out == 0


def test_frames_wait_in_bounded_room_and_those_given_up_are_counted(client):
    frames = noise(50, JOINTS, 3)
    walk = client.stream(5, keep=20, model="touching")
    walk._call = failing(client._call, itertools.repeat("before"))
    for number, frame in enumerate(frames, 1):
        if number % 5:
            assert walk.add(frame) is None
        else:
            with pytest.raises(client_errors.UnavailableError):
                walk.add(frame)
        assert walk.waiting <= 20
    assert (walk.left_out, walk.frames) == (30, 50)
    walk._call = client._call
    check(walk.identify(), client.identify(frames[30:], "touching")[0])


def test_what_waits_long_goes_in_several_questions(client, monkeypatch):
    monkeypatch.setattr(sys.modules["agegait.serving.client.walks"], "MAX_VALUES", 10 * JOINTS * 3)
    frames = noise(47, JOINTS, 3)
    walk = client.stream(47, model="overlapping")
    for frame in frames:
        found = walk.add(frame)
    monkeypatch.undo()
    check(found, client.identify(frames, "overlapping")[0])


def test_a_model_that_is_not_there_is_said_and_frames_wait(client):
    walk = client.stream(1, model="nobody")
    with pytest.raises(client_errors.NotFoundError, match=r"Latest\(nobody\)"):
        walk.add(noise(JOINTS, 3))
    assert walk.waiting == 1


@pytest.mark.slow
def test_a_server_that_comes_back_gets_what_it_missed(exported):
    frames = noise(24, JOINTS, 3)
    with Server(exported / "touching", port=0) as server:
        port = server.port
        client = Client(server.address, timeout=20)
        walk = client.stream(6, model="touching")
        for frame in frames[:12]:
            walk.add(frame)
    with pytest.raises(client_errors.UnavailableError):
        [walk.add(frame) for frame in frames[12:18]]
    with client, Server(exported / "touching", port=port):
        for frame in frames[18:]:
            found = walk.add(frame)
        check(found, client.identify(frames, "touching")[0])


@pytest.mark.slow
def test_answers_of_two_versions_are_never_added_up(small_export, tmp_path):
    shutil.copytree(small_export / "identifier/1", tmp_path / "identifier/1")
    write(make_identifier(seed=9), tmp_path / "2")
    frames = noise(30, JOINTS, 3)
    with (
        Server(ModelOptions(tmp_path / "identifier", poll_seconds=0.05), port=0) as server,
        Client(server.address, timeout=20) as client,
    ):
        walk = client.stream(6)
        for frame in frames[:14]:
            walk.add(frame)
        (tmp_path / "2").rename(tmp_path / "identifier/2")
        until(lambda: [one.state for one in client.status()] == ["AVAILABLE", "END"])
        for frame in frames[14:24]:
            found = walk.add(frame)
        assert walk.left_out == 12
        check(found, client.identify(frames[12:24])[0])


def test_asyncio(server, client):
    frames = noise(31, JOINTS, 3)

    async def follow():
        async with (
            AsyncClient(server.address, timeout=20) as asking,
            asking.stream(2, model="overlapping") as one,
            asking.stream(31, model="apart") as other,
        ):
            # All at once, as tasks: frames come while questions are on their way.
            await asyncio.gather(*(one.add(frame) for frame in frames), *(other.add(frame) for frame in frames))
            with pytest.raises(client_errors.NotFoundError):
                await asking.stream(1, model="nobody").add(frames[0])
            return await one.identify(), other.found

    one, other = asyncio.run(follow())
    check(one, client.identify(frames, "overlapping")[0])
    check(other, client.identify(frames, "apart")[0])


def test_frames_given_up_while_a_server_has_them_are_counted_once(server, client):
    frames = noise(40, JOINTS, 3)

    async def follow():
        async with AsyncClient(server.address, timeout=20) as asking:
            walk = asking.stream(8, keep=8, model="touching")
            for frame in frames[:7]:
                await walk.add(frame)
            question = asyncio.ensure_future(walk.add(frames[7]))
            await asyncio.sleep(0)
            for frame in frames[8:13]:
                walk._take(frame)
            assert walk.left_out == 5
            await question
            return walk

    walk = asyncio.run(follow())
    assert (walk.frames, walk.windows, walk.waiting, walk.left_out) == (13, 3, 1, 0)
    check(walk.found, client.identify(frames[:13], "touching")[0])


def test_what_is_forgotten_while_it_is_asked_about_stays_forgotten(server):
    async def follow():
        async with AsyncClient(server.address, timeout=20) as asking:
            walk = asking.stream(4, model="touching")
            for frame in noise(3, JOINTS, 3):
                await walk.add(frame)
            question = asyncio.ensure_future(walk.add(noise(JOINTS, 3)))
            await asyncio.sleep(0)
            walk.reset()
            assert await question is None
            return walk

    walk = asyncio.run(follow())
    assert (walk.found, walk.windows, walk.frames) == (None, 0, 0)
