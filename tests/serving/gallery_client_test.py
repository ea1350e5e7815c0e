"""The gallery's clients against servers that fail, or make no sense: what is sent, sent again, and believed."""

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import grpc
import numpy as np
import pytest
from support.gallery_bodies import walk

from agegait.serving import AsyncGalleryClient, GalleryClient, TrackedWalk, gallery_pb2 as messages
from agegait.serving.client import client_errors

KNOWN, UNKNOWN = messages.OUTCOME_KNOWN, messages.OUTCOME_UNKNOWN
BAD = client_errors.BadAnswerError


class Fake:
    """A server whose answers are made up."""

    def __init__(self, answer, port=0):
        self.asked = []

        def unary(method):
            def answered(request, context):
                self.asked.append(method)
                return answer(method, len(self.asked), context)

            return grpc.unary_unary_rpc_method_handler(answered)

        def watched(requests, context):
            for _ in requests:
                self.asked.append("WatchWalk")
                yield answer("WatchWalk", len(self.asked), context)

        handlers = {method: unary(method) for method in ("Enrol", "Forget", "ListPeople", "Identify", "Verify")}
        handlers["WatchWalk"] = grpc.stream_stream_rpc_method_handler(watched)
        self.server = grpc.server(ThreadPoolExecutor(4))
        self.server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler("agegait.gallery.v1.Gallery", handlers)]
        )
        self.address = f"127.0.0.1:{self.server.add_insecure_port(f'127.0.0.1:{port}')}"

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(None).wait()


ACTS = {
    "Enrol": lambda client: client.enrol("Anna", walk(0), consent="form"),
    "Forget": lambda client: client.forget("Anna"),
    "ListPeople": lambda client: client.people(),
    "Identify": lambda client: client.identify(walk(0)),
    "Verify": lambda client: client.verify("Anna", walk(0)),
}
EMPTY = {
    "Enrol": messages.EnrolResponse(),
    "Forget": messages.ForgetResponse(),
    "ListPeople": messages.ListPeopleResponse(),
    "Identify": messages.IdentifyResponse(outcome=UNKNOWN),
    "Verify": messages.VerifyResponse(outcome=messages.OUTCOME_POOR),
    "WatchWalk": messages.WatchWalkResponse(answer=messages.IdentifyResponse(outcome=UNKNOWN)),
}


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED])
@pytest.mark.parametrize(
    ("method", "times"), [("Enrol", 1), ("Forget", 1), ("ListPeople", 2), ("Identify", 2), ("Verify", 2)]
)
def test_what_changes_nothing_is_sent_again_and_nothing_else(method, times, code):
    def answer(method, number, context):
        return context.abort(code, "not now") if number == 1 else EMPTY[method].SerializeToString()

    def ask():
        with GalleryClient(fake.address, timeout=20) as client:
            ACTS[method](client)

    async def ask_async():
        async with AsyncGalleryClient(fake.address, timeout=20) as client:
            await ACTS[method](client)

    for asked in (ask, lambda: asyncio.run(ask_async())):
        outcome = pytest.raises(client_errors.ClientError, match="not now") if times == 1 else contextlib.nullcontext()
        with Fake(answer) as fake, outcome:
            asked()
        assert fake.asked == [method] * times


def test_an_enrolment_waits_for_a_server_that_is_to_come():
    with Fake(lambda *_: b"") as fake:
        address = fake.address
    done = []

    def enrol():
        with GalleryClient(address, timeout=60, wait=True) as client:
            done.append(client.enrol("Anna", walk(0), consent="form").name)

    asking = threading.Thread(target=enrol)
    asking.start()
    answer = messages.EnrolResponse(person=messages.Person(name="Anna")).SerializeToString()
    with Fake(lambda *_: answer, address.rpartition(":")[2]):
        asking.join(60)
    assert done == ["Anna"]


def test_a_stream_is_opened_anew_with_the_frames_that_count():
    def answer(method, number, context):
        return (
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now") if number == 2 else EMPTY[method].SerializeToString()
        )

    with Fake(answer) as fake, GalleryClient(fake.address, timeout=20) as client:
        with client.watch_walk(every=2) as watch:
            found = [watch.add(frame) for frame in walk(0)[:4]]
        assert [one and one.frames for one in found] == [None, 2, None, 4]
        assert len(fake.asked) == 3


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("Identify", messages.IdentifyResponse()),
        ("Identify", messages.IdentifyResponse(outcome=KNOWN)),
        ("Identify", messages.IdentifyResponse(outcome=UNKNOWN, person="Anna")),
        ("Identify", messages.IdentifyResponse(outcome=UNKNOWN, matches=[messages.Match(distance=np.nan)])),
        ("Identify", b"nonsense"),
        ("Verify", messages.VerifyResponse(outcome=KNOWN)),
        ("Verify", messages.VerifyResponse(outcome=KNOWN, match=messages.Match(accepted=False))),
        ("Enrol", messages.EnrolResponse(person=messages.Person(expires={"seconds": 1 << 60}))),
    ],
)
def test_answers_that_make_no_sense(method, answer):
    raw = answer if isinstance(answer, bytes) else answer.SerializeToString()
    with (
        Fake(lambda *_: raw) as fake,
        GalleryClient(fake.address, timeout=20) as client,
        pytest.raises(BAD),
    ):
        ACTS[method](client)


def test_pages_that_lead_nowhere_end():
    page = messages.ListPeopleResponse(people=[messages.Person(name="Anna")], next=7).SerializeToString()
    with Fake(lambda *_: page) as fake, GalleryClient(fake.address, timeout=20) as client:
        assert len(client.people()) == 2
    assert len(fake.asked) == 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (np.ones((40, 19, 3)), r"walk: expected \[T, 20, 3\], received \[40, 19, 3\]"),
        (np.full((40, 20, 3), np.nan), "walk: expected finite coordinates"),
        ([["words"]], "walk: expected arrays of numbers"),
        (TrackedWalk(np.ones((40, 20, 3)), np.ones((40, 19), bool)), r"walk: expected tracked \[40, 20\] of true or"),
        (TrackedWalk(np.ones((40, 20, 3)), np.full((40, 20), 2)), "walk: expected tracked"),
    ],
)
def test_wrong_walks_are_not_sent(wrong, words):
    with GalleryClient("127.0.0.1:1") as client:
        with pytest.raises(ValueError, match=words):
            client.identify(wrong)
        with pytest.raises(ValueError, match=words):
            client.verify("Anna", wrong)
        with pytest.raises(ValueError, match=words.replace("walk:", "walks, walk 0:")):
            client.enrol("Anna", [wrong], consent="form")
        with pytest.raises(ValueError, match="expires: expected a time with its time zone"):
            client.enrol("Anna", [walk(0)], consent="form", expires=datetime(2030, 1, 1))
        late = datetime.max.replace(tzinfo=timezone(timedelta(hours=-9)))
        with pytest.raises(ValueError, match="expires: expected a time before the year 10000"):
            client.enrol("Anna", [walk(0)], consent="form", expires=late)


def test_a_closed_client_says_so():
    client = GalleryClient("127.0.0.1:1")
    watch = client.watch_walk(every=1)
    client.close()
    for act in (*ACTS.values(), lambda _: watch.add(walk(0)[0])):
        with pytest.raises(client_errors.ClosedError):
            act(client)


LIGHT = """
import json, sys
from agegait.serving import AsyncGalleryClient, GalleryClient, Outcome
print(json.dumps(sorted({"tensorflow", "keras", "sqlalchemy", "agegait.gallery"} & set(sys.modules))))
"""


def test_importing_the_client_is_light():
    done = subprocess.run([sys.executable, "-c", LIGHT], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == []
