"""Models for devices: each file in its own runtime, compared with Keras."""

import dataclasses
import importlib.util
import json
import stat
import zipfile

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter
from support.small_identifier import FRAMES, PERSONS, make_identifier

import agegait
from agegait.cli import main
from agegait.export import edge, save_for_edge
from agegait.export.edge_graph import EdgeGraph
from agegait.layers import BodyCheck
from agegait.skeletons import JOINTS, STANDING

EVERY = [(format, quantize) for format in ("onnx", "litert") for quantize in (None, "float16", "int8")]


def walks(count, frames, seed=0):
    random = np.random.default_rng(seed)
    return (STANDING + random.normal(0, 0.01, (count, frames, 20, 3))).astype("float32")


def lengths(*frames):
    return np.array(frames, np.int32)


@pytest.fixture(scope="module")
def embedder():
    keras.utils.set_random_seed(0)
    embedder = agegait.GaitEmbedder(embedding_size=6, units=8, dilations=(1, 2), segment=16, frame_rate=25)
    embedder.adapt(walks(4, 40))
    embedder.run_eagerly = True  # what it gives is looked at; its graphs are for others
    return embedder


@pytest.fixture(scope="module")
def onnx_file(embedder, tmp_path_factory):
    return save_for_edge(embedder, tmp_path_factory.mktemp("onnx") / "device", "onnx")["embedder"]


@pytest.fixture(scope="module")
def litert_file(embedder, tmp_path_factory):
    return save_for_edge(embedder, tmp_path_factory.mktemp("litert") / "[device]*", "litert")["embedder"]


@pytest.fixture(params=["onnx", "litert"])
def run(request):
    """A file as somebody runs it who has not this package."""
    if request.param == "onnx":
        session = onnxruntime.InferenceSession(request.getfixturevalue("onnx_file"))
        names = [output.name for output in session.get_outputs()]
        return lambda **inputs: dict(zip(names, session.run(None, inputs), strict=True))
    return Interpreter(str(request.getfixturevalue("litert_file"))).get_signature_runner()


@pytest.mark.parametrize("frames", [1, 9, 16, 17, 200])
def test_a_file_gives_what_keras_gives(embedder, run, frames):
    probes = walks(2, frames, seed=1)
    found = run(skeletons=probes, lengths=lengths(frames, frames))
    assert found["fault"].tolist() == [0, 0]
    np.testing.assert_allclose(found["embeddings"], embedder.embed(probes), atol=1e-5)


def test_padded_walks_are_embedded_as_if_alone(embedder, run):
    probes = walks(3, 60, seed=2)
    probes[1, 33:], probes[2, 7:] = np.nan, np.inf
    found = run(skeletons=probes, lengths=lengths(60, 33, 7))
    expected = embedder.embed([probes[0], probes[1, :33], probes[2, :7]])
    np.testing.assert_allclose(found["embeddings"], expected, atol=1e-5)


def test_what_shows_no_body_or_has_no_frame_has_no_embedding(embedder, run):
    probes = walks(4, 40, seed=3)
    probes[0], probes[1] = 0, np.nan
    found = run(skeletons=probes, lengths=lengths(40, 40, 40, 0))
    assert found["fault"].tolist() == [2, BodyCheck.NOT_FINITE, 0, len(BodyCheck.FAULTS)]
    assert not found["embeddings"][[0, 1, 3]].any()
    np.testing.assert_allclose(found["embeddings"][2], embedder.embed(probes[2])[0], atol=1e-5)


def test_metadata_lie_in_the_file(embedder, onnx_file, litert_file):
    expected = {
        "model": "embedder",
        "joints": list(JOINTS),
        "unit": "m",
        "least_frames": 1,
        "frame_rate": 25,
        "faults": [*BodyCheck.FAULTS, "expected at least 1 frame"],
        "fingerprint": embedder.fingerprint(),
        "embedding_size": 6,
    }
    properties = onnxruntime.InferenceSession(onnx_file).get_modelmeta().custom_metadata_map
    assert json.loads(properties["agegait"]) == expected
    with zipfile.ZipFile(litert_file) as archive:
        assert json.loads(archive.read("agegait.json")) == expected


def test_a_file_says_which_sizes_are_free(onnx_file):
    inputs = {
        value.name: [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in onnx.load(onnx_file).graph.input
    }
    assert inputs == {"skeletons": ["batch", "frames", 20, 3], "lengths": ["batch"]}


def test_only_the_owner_reads_a_file_and_nothing_lies_beside_it(onnx_file, litert_file):
    for file in (onnx_file, litert_file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [path.name for path in file.parent.iterdir()] == [file.name]


class Wrong:
    """A format whose file says something else than Keras."""

    SUFFIX, PACKAGES, EXTRA = ".wrong", (), "wrong"
    most = 1e-4
    metadata = None

    def __init__(self, path, threads=1):
        self.metadata = Wrong.metadata

    def __call__(self, skeletons, lengths):
        found = {name: tensor.numpy() for name, tensor in Wrong.graph.function(skeletons, lengths).items()}
        found["embeddings"][-1, 0] += 1.1 * Wrong.most
        return found

    @classmethod
    def write(cls, graph, path, metadata):
        path.write_text("something else")
        Wrong.graph, Wrong.metadata = graph, metadata


def test_a_file_that_does_not_agree_is_not_written(embedder, tmp_path, monkeypatch):
    monkeypatch.setitem(edge.FORMATS, "wrong", Wrong)
    (tmp_path / "embedder.wrong").write_text("of before")
    with pytest.raises(
        RuntimeError, match=r"embedder.wrong: embeddings differs from Keras by 0.00011 where at most 0.0"
    ):
        save_for_edge(embedder, tmp_path, "wrong")
    assert [path.name for path in tmp_path.iterdir()] == ["embedder.wrong"]
    assert (tmp_path / "embedder.wrong").read_text() == "of before"
    monkeypatch.setattr(Wrong, "most", 5e-5)
    assert save_for_edge(embedder, tmp_path, "wrong") == {"embedder": tmp_path / "embedder.wrong"}
    assert (tmp_path / "embedder.wrong").read_text() == "something else"


@pytest.mark.parametrize(
    ("format", "package", "words"),
    [
        ("onnx", "tf2onnx", 'format: expected the packages of onnx, found no tf2onnx: pip install "agegait[onnx]".'),
        (
            "litert",
            "ai_edge_litert",
            'format: expected the packages of litert, found no ai_edge_litert: pip install "agegait[litert]".',
        ),
    ],
)
def test_a_missing_extra_is_named(embedder, tmp_path, monkeypatch, format, package, words):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the words are compared)
        save_for_edge(embedder, tmp_path / "out", format)
    assert str(caught.value) == words
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"format": "tflite"}, "format: expected one of litert, onnx, received 'tflite'"),
        ({"quantize": "int4"}, "quantize: expected one of None, float16, int8, received 'int4'"),
    ],
)
def test_what_is_not_known_is_refused(embedder, tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        save_for_edge(embedder, tmp_path, **options)


def test_the_command_refuses_savedmodels_in_fewer_bits(capsys):
    assert main(["export", "x", "--out", "y", "--quantize", "int8"]) == 1
    assert "--quantize: expected --format litert or onnx with it, received int8 alone." in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("format", "quantize", "embedding"),
    [
        *((format, None, embedding) for format in edge.FORMATS for embedding in (False, True)),
        ("onnx", "int8", False),
        ("litert", "float16", False),
    ],
)
def test_an_identifier_gives_what_keras_gives(tmp_path, format, quantize, embedding):
    identifier = make_identifier(joints=len(JOINTS), unit="mm", stride=2, embedding=embedding)
    (file,) = save_for_edge(identifier, tmp_path, format, quantize).values()
    assert file.name == f"identifier{f'_{quantize}' if quantize else ''}{edge.FORMATS[format].SUFFIX}"
    written = edge.FORMATS[format](file)
    assert (written.metadata.persons, written.metadata.unit) == (PERSONS, "mm")
    assert written.metadata.faults[-1] == f"expected at least {FRAMES} frames"
    probes = 1000 * walks(4, 30, seed=4)
    probes[1, 11:], probes[3, 5, 4] = np.nan, np.nan
    found = written(probes, lengths(30, 11, FRAMES - 1, 30))
    assert found["fault"].tolist() == [0, 0, len(BodyCheck.FAULTS), 0]
    expected = np.concatenate([identifier(probes[:1])["probabilities"], identifier(probes[1:2, :11])["probabilities"]])
    np.testing.assert_allclose(found["probabilities"][:2], expected, atol=1e-2 if quantize else 1e-5)
    assert not found["probabilities"][2].any()
    assert np.isfinite(found["probabilities"]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("format", "quantize"), [one for one in EVERY if one[1]])
def test_an_embedder_in_fewer_bits_is_smaller_and_gives_nearly_the_same(tmp_path, format, quantize):
    embedder = agegait.GaitEmbedder.from_preset("walkers")
    (file,) = save_for_edge(embedder, tmp_path, format, quantize).values()
    written = edge.FORMATS[format](file)
    assert written.metadata.quantization == quantize
    assert file.stat().st_size < {"float16": 1.25e6, "int8": 0.75e6}[quantize]
    probes = walks(2, 90, seed=5)
    cosines = np.sum(written(probes, lengths(90, 90))["embeddings"] * embedder.embed(probes), axis=1)
    assert (cosines > {"float16": 0.99999, "int8": 0.995}[quantize]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("format", "joints"), [("onnx", 20), ("litert", 7)])
def test_an_embedder_of_ages_and_of_other_joints(tmp_path, format, joints):
    random = np.random.default_rng(0)
    probes = walks(4, 40) if joints == 20 else random.normal(size=(4, 40, joints, 3)).astype("float32")
    embedder = agegait.GaitEmbedder(
        6, ("coordinates", "ages"), 8, segment=16, hips=(1, 2), encoder=agegait.GaitEncoder(joints=joints, units=4)
    )
    embedder.adapt(probes)
    written = edge.FORMATS[format](save_for_edge(embedder, tmp_path, format)["embedder"])
    np.testing.assert_allclose(written(probes, lengths(*[40] * 4))["embeddings"], embedder.embed(probes), atol=1e-4)


def test_samples_are_of_several_lengths_and_shapes(embedder):
    samples = EdgeGraph.of_embedder(embedder).samples()
    assert [skeletons.shape[:2] for skeletons, _ in samples] == [(1, n) for n in (1, 2, 17, 64, 65, 151)] + [(4, 81)]
    graph = dataclasses.replace(EdgeGraph.of_embedder(embedder), metres=0.001)
    assert np.ptp(graph.samples()[0][0]) > 1000
    faults = [graph.function(*sample)["fault"].numpy().tolist() for sample in samples]
    assert faults == [[0]] * 6 + [[0, 0, 0, BodyCheck.NOT_FINITE]]
