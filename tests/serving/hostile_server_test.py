"""What the clients make of a server that is broken or means harm: their own errors, within bounded memory."""

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from support.budget import examples
from support.export_walker import until

from agegait.serving import AsyncClient, Client, ClientError
from agegait.serving.client import client_errors
from agegait.serving.client.channels import HEALTH, METADATA, PREDICT, STATUS
from agegait.serving.client.client_errors import BadAnswerError
from agegait.serving.tensors import encode
from agegait.serving.wire_pb2 import GetModelMetadataResponse, PackedResponse

FRAMES, JOINTS = 4, 5
WALK = np.ones((FRAMES, JOINTS, 3), np.float32)


class Hostile:
    """Answers every method with `answer`: bytes, or a function of the request and its context."""

    def __init__(self):
        self.answer = b""
        self.requests = []
        self.server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_send_message_length", -1)])
        handler = grpc.unary_unary_rpc_method_handler(self.handle)
        for path in (method.path for method in (PREDICT, METADATA, STATUS, HEALTH)):
            service, method = path.strip("/").split("/")
            self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {method: handler})])
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def handle(self, request, context):
        self.requests.append(request)
        return self.answer(request, context) if callable(self.answer) else self.answer


@pytest.fixture(scope="module")
def running():
    hostile = Hostile()
    yield hostile
    hostile.server.stop(None).wait()


@pytest.fixture
def hostile(running):
    running.requests.clear()
    return running


class Awaited:
    """AsyncClient with the manners of Client."""

    def __init__(self, address, **options):
        self.address, self.options = address, options

    def __getattr__(self, name):
        async def ask(*arguments):
            async with AsyncClient(self.address, **self.options) as client:
                return await getattr(client, name)(*arguments)

        return lambda *arguments: asyncio.run(ask(*arguments))

    def close(self):
        pass


@pytest.fixture(params=[Client, Awaited], ids=["client", "asyncio"])
def make(request):
    return request.param


@pytest.fixture
def client(hostile, make):
    client = make(hostile.address, timeout=20, max_answer_bytes=1 << 20)
    yield client
    client.close()


def response(**arrays):
    message = PackedResponse()
    message.model_spec.version.value = 1
    for name, array in arrays.items():
        encode(np.asarray(array), message.outputs[name])
    return message


IDENTIFIED = {
    "person": np.array([b"ann"], object),
    "score": np.float32([0.7]),
    "logits": np.float32([[1, 0]]),
    "probabilities": np.float32([[0.7, 0.3]]),
}


def identified(**changes):
    arrays = {name: array for name, array in {**IDENTIFIED, **changes}.items() if array is not None}
    return response(**arrays)


def claims(name, *shape, dtype=None):
    """An output that claims a shape beyond its values."""
    message = identified()
    proto = message.outputs[name]
    if dtype is not None:
        proto.dtype = dtype
    del proto.tensor_shape.dim[:]
    for size in shape:
        proto.tensor_shape.dim.add().size = size
    return message


def test_a_good_answer_is_read(client, hostile):
    hostile.answer = identified().SerializeToString()
    (found,) = client.identify(WALK)
    assert (found.person, found.score) == ("ann", pytest.approx(0.7))
    np.testing.assert_array_equal(found.logits, [1, 0])


def test_a_server_may_keep_logits_to_itself(client, hostile):
    hostile.answer = identified(logits=None, probabilities=None).SerializeToString()
    (found,) = client.identify(WALK)
    assert (found.person, found.logits, found.probabilities) == ("ann", None, None)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\xff\xff nonsense", "the answer is no PackedResponse"),
        (response(), "output person: expected, there are none"),
        (identified(score=None), "output score: expected, there are logits, person, probabilities"),
        (identified(logits=None), "output logits: expected, there are"),
        (identified(probabilities=None), "output probabilities: expected, there are"),
        (identified(person=np.int64([3])), r"output person: expected object \[1\], received int64 \[1\]"),
        (identified(score=np.array([b"high"], object)), r"output score: expected floating \[1\]"),
        (identified(score=np.float32([0.7, 0.1])), r"output score: expected floating \[1\], received float32 \[2\]"),
        (identified(score=np.float32(0.7)), r"output score: expected floating \[1\], received float32 \[\]"),
        (identified(person=np.array([b"ann", b"bob"], object)), r"output person: expected object \[1\]"),
        (identified(logits=np.float32([1, 0])), r"output logits: expected floating \[1, any\]"),
        (identified(probabilities=np.float32([[1]])), r"output probabilities: expected floating \[1, 2\]"),
        (identified(score=np.float32([np.nan])), "output score: expected finite numbers"),
        (identified(logits=np.float32([[np.inf, 0]])), "output logits: expected finite numbers"),
        (identified(person=np.array([b"\xff\xfe"], object)), "output person: expected names in UTF-8"),
        (claims("score", 1, dtype=99), "output score: dtype 99 is not read"),
        (claims("score", 1 << 30), "output score: shape .* has more elements than the limit"),
        (claims("logits", 1, 1 << 40), "output logits: shape .* has more elements than the limit"),
        (claims("logits", 0, 1 << 40), "output logits: shape .* has more elements than the limit"),
        (claims("person", 1 << 20), "output person: shape .* has more elements than the limit"),
        (claims("score", -1), "output score: a negative dimension"),
        (claims("score", *[1] * 255), "output score: 255 dimensions"),
        (claims("score"), r"output score: expected floating \[1\]"),
        (claims("logits", 1), "output logits: float_val has 2 values, its shape holds 1"),
        (claims("person", 0), r"output person: string_val has 1 values, its shape holds 0"),
    ],
)
def test_an_answer_without_sense_is_the_clients_own_error(client, hostile, answer, words):
    hostile.answer = answer if isinstance(answer, bytes) else answer.SerializeToString()
    with pytest.raises(BadAnswerError, match=words) as caught:
        client.identify(WALK)
    assert isinstance(caught.value, ClientError)
    assert len(hostile.requests) == 1


def test_what_all_outputs_claim_together_is_bounded(client, hostile):
    hostile.answer = identified(**{f"more{number}": np.float32([0]) for number in range(9)})
    for number in range(9):
        hostile.answer.outputs[f"more{number}"].tensor_shape.dim[0].size = 1 << 16
    hostile.answer = hostile.answer.SerializeToString()
    with pytest.raises(BadAnswerError, match="more elements than the limit"):
        client.identify(WALK)


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_an_answer_that_is_too_large_is_not_read(client, hostile, compression):
    def large(_, context):
        context.set_compression(compression)
        return bytes(64 << 20)

    hostile.answer = large
    with pytest.raises(BadAnswerError, match="larger than max"):
        client.identify(WALK)
    assert len(hostile.requests) == 1


def test_an_answer_as_large_as_allowed_is_read(client, hostile):
    people = ((1 << 20) - 8 - 4) // 8  # beside a pointer to the person and a score
    numbers = np.zeros((1, people), np.float32)
    hostile.answer = identified(logits=numbers, probabilities=numbers).SerializeToString()
    assert len(client.identify(WALK)[0].logits) == people
    more = np.zeros((1, people + 1), np.float32)
    hostile.answer = identified(logits=more, probabilities=more).SerializeToString()
    with pytest.raises(BadAnswerError, match="more elements than the limit"):
        client.identify(WALK)


def test_answers_to_other_questions(client, hostile):
    hostile.answer = b"\xff"
    for ask in (client.status, client.metadata, client.ready):
        with pytest.raises(BadAnswerError, match="the answer is no "):
            ask()
    hostile.answer = b""
    with pytest.raises(BadAnswerError, match="the answer has no signature_def"):
        client.metadata()
    message = GetModelMetadataResponse()
    message.metadata["signature_def"].value = b"\xff"
    hostile.answer = message.SerializeToString()
    with pytest.raises(BadAnswerError, match="the answer is no SignatureDefMap"):
        client.metadata()
    hostile.answer = b"\x08\x80\x80\x80\x80\x08"
    assert client.ready() is False


ENCODED = {
    "ages": np.zeros((1, FRAMES, 6), np.float32),
    "attention": np.zeros((1, 3, FRAMES, FRAMES), np.float32),
    "reconstruction": np.zeros((1, FRAMES, JOINTS, 3), np.float32),
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ages": None}, "output ages: expected, there are attention, reconstruction"),
        ({"ages": np.zeros((2, FRAMES, 6), np.float32)}, r"output ages: expected floating \[1, 4, any\]"),
        ({"attention": np.zeros(3, np.float32)}, r"output attention: expected floating \[1, 3, 4, 4\]"),
        ({"reconstruction": ENCODED["reconstruction"] * np.float32(np.nan)}, "output reconstruction: expected finite"),
    ],
)
def test_encodings_without_sense(client, hostile, changes, words):
    hostile.answer = response(**ENCODED).SerializeToString()
    assert client.encode(WALK)["ages"].shape == (1, FRAMES, 6)
    arrays = {name: array for name, array in {**ENCODED, **changes}.items() if array is not None}
    hostile.answer = response(**arrays).SerializeToString()
    with pytest.raises(BadAnswerError, match=words):
        client.encode(WALK)


WINDOWS = {
    "logits": np.zeros((1, 1, 2), np.float32),
    "frames": np.int32([FRAMES]),
    "stride": np.int32([FRAMES]),
    "persons": np.array([[b"ann", b"bob"]], object),
}


@pytest.mark.parametrize(
    "changes",
    [
        {"logits": None},
        {"frames": None},
        {"frames": np.int32([])},
        {"frames": np.int32([0])},
        {"stride": np.int32([0])},
        {"stride": np.int32([-3])},
        {"frames": np.float32([4])},
        {"persons": np.array([[]], object)},
        {"persons": np.array([[b"ann"]], object)},
        {"persons": np.array([[b"\xff", b"bob"]], object)},
        {"logits": np.zeros((1, 2, 2), np.float32)},
        {"logits": np.full((1, 1, 2), np.nan, np.float32)},
    ],
)
def test_a_stream_takes_no_answer_without_sense(hostile, changes):
    arrays = {name: array for name, array in {**WINDOWS, **changes}.items() if array is not None}
    bad, good = response(**arrays).SerializeToString(), response(**WINDOWS).SerializeToString()
    with Client(hostile.address, timeout=20) as client:
        stream = client.stream(every=FRAMES)
        hostile.answer = bad
        for frame in WALK[:-1]:
            assert stream.add(frame) is None
        with pytest.raises(BadAnswerError):
            stream.add(WALK[-1])
        assert (stream.frames, stream.waiting, stream.left_out, stream.found) == (FRAMES, FRAMES, 0, None)
        hostile.answer = good
        assert stream.identify().person == "ann"


VALID = identified().SerializeToString()


@settings(max_examples=examples(200), deadline=None)
@given(data=st.data())
def test_any_bytes_are_an_answer_or_the_clients_own_error(running, data):
    raw = bytearray(VALID)
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, len(raw) - 1), st.integers(0, 255)), max_size=4)):
        raw[place] = byte
    running.answer = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    with Client(running.address, timeout=20, max_answer_bytes=1 << 20) as client, contextlib.suppress(ClientError):
        assert len(client.identify(WALK)) == 1


def test_a_closed_client_says_so(hostile):
    client = Client(hostile.address)
    client.close()
    client.close()
    with pytest.raises(client_errors.ClosedError, match="the client is closed"):
        client.identify(WALK)

    async def ask():
        client = AsyncClient(hostile.address)
        await client.close()
        await client.identify(WALK)

    with pytest.raises(client_errors.ClosedError, match="the client is closed"):
        asyncio.run(ask())


def test_a_client_that_is_closed_while_it_asks_says_so(hostile):
    go_on = threading.Event()
    hostile.answer = lambda *_: go_on.wait(20) and b""
    client, caught = Client(hostile.address, timeout=20), []

    def ask():
        try:
            client.identify(WALK)
        except Exception as error:
            caught.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: hostile.requests)
    client.close()
    asking.join(20)
    assert [type(error) for error in caught] == [client_errors.ClosedError]

    async def ask_async():
        client = AsyncClient(hostile.address, timeout=20)
        asking = asyncio.create_task(client.identify(WALK))
        while len(hostile.requests) < 2:
            await asyncio.sleep(0.01)
        await client.close()
        await asking

    with pytest.raises(client_errors.ClosedError):
        asyncio.run(ask_async())
    go_on.set()


def test_a_task_that_is_cancelled_ends_as_tasks_do(hostile):
    go_on = threading.Event()
    hostile.answer = lambda *_: go_on.wait(20) and b""

    async def ask():
        async with AsyncClient(hostile.address, timeout=20) as client:
            asking = asyncio.create_task(client.identify(WALK))
            while not hostile.requests:
                await asyncio.sleep(0.01)
            asking.cancel()
            await asking

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(ask())
    go_on.set()


class Saying:
    """Says `details` with a status so many times, and answers then."""

    def __init__(self, times, code, details):
        self.left, self.code, self.details = times, code, details

    def __call__(self, request, context):
        if self.left:
            self.left -= 1
            context.abort(self.code, self.details)
        return VALID


LOADING = (grpc.StatusCode.UNAVAILABLE, "Servable is loading: Latest(identifier)")


@pytest.mark.parametrize("said", [LOADING, (grpc.StatusCode.UNAVAILABLE, "away"), (grpc.StatusCode.CANCELLED, "")])
def test_a_server_that_is_not_there_yet_is_asked_again(client, hostile, said):
    hostile.answer = Saying(2, *said)
    assert client.identify(WALK)[0].person == "ann"
    assert len(hostile.requests) == 3


def test_a_model_that_loads_is_waited_for_longer_than_a_server_that_is_away(hostile, make, monkeypatch):
    monkeypatch.setattr("agegait.serving.client.retries.PATIENCE_SECONDS", 0.0)
    client = make(hostile.address, timeout=60)
    hostile.answer = Saying(2, *LOADING)
    assert client.identify(WALK)[0].person == "ann"
    hostile.answer = Saying(99, grpc.StatusCode.UNAVAILABLE, "away")
    with pytest.raises(client_errors.UnavailableError, match="away"):
        client.identify(WALK)
    waiting = make(hostile.address, timeout=60, wait=True)
    hostile.answer = Saying(2, grpc.StatusCode.UNAVAILABLE, "away")
    assert waiting.identify(WALK)[0].person == "ann"
    waiting.close()
    client.close()


def test_loading_for_ever_ends_at_the_deadline(hostile, make):
    client = make(hostile.address, timeout=1.0)
    hostile.answer = Saying(1 << 30, *LOADING)
    with pytest.raises((client_errors.UnavailableError, client_errors.DeadlineError)):
        client.identify(WALK)
    client.close()
    assert len(hostile.requests) > 1


@pytest.mark.parametrize(
    "code",
    [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INTERNAL]
    + [grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNKNOWN],
)
def test_what_else_a_server_says_is_final(client, hostile, code):
    hostile.answer = Saying(1, code, "no")
    with pytest.raises(ClientError, match="no"):
        client.identify(WALK)
    assert len(hostile.requests) == 1


def test_a_close_ends_the_wait_for_a_model(hostile):
    hostile.answer = Saying(1 << 30, *LOADING)
    client, caught = Client(hostile.address, timeout=600), []

    def ask():
        try:
            client.identify(WALK)
        except Exception as error:
            caught.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: len(hostile.requests) > 1)
    client.close()
    asking.join(20)
    assert [type(error) for error in caught] == [client_errors.ClosedError]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout": 0}, "timeout: expected a number of seconds above 0, received 0"),
        ({"timeout": float("nan")}, "timeout: expected"),
        ({"timeout": float("inf")}, "timeout: expected"),
        ({"max_answer_bytes": 0}, "max_answer_bytes: expected 1 to"),
        ({"max_answer_bytes": 1 << 31}, "max_answer_bytes: expected 1 to"),
    ],
)
def test_wrong_arguments_are_refused(options, words):
    for kind in (Client, AsyncClient):
        with pytest.raises(ValueError, match=words):
            kind("127.0.0.1:1", **options)
