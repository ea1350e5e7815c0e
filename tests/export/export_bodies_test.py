"""What shows no body, and requests of any size, in exported graphs: run by themselves, and over a socket."""

import functools
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from support import small_identifier
from support.bodies import walk, walks
from support.small_identifier import FRAMES as F, PERSONS

import agegait
from agegait.export import endpoints, save
from agegait.export.identifier_endpoints import identifier_endpoints
from agegait.export.signature_limits import SignatureLimits, read_limits
from agegait.layers import BodyCheck
from agegait.models import gait_identifier
from agegait.serving import Client, Server

J = 20
NONSENSE = {
    "zeros": (lambda walk: 0 * walk, "smaller"),
    "millimetres": (lambda walk: 1000 * walk, "larger"),
    "upside down": (lambda walk: walk * np.float32([1, -1, 1]), "y upwards"),
    "shuffled": (lambda walk: walk[:, ::-1], "limbs"),
    "noise": (lambda walk: np.random.default_rng(0).normal(size=walk.shape), "larger"),
}
NUMBERLESS = {
    "NaN": lambda walk: walk * np.nan,
    "a joint of NaN": lambda walk: np.where(np.eye(J)[7][:, None], np.nan, walk),
    "infinity": lambda walk: np.where(np.eye(J)[7][:, None], np.inf, walk),
    "the largest floats": lambda walk: np.where(np.eye(J)[7][:, None], 3e38, walk),
}


make_identifier = functools.partial(small_identifier.make_identifier, joints=J)


@pytest.fixture
def identifier(body_identifier):
    return body_identifier


@pytest.fixture(scope="module")
def exported(body_export):
    return body_export


@pytest.fixture(scope="module")
def loaded(exported):
    return {name: tf.saved_model.load(str(exported / name / "1")) for name in ("encoder", "recognizer", "identifier")}


@pytest.fixture(scope="module")
def client(exported):
    with Server(exported / "identifier", port=0) as server, Client(server.address, timeout=60) as client:
        yield client


def ask(loaded, model, signature, **inputs):
    tensors = {
        name: tf.constant(array, tf.int32 if name == "lengths" else tf.float32) for name, array in inputs.items()
    }
    return {name: tensor.numpy() for name, tensor in loaded[model].signatures[signature](**tensors).items()}


def assert_nobody(received, number):
    assert received["person"][number] == b""
    assert received["score"][number] == 0
    assert not received["probabilities"][number].any()
    assert not received["logits"][number].any()


def assert_same(received, expected):
    np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-5)


every_nonsense = pytest.mark.parametrize(
    ("change", "fault"), [*NONSENSE.values(), *((change, "finite") for change in NUMBERLESS.values())]
)


@pytest.fixture(scope="module")
def three(body_identifier):
    """Walks of three people, and what Keras makes of them."""
    people = walks(3, 20)
    return people, body_identifier(people)


@every_nonsense
def test_the_graph_itself_takes_nonsense_for_nobody_and_answers_the_others(three, loaded, change, fault):
    people, alone = three
    batch = np.stack([people[0], change(people[1]), people[2]])
    for signature, more in (("serving_default", {}), ("padded", {"lengths": [20, 20, 20]})):
        received = ask(loaded, "identifier", signature, skeletons=batch, **more)
        assert_nobody(received, 1)
        assert fault in received["fault"][1].decode()
        for number in (0, 2):
            assert_same(received["logits"][number], alone["logits"][number])
            assert_same(received["score"][number], np.max(alone["probabilities"][number]))
            assert received["person"][number].decode() == PERSONS[np.argmax(alone["logits"][number])]
            assert received["fault"][number] == b""


def test_bad_windows_have_no_say_and_good_ones_do(identifier, loaded):
    good = walk(6 * F)
    bad = good.copy()
    bad[F : 2 * F], bad[4 * F : 5 * F] = 0, np.nan
    received = ask(loaded, "identifier", "identify", skeletons=bad[None])
    kept = identifier(good[None])["window_logits"].numpy()[0, [0, 2, 3, 5]]
    assert_same(received["logits"][0], kept.mean(axis=0))
    assert received["fault"][0] == b""
    bad[2 * F : 4 * F] = 0
    assert_nobody(ask(loaded, "identifier", "identify", skeletons=bad[None]), 0)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 3e38])
def test_a_window_with_a_frame_without_numbers_has_no_say(identifier, loaded, wrong):
    good = walk(4 * F)
    bad = good.copy()
    bad[F + 1, 3] = wrong
    received = ask(loaded, "identifier", "identify", skeletons=bad[None])
    kept = identifier(good[None])["window_logits"].numpy()[0, [0, 2, 3]]
    assert_same(received["logits"][0], kept.mean(axis=0))
    assert received["fault"][0] == b""


def test_padding_is_neither_seen_nor_checked(identifier, loaded):
    batch = walks(3, 40)
    lengths = [40, F, 19]
    for row, length in zip(batch, lengths, strict=True):
        row[length:] = np.nan
    received = ask(loaded, "identifier", "padded", skeletons=batch, lengths=lengths)
    for number, length in enumerate(lengths):
        assert_same(received["logits"][number], identifier(batch[number : number + 1, :length])["logits"][0])
        assert received["fault"][number] == b""


@every_nonsense
def test_windows_without_a_body_are_marked(identifier, loaded, change, fault):
    good = walk(3 * F)
    frames = np.concatenate([good[:F], change(good[F : 2 * F]), good[2 * F :]])
    received = ask(loaded, "identifier", "windows", skeletons=frames[None])
    expected = identifier(good[None])["window_logits"].numpy()[0]
    expected[1] = 0
    assert_same(received["logits"][0], expected)
    assert [bool(one) for one in received["fault"][0]] == [False, True, False]
    assert fault in received["fault"][0, 1].decode()


@pytest.mark.parametrize("change", NUMBERLESS.values(), ids=NUMBERLESS)
def test_the_encoder_answers_with_nan_alone_where_there_are_no_numbers(loaded, change):
    good, bad = walk(F), change(walk(F))
    received = ask(loaded, "encoder", "encode", skeletons=np.stack([good, bad, 1000 * good]))
    for name in ("ages", "attention", "reconstruction"):
        assert np.isfinite(received[name][[0, 2]]).all()
        assert np.isnan(received[name][1]).all()
    assert all(
        words in fault.decode() for words, fault in zip(("", "finite", "larger"), received["fault"], strict=True)
    )
    assert received["fault"][0] == b""


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 3e38])
def test_the_recognizer_names_nobody_for_ages_that_are_no_numbers(loaded, wrong):
    ages = np.random.default_rng(0).normal(size=(3, F, 24))
    alone = ask(loaded, "recognizer", "recognize", ages=ages)
    ages[1] = wrong
    received = ask(loaded, "recognizer", "recognize", ages=ages)
    assert np.isfinite(received["probabilities"]).all()
    if not np.isfinite(wrong):
        assert_nobody(received, 1)
        assert b"finite" in received["fault"][1]
    for number in (0, 2):
        assert_same(received["logits"][number], alone["logits"][number])
        assert received["person"][number] == alone["person"][number]


def test_the_client_and_python_say_the_same_of_each_walk(identifier, client):
    people = [walk(20 + number, number) for number in range(len(NONSENSE) + 1)]
    probes = [change(one) for one, (change, _) in zip(people, NONSENSE.values(), strict=False)] + people[-1:]
    expected = identifier.identify(probes)
    for found in (client.identify(probes), [client.identify(probe)[0] for probe in probes]):
        for (person, score, fault), one in zip(expected, found, strict=True):
            assert (one.person, one.fault) == (person, fault)
            assert one.score == pytest.approx(score, abs=1e-5)
    for one, (_, fault) in zip(expected, NONSENSE.values(), strict=False):
        assert (one.person, one.score) == (None, 0.0)
        assert fault in one.fault
    assert expected[-1].person in PERSONS
    assert expected[-1].fault == ""


@pytest.mark.parametrize("every", [1, 5, 12])
def test_a_stream_says_what_identify_says_with_nonsense_in_between(client, every):
    frames = np.concatenate([walk(3 * F), 0 * walk(2 * F), walk(2 * F, 1), 1000 * walk(5 * F)])
    with client.stream(every) as stream:
        for count, frame in enumerate(frames, 1):
            found = stream.add(frame)
            if found is None or count < F:
                continue
            (expected,) = client.identify(frames[:count])
            assert (found.person, found.fault) == (expected.person, expected.fault)
            assert_same(found.logits, expected.logits)
            assert_same(found.probabilities, expected.probabilities)
        stream.identify()
    assert (stream.windows, stream.bodiless) == (5, 7)
    assert stream.found.person is None
    assert "larger" in stream.found.fault


def test_only_the_last_windows_say_whether_there_is_a_body(client):
    frames = np.concatenate([0 * walk(3 * F), walk(2 * F)])
    with client.stream(F, last=2 * F) as stream:
        persons = [found.person for frame in frames if (found := stream.add(frame))]
    assert persons[:3] == [None, None, None]
    assert persons[4] == client.identify(walk(2 * F))[0].person
    assert (stream.windows, stream.bodiless) == (2, 0)


@pytest.mark.usefixtures("eagerly")
def test_lengths_are_checked_in_metres_whatever_the_unit():
    identifier = make_identifier(unit="mm")
    assert identifier.identify(1000 * walk(12))[0].person in PERSONS
    assert "smaller" in identifier.identify(walk(12))[0].fault


@pytest.mark.usefixtures("eagerly")
def test_without_the_check_only_finite_numbers_are_asked_for():
    identifier = make_identifier(check_body=False)
    assert identifier.identify(0 * walk(12))[0].person in PERSONS
    again = agegait.GaitIdentifier.from_config(identifier.get_config())
    assert (again.check_body, make_identifier().check_body) == (False, True)
    nan = identifier(np.full((1, 12, J, 3), np.nan, np.float32))
    assert BodyCheck.FAULTS[int(nan["fault"][0])] == "expected finite coordinates"
    assert not nan["probabilities"].numpy().any()


def graph(served):
    """Makes an endpoint a graph, as an export does."""
    return lambda name: tf.function(served[name].function, autograph=False)


@pytest.mark.parametrize("stride", [*(pytest.param(stride, marks=pytest.mark.slow) for stride in (None, 1, 9)), 3])
def test_answers_are_the_same_in_pieces(stride, monkeypatch):
    identifier = make_identifier(stride)
    people = walks(5, 31)
    people[3, 7:25] = 0
    lengths = np.array([31, 6, 12, 30, 17], np.int32)
    expected = identifier(people), identifier(people, lengths=lengths)
    monkeypatch.setattr("agegait.export.identifier_endpoints.PIECE", 3)
    identify, padded, windows = map(graph(identifier_endpoints(identifier)), ("identify", "padded", "windows"))
    tensors = tf.constant(people), tf.constant(lengths)
    assert_same(identify(tensors[0])["logits"], expected[0]["logits"])
    assert_same(padded(*tensors)["probabilities"], expected[1]["probabilities"])
    received = windows(tensors[0])
    assert_same(received["logits"], expected[0]["window_logits"])
    assert (received["fault"].numpy() != b"").tolist() == (expected[0]["window_fault"].numpy() > 0).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("stride", [2, None])
def test_an_embedder_answers_too_part_by_part(stride, monkeypatch):
    identifier = make_identifier(stride, embedding=True)
    people = walks(3, 45)
    people[1, 7:25] = 0
    lengths = np.array([45, 38, F], np.int32)
    expected = identifier(people), identifier(people, lengths=lengths)
    served = identifier_endpoints(identifier)
    for name, inputs, one in (
        ("identify", (people,), expected[0]),
        ("padded", (people, lengths), expected[1]),
    ):
        received = served[name].function(*map(tf.constant, inputs))
        assert_same(received["logits"], one["logits"])
        assert_same(received["probabilities"], one["probabilities"])
    assert_same(served["windows"].function(tf.constant(people))["logits"], expected[0]["window_logits"])
    for length in (0, F - 1):
        short = tf.function(served["windows"].function, served["windows"].inputs, autograph=False)(people[:, :length])
        assert short["logits"].shape == (3, 0, len(PERSONS))
    assert endpoints.PIECE == gait_identifier.WINDOWS_AT_ONCE  # the parts that the embedder sees of a long walk
    monkeypatch.setattr("agegait.export.identifier_endpoints.PIECE", 3)
    monkeypatch.setattr(gait_identifier, "WINDOWS_AT_ONCE", 3)
    received = graph(served)("identify")(tf.constant(people))
    found = identifier.identify(list(people))
    assert [one.person for one in found] == [name.decode() for name in received["person"].numpy()]
    assert_same(received["score"], [one.score for one in found])
    assert not np.allclose(received["logits"], expected[0]["logits"], atol=1e-3)


@pytest.mark.slow
def test_memory_of_an_embedder_counts():
    limits = [identifier_endpoints(make_identifier(embedding=one))["identify"].limits for one in (False, True)]
    assert limits[1].window_bytes > limits[0].window_bytes > 0


def test_encodings_are_the_same_in_pieces(identifier, monkeypatch):
    windows = walks(5, F)
    encoded = identifier.encoder(identifier.normalization(windows))
    recognized = identifier.recognizer(encoded["ages"])
    monkeypatch.setattr(endpoints, "PIECE", 3)
    encode = graph(endpoints.encoder_endpoints(identifier))("encode")(tf.constant(windows))
    for name in ("ages", "attention", "reconstruction"):
        assert_same(encode[name], encoded[name])
    recognize = graph(endpoints.recognizer_endpoints(identifier))("recognize")
    assert_same(recognize(tf.constant(encoded["ages"]))["logits"], recognized)


@pytest.mark.parametrize(("batch", "length"), [(0, 20), (2, 0), (2, F - 1), (0, 0)])
def test_nothing_is_answered_with_nothing(loaded, batch, length):
    nothing = np.zeros((batch, length, J, 3), np.float32)
    received = ask(loaded, "identifier", "windows", skeletons=nothing)
    assert received["logits"].shape == (batch, max(0, length // F), len(PERSONS))
    assert received["fault"].shape == received["logits"].shape[:2]
    assert ask(loaded, "encoder", "encode", skeletons=np.zeros((0, F, J, 3)))["ages"].shape == (0, F, 24)
    assert ask(loaded, "recognizer", "recognize", ages=np.zeros((0, F, 24)))["person"].shape == (0,)


def test_long_walks_are_identified_in_parts(identifier, monkeypatch):
    people = [walk(length, number) for number, length in enumerate((100, 31, 6, 100))]
    expected = identifier.identify(people)
    monkeypatch.setattr("agegait.models.gait_identifier.WINDOWS_AT_ONCE", 4)
    for found, one in zip(identifier.identify(people), expected, strict=True):
        assert found.person == one.person
        assert found.score == pytest.approx(one.score, abs=1e-5)


def test_limits_say_what_a_request_takes(exported):
    limits = read_limits(exported / "identifier/1")
    assert limits["identify"] == limits["serving_default"] == limits["padded"]
    assert limits["identify"].min_frames == limits["identify"].frames == limits["identify"].stride == F
    assert limits["windows"].min_frames == 0
    for each in (*limits.values(), *read_limits(exported / "encoder/1").values()):
        assert each.piece == 1024
        assert 10_000 < each.window_bytes < 1_000_000
    recognize = read_limits(exported / "recognizer/1")["recognize"]
    assert recognize.frames == 0
    assert recognize.window_bytes > 0
    assert read_limits(exported / "missing") == {}
    assert SignatureLimits() == SignatureLimits(0, 0, 0, 0, 0, 0, 0)


def test_answers_are_no_larger_than_the_limits_say(loaded, exported):
    def size(received):
        return sum(
            sum(len(text) + 2 for text in array.ravel()) if array.dtype == object else array.nbytes
            for array in received.values()
        )

    people = np.stack([0 * walk(60), walk(60)])
    for model, signature, inputs in (
        ("identifier", "identify", people),
        ("identifier", "windows", people),
        ("encoder", "encode", people[:, :F]),
    ):
        each = read_limits(exported / model / "1")[signature]
        windows = 2 * (inputs.shape[1] // F)
        most = 2 * each.answer_row_bytes + windows * each.answer_window_bytes
        assert size(ask(loaded, model, signature, skeletons=inputs)) <= most


GROWTH = """
import resource, sys
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
walk = np.load(sys.argv[2])
def answer(frames):
    many = tf.constant(np.resize(walk, (1, frames, 20, 3)))
    model.signatures[sys.argv[3]](skeletons=many)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = answer(1100)
print("grown", answer(69_905) - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("signature", ["identify", "windows"])
def test_memory_does_not_grow_with_a_request(tmp_path, signature):
    save(make_identifier(stride=1), tmp_path)
    np.save(tmp_path / "walk.npy", walk(100))
    finished = subprocess.run(
        [sys.executable, "-c", GROWTH, str(tmp_path / "identifier/1"), str(tmp_path / "walk.npy"), signature],
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    grown = 1024 * int(finished.stdout.split("grown")[1])
    assert grown < 150 << 20  # a gigabyte, all windows at once; the walk itself is 17 MB
