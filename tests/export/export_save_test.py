import hashlib
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from support.small_identifier import FRAMES, JOINTS, PERSONS, UNITS, make_identifier
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.config import model_server_config_pb2

import agegait
from agegait.export import save, saved_models
from agegait.export.endpoints import encoder_endpoints
from agegait.export.identifier_endpoints import identifier_endpoints
from agegait.export.warmup import read_warmup
from agegait.models import GaitIdentifier
from agegait.serving import Server
from agegait.serving.server.version_files import VersionFiles


def noise(*shape):
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


@pytest.fixture
def identifier(small_identifier):
    return small_identifier


@pytest.fixture(scope="module")
def exported(small_export):
    return small_export


@pytest.fixture(scope="module")
def loaded(exported):
    return {name: tf.saved_model.load(str(exported / name / "1")) for name in ("encoder", "recognizer", "identifier")}


@pytest.fixture
def no_writing(monkeypatch):
    """Exports that take no time: for what is decided before or after the writing."""

    def write(folder, *_):
        folder.mkdir()
        (folder / "saved_model.pb").write_bytes(b"")

    monkeypatch.setattr(saved_models, "_write", write)
    monkeypatch.setattr(
        saved_models.Exportable, "endpoints", lambda exportable: {name: {} for name in exportable.names}
    )


@pytest.mark.parametrize("batch", [1, 3])
def test_encoder_takes_raw_windows_and_gives_what_keras_gives(identifier, loaded, batch):
    windows = noise(batch, FRAMES, JOINTS, 3) + 2.0
    expected = identifier.encoder(identifier.normalization(windows))
    for signature in ("serving_default", "encode"):
        received = loaded["encoder"].signatures[signature](skeletons=tf.constant(windows))
        assert set(received) == {"ages", "attention", "reconstruction", "fault"}
        assert received.pop("fault").numpy().tolist() == [b""] * batch
        for name, tensor in received.items():
            np.testing.assert_allclose(tensor, expected[name], rtol=1e-5, atol=1e-5)


def test_recognizer_names_people(identifier, loaded):
    ages = noise(3, FRAMES, 3 * UNITS)
    received = loaded["recognizer"].signatures["recognize"](ages=tf.constant(ages))
    logits = identifier.recognizer(ages)
    np.testing.assert_allclose(received["logits"], logits, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(received["probabilities"], tf.nn.softmax(logits), rtol=1e-5, atol=1e-5)
    assert [name.decode() for name in received["person"].numpy()] == [PERSONS[i] for i in np.argmax(logits, axis=1)]


@pytest.mark.parametrize(("batch", "length"), [(1, FRAMES), (2, 11), (5, 23)])
def test_identifier_takes_any_batch_and_length(identifier, loaded, batch, length):
    walks = noise(batch, length, JOINTS, 3)
    expected = identifier(walks)
    received = loaded["identifier"].signatures["serving_default"](skeletons=tf.constant(walks))
    assert set(received) == {"logits", "probabilities", "person", "score", "fault"}
    np.testing.assert_allclose(received["logits"], expected["logits"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(received["score"], np.max(expected["probabilities"], axis=1), rtol=1e-5, atol=1e-5)


def test_padded_walks_are_named_as_if_alone(identifier, loaded):
    walks, lengths = noise(3, 17, JOINTS, 3), np.array([17, FRAMES, 10], np.int32)
    received = loaded["identifier"].signatures["padded"](skeletons=tf.constant(walks), lengths=tf.constant(lengths))
    alone = [identifier(walk[None, :length])["logits"][0] for walk, length in zip(walks, lengths, strict=True)]
    np.testing.assert_allclose(received["logits"], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("length", [0, 1, FRAMES - 1, FRAMES, 2 * FRAMES - 1, 23])
def test_windows_of_a_walk_that_goes_on(identifier, loaded, length):
    walks = noise(2, length, JOINTS, 3)
    received = loaded["identifier"].signatures["windows"](skeletons=tf.constant(walks))
    alone = [identifier(walks[:, end - FRAMES : end])["logits"] for end in range(FRAMES, length + 1, FRAMES)]
    expected = np.stack(alone, axis=1) if alone else np.zeros((2, 0, len(PERSONS)))
    np.testing.assert_allclose(received["logits"], expected, rtol=1e-5, atol=1e-5)
    assert received["frames"].numpy().tolist() == received["stride"].numpy().tolist() == [FRAMES] * 2
    assert [[name.decode() for name in row] for row in received["persons"].numpy()] == [PERSONS] * 2


@pytest.mark.parametrize(
    ("signature", "inputs", "words"),
    [
        ("serving_default", {"skeletons": noise(1, FRAMES - 1, JOINTS, 3)}, "at least 4 frames"),
        ("padded", {"skeletons": noise(1, 9, JOINTS, 3), "lengths": np.array([10], np.int32)}, "lengths: expected"),
        ("padded", {"skeletons": noise(1, 9, JOINTS, 3), "lengths": np.array([3], np.int32)}, "lengths: expected"),
    ],
)
def test_graph_itself_refuses_walks_that_are_too_short(loaded, signature, inputs, words):
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        loaded["identifier"].signatures[signature](**{name: tf.constant(array) for name, array in inputs.items()})


def test_signatures_are_named_and_open(exported):
    saved = saved_model_pb2.SavedModel.FromString((exported / "identifier/1/saved_model.pb").read_bytes())
    signature = saved.meta_graphs[0].signature_def["padded"]
    assert set(signature.inputs) == {"skeletons", "lengths"}
    assert [dim.size for dim in signature.inputs["skeletons"].tensor_shape.dim] == [-1, -1, JOINTS, 3]
    assert signature.inputs["lengths"].dtype == tf.int32.as_datatype_enum
    assert signature.outputs["person"].dtype == tf.string.as_datatype_enum


def test_models_config_is_tensorflow_servings(exported):
    config = text_format.Parse(
        (exported / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    ).model_config_list.config
    assert [(model.name, model.base_path, model.model_platform) for model in config] == [
        (name, f"/models/{name}", "tensorflow") for name in ("encoder", "recognizer", "identifier")
    ]


def test_manifest_says_what_was_written(exported):
    manifest = json.loads((exported / "manifest.json").read_text())
    assert manifest["persons"] == PERSONS
    assert (manifest["frames"], manifest["joints"], manifest["units"]) == (FRAMES, JOINTS, UNITS)
    assert manifest["unit_of_length"] == "m"
    for name, model in manifest["models"].items():
        folder = exported / name / str(model["version"])
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert set(model["sha256"]) == files
        for file, digest in model["sha256"].items():
            assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest


def test_each_version_has_its_own_manifest(exported):
    for name in ("encoder", "recognizer", "identifier"):
        assert VersionFiles(exported / name / "1").verify()


@pytest.mark.slow
def test_the_encoder_is_traced_once_for_all_signatures(tmp_path, monkeypatch):
    recognize, traced = GaitIdentifier.recognize_windows, []

    def counting(self, windows, *parts):
        if not tf.executing_eagerly():
            traced.append(windows.shape)
        return recognize(self, windows, *parts)

    monkeypatch.setattr(GaitIdentifier, "recognize_windows", counting)
    saved_models._write(tmp_path / "1", "identifier", identifier_endpoints(make_identifier()))
    assert len(traced) == 1


@pytest.mark.slow
def test_a_folder_with_brackets_is_exported_to_and_served_from(identifier, tmp_path):
    folder = tmp_path / "[x]"
    (folder / "encoder").mkdir(parents=True)
    saved_models._write(folder / "encoder/1", "encoder", encoder_endpoints(identifier))
    with Server(folder, port=0) as server:
        assert server.ready


def test_limits_say_what_signatures_cannot(exported):
    limits = json.loads((exported / "identifier/1/assets.extra/agegait.json").read_text())
    least = {"serving_default": FRAMES, "identify": FRAMES, "padded": FRAMES, "windows": 0, "resampled": FRAMES}
    assert limits["min_frames"] == least


@pytest.mark.parametrize("model", ["encoder", "recognizer", pytest.param("identifier", marks=pytest.mark.slow)])
def test_a_session_runs_it_by_its_tensors_names_as_tensorflow_serving_does(exported, loaded, model):
    requests = list(read_warmup(exported / model / "1"))
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], str(exported / model / "1"))
        answers = []
        for request in requests:
            signature = graph.signature_def[request.model_spec.signature_name]
            assert signature.method_name == "tensorflow/serving/predict"
            feeds = {signature.inputs[name].name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
            answers.append(session.run({name: info.name for name, info in signature.outputs.items()}, feeds))
    for request, answer in zip(requests, answers, strict=True):
        inputs = {name: tf.constant(tf.make_ndarray(proto)) for name, proto in request.inputs.items()}
        expected = loaded[model].signatures[request.model_spec.signature_name](**inputs)
        assert set(answer) == set(expected)
        for name, array in answer.items():
            if array.dtype == object:
                assert array.tolist() == expected[name].numpy().tolist()
            else:
                np.testing.assert_allclose(array, expected[name], rtol=1e-5, atol=1e-5)


def test_others_may_read_what_was_written(exported):
    everybody = (exported / "manifest.json").stat().st_mode & 0o044  # as much as the umask lets them
    for path in exported.rglob("*"):
        assert path.stat().st_mode & 0o044 == everybody, path


def test_warmup_has_each_signature(exported):
    requests = list(read_warmup(exported / "identifier/1"))
    names = {request.model_spec.signature_name for request in requests}
    assert names == {"serving_default", "identify", "padded", "windows", "resampled"}
    assert {request.model_spec.name for request in requests} == {"identifier"}


def test_nothing_is_left_aside(exported):
    assert {path.name for path in exported.iterdir()} == {
        "encoder",
        "recognizer",
        "identifier",
        "models.config",
        "manifest.json",
    }


@pytest.mark.usefixtures("no_writing")
def test_versions_count_on(identifier, tmp_path):
    assert save(identifier, tmp_path)["encoder"] == tmp_path / "encoder" / "1"
    assert save(identifier, tmp_path)["encoder"] == tmp_path / "encoder" / "2"
    assert save(identifier, tmp_path, version=7)["identifier"] == tmp_path / "identifier" / "7"
    assert save(identifier, tmp_path)["recognizer"] == tmp_path / "recognizer" / "8"
    with pytest.raises(ValueError, match=r"version: 7 is in .* already"):
        save(identifier, tmp_path, version=7)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"version": 0}, "version: expected a number of at least 1, received 0"),
        ({"version": "new"}, "version: expected a number of at least 1, received 'new'"),
        ({"base_path": "models"}, "base_path: expected an absolute path, received 'models'"),
    ],
)
@pytest.mark.usefixtures("no_writing")
def test_wrong_arguments_are_refused(identifier, tmp_path, arguments, words):
    with pytest.raises(ValueError, match=words):
        save(identifier, tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_what_is_no_identifier_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match="models: expected a GaitIdentifier, a GaitEmbedder or a run folder, received Dense"
    ):
        save(keras.layers.Dense(1), tmp_path)


def test_other_backends_are_refused(identifier, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="expected Keras on TensorFlow, received the backend 'jax'"):
        save(identifier, tmp_path)


@pytest.mark.slow
def test_a_full_disk_leaves_nothing(identifier, tmp_path, monkeypatch):
    def write_warmup(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saved_models, "write_warmup", write_warmup)
    with pytest.raises(OSError, match="No space left"):
        save(identifier, tmp_path / "deep" / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_writing")
def test_a_place_that_is_taken_halfway_leaves_nothing(identifier, tmp_path):
    (tmp_path / "identifier").write_text("in the way")
    with pytest.raises(OSError, match="identifier"):
        save(identifier, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["identifier"]


def test_an_export_that_differs_is_refused(identifier, tmp_path, monkeypatch):
    load = tf.saved_model.load

    def load_another(folder):
        model = load(folder)
        for variable in model.signatures["serving_default"].variables:
            variable.assign_add(tf.fill(variable.shape, 1e-3))
        return model

    monkeypatch.setattr(tf.saved_model, "load", load_another)
    monkeypatch.setattr(
        saved_models.Exportable, "endpoints", lambda exportable: {"encoder": encoder_endpoints(exportable.identifier)}
    )
    with pytest.raises(RuntimeError, match=r"encoder: \w+ of serving_default differs from Keras after a reload"):
        save(identifier, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("logits", "received", "differing"),
    [
        ([0.0, 0.0], [0.0, 3e-4], None),
        ([0.0, 0.0], [0.0, 1e-3], "logits"),
        ([1000.0, 1000.0], [1000.0, 1000.3], None),  # probabilities seven hundredths apart
        ([1000.0, 1000.0], [1000.0, 1001.0], "logits"),
        ([1000.0, 1000.0], [1000.3, 1000.0], "person"),
    ],
)
def test_an_answer_is_compared_by_its_largest_value(logits, received, differing):
    def answer(logits):
        person = tf.constant(PERSONS[-1] if logits[1] >= logits[0] else PERSONS[0])
        return {"logits": tf.constant(logits), "probabilities": tf.nn.softmax(logits), "person": person}

    assert saved_models._differing(answer(logits), answer(received)) == differing


def test_cudnn_ops_are_refused(tmp_path):
    saved = saved_model_pb2.SavedModel()
    saved.meta_graphs.add().graph_def.library.function.add().node_def.add(op="CudnnRNNV3")
    (tmp_path / "saved_model.pb").write_bytes(saved.SerializeToString())
    with pytest.raises(RuntimeError, match="the graph holds CudnnRNNV3"):
        saved_models._refuse_cudnn(tmp_path)


@pytest.mark.usefixtures("no_writing")
def test_a_runs_folder_will_do(identifier, tmp_path, monkeypatch):
    record = {"settings": {"seed": 7}, "data": {"name": "kgbd", "licence": "CC BY 4.0"}}

    class Run:
        def __init__(self, folder):
            assert folder == "run"
            self.identifier, self.embedder, self.calibration = identifier, None, None

        def manifest(self):
            return record

    monkeypatch.setattr(agegait.training, "load_run", Run)
    save("run", tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["run"] == record
    assert manifest["data_licence"] == "CC BY 4.0"


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"run\.json"):
        save(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
