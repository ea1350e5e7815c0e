"""An embedder as a SavedModel: what the graph answers, alone, beside an identifier, and over a real socket."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

import agegait
from agegait.data import Walk
from agegait.export import ExportedEmbedder, embedder_endpoints as endpoints, save
from agegait.export.exportable import Exportable
from agegait.gallery import Calibration
from agegait.layers import BodyCheck
from agegait.serving import Client, Server
from agegait.skeletons import STANDING


def walks(count, frames, seed=0):
    random = np.random.default_rng(seed)
    return (STANDING + random.normal(0, 0.01, (count, frames, 20, 3))).astype("float32")


@pytest.fixture(scope="module")
def embedder():
    keras.utils.set_random_seed(0)
    embedder = agegait.GaitEmbedder(embedding_size=6, units=8, dilations=(1, 2), segment=16)
    embedder.adapt(walks(4, 40))
    embedder.run_eagerly = True  # what it gives is looked at; its graphs are for others
    return embedder


@pytest.fixture(scope="module")
def calibration(embedder):
    persons = np.repeat(np.arange(12), 2)
    return Calibration.of_embeddings(np.random.default_rng(0).normal(size=(24, 6)), persons, embedder.fingerprint())


@pytest.fixture(scope="module")
def exported(embedder, calibration, tmp_path_factory):
    """The export of the embedder's file, beside which there is a calibration."""
    saved, folder = tmp_path_factory.mktemp("saved"), tmp_path_factory.mktemp("embedder")
    embedder.save(saved / "embedder.keras")
    calibration.save(saved / "embedder.calibration.json")
    save(saved / "embedder.keras", folder)
    return folder


@pytest.fixture(scope="module")
def loaded(exported):
    return tf.saved_model.load(str(exported / "embedder" / "1"))


@pytest.fixture(scope="module")
def graph(exported):
    return ExportedEmbedder(exported)


@pytest.fixture(scope="module")
def client(exported):
    with Server(exported, port=0) as server, Client(server.address, timeout=60) as client:
        yield client


def ask(loaded, signature, skeletons, **more):
    found = loaded.signatures[signature](skeletons=tf.constant(skeletons), **more)
    return found["embeddings"].numpy(), [fault.decode() for fault in found["fault"].numpy()]


@pytest.mark.parametrize("frames", [1, 15, 16, 17, 100])
@pytest.mark.parametrize("signature", ["serving_default", "embed"])
def test_the_graph_gives_what_keras_gives(embedder, loaded, signature, frames):
    found, faults = ask(loaded, signature, walks(3, frames, seed=1))
    assert faults == [""] * 3
    np.testing.assert_allclose(found, embedder.embed(walks(3, frames, seed=1)), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_walks_of_other_rates_are_resampled(embedder, client, loaded):
    skeletons, rates = walks(3, 60, seed=2), [15, 30, 60]
    found, faults = ask(loaded, "resampled", skeletons, lengths=tf.constant([60] * 3), frame_rate=np.float32(rates))
    assert faults == [""] * 3
    np.testing.assert_allclose(found, embedder.embed(skeletons, rates), atol=1e-5)
    received = client.embed(skeletons, frame_rate=rates)
    np.testing.assert_allclose([one.vector for one in received], found, atol=1e-5)


def test_padded_walks_are_embedded_as_if_alone(embedder, loaded):
    skeletons, lengths = walks(3, 60, seed=2), [60, 33, 7]
    expected = [embedder.embed(walk[:length])[0] for walk, length in zip(skeletons, lengths, strict=True)]
    for row, length in enumerate(lengths):
        skeletons[row, length:] = np.nan
    found, faults = ask(loaded, "padded", skeletons, lengths=tf.constant(lengths))
    assert faults == [""] * 3
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda walk: 0 * walk, BodyCheck.FAULTS[2]),
        (lambda walk: 1000 * walk, BodyCheck.FAULTS[3]),
        (lambda walk: walk * [1, -1, 1], BodyCheck.FAULTS[5]),
        (lambda walk: walk + np.inf, BodyCheck.FAULTS[1]),
    ],
)
def test_what_shows_no_body_has_no_embedding(embedder, loaded, change, fault):
    skeletons = walks(2, 40, seed=3)
    skeletons[0] = change(skeletons[0])
    found, faults = ask(loaded, "embed", skeletons)
    assert faults == [fault, ""]
    np.testing.assert_array_equal(found[0], 0)
    np.testing.assert_allclose(found[1], embedder.embed(skeletons[1])[0], atol=1e-5)


def test_frames_that_are_not_finite_have_no_part(embedder, loaded):
    skeletons = walks(1, 40, seed=4)
    skeletons[0, 30:] = np.nan
    found, faults = ask(loaded, "embed", skeletons)
    assert faults == [""]
    np.testing.assert_allclose(found, embedder.embed(skeletons[0, :30]), atol=1e-5)


@pytest.mark.slow
def test_many_walks_are_embedded_in_pieces(embedder, tmp_path, monkeypatch):
    monkeypatch.setattr(endpoints, "MOST_FRAMES", 64)
    endpoint = endpoints.embedder_endpoints(embedder)["embed"]
    skeletons = walks(7, 30, seed=5)
    found = tf.function(endpoint.function, input_signature=endpoint.inputs)(skeletons=skeletons)
    np.testing.assert_allclose(found["embeddings"], embedder.embed(skeletons), atol=1e-5)


@pytest.mark.parametrize(
    ("signature", "frames", "more", "words"),
    [
        ("embed", 0, {}, "expected at least 1 frame"),
        ("embed", endpoints.MOST_FRAMES + 1, {}, "skeletons: expected at most 8192 frames"),
        ("padded", 5, {"lengths": tf.constant([6])}, "lengths: expected at least 1 frame and at most as many"),
        ("padded", 5, {"lengths": tf.constant([0])}, "lengths: expected at least 1 frame and at most as many"),
    ],
)
def test_the_graph_refuses_walks_without_frames_or_with_too_many(loaded, signature, frames, more, words):
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        ask(loaded, signature, np.zeros((1, frames, 20, 3), "float32"), **more)


def test_the_manifest_names_the_embedder(embedder, exported):
    manifest = json.loads((exported / "manifest.json").read_text())
    assert manifest["embedder"] == {
        "fingerprint": embedder.fingerprint(),
        "embedding_size": 6,
        "frame_rate": 30.0,
        "calibrated_on": 12,
    }
    assert Exportable(embedder=embedder).manifest()["embedder"]["calibrated_on"] is None
    assert set(manifest["models"]) == {"embedder"}
    assert "persons" not in manifest
    assert 'name: "embedder"' in (exported / "models.config").read_text()


@pytest.mark.slow
def test_a_folder_with_models_of_another_kind_is_refused(embedder, exported, small_identifier, small_export, tmp_path):
    with pytest.raises(ValueError, match="expected a folder without embedder, which this export has not"):
        save(small_identifier, exported)
    with pytest.raises(ValueError, match="expected a folder without encoder, recognizer, identifier"):
        save(embedder, small_export)


def test_a_servers_budget_covers_what_a_request_takes(exported):
    """What is reckoned of a request is more than the process grows by, and not by orders of magnitude."""
    limits = json.loads((exported / "embedder/1/assets.extra/agegait.json").read_text())
    each = limits["window_bytes"]["embed"]
    assert limits["piece"]["embed"] == endpoints.MOST_FRAMES
    assert 4 * (20 * 3 + 190) < each < 200_000  # its features at the least


def test_served_over_a_socket(embedder, client):
    long, short = walks(1, 50, seed=6)[0], walks(1, 20, seed=7)[0]
    first, second, nobody = client.embed([long, short, 0 * short])
    np.testing.assert_allclose(first.vector, embedder.embed(long)[0], atol=1e-5)
    np.testing.assert_allclose(second.vector, embedder.embed(short)[0], atol=1e-5)
    assert (first.fault, nobody.vector, nobody.fault) == ("", None, BodyCheck.FAULTS[2])


def test_an_exported_embedder_is_the_embedder_for_a_gallery(embedder, graph, sqlite_gallery):
    assert graph.fingerprint() == embedder.fingerprint()
    assert (graph.embedding_size, graph.frame_rate) == (embedder.embedding_size, embedder.frame_rate)
    several = [walks(1, frames, seed=8)[0] for frames in (30, 45, 100)]
    np.testing.assert_allclose(graph.embed(several), embedder.embed(several), atol=1e-5)
    resampled = embedder.embed(several, frame_rate=[15, None, 60])
    np.testing.assert_allclose(graph.embed(several, frame_rate=[15, None, 60]), resampled, atol=1e-5)
    known = Walk(several[0], np.ones((30, 20), bool), 15.0, "kinect_v1")
    np.testing.assert_allclose(graph.embed([known]), resampled[:1], atol=1e-5)
    with pytest.raises(ValueError, match="frame_rate: expected one, or one for each of 3 walks, received 2"):
        graph.embed(several, frame_rate=[15, 15])
    with agegait.Gallery.open(sqlite_gallery, embedder) as gallery:
        gallery.enrol("Anna", several[:1], consent="form")
    with agegait.Gallery.open(sqlite_gallery, graph) as gallery:
        assert gallery.identify(several[0], threshold=1e-3).person == "Anna"
        gallery.enrol("Ben", several[1:], consent="form")
    with agegait.Gallery.open(sqlite_gallery, embedder) as gallery:
        assert gallery.identify(several[2], threshold=1e-3).matches[0].person == "Ben"


@pytest.fixture
def sqlite_gallery(tmp_path):
    tmp_path.chmod(0o700)
    return f"sqlite:///{tmp_path}/gallery.db"


@pytest.mark.parametrize(
    ("walk", "words"),
    [
        (walks(1, 40)[0] * [1, -1, 1], BodyCheck.FAULTS[5]),
        (walks(1, 40)[0, :, :16], r"expected 20 joints, received \(16, 3\)"),
        (np.zeros((endpoints.MOST_FRAMES + 1, 20, 3), "float32"), "expected at most 8192 frames"),
        (np.zeros((0, 20, 3), "float32"), "expected at least 1 frame"),
    ],
)
def test_an_exported_embedder_says_what_is_wrong_with_a_walk(graph, walk, words):
    with pytest.raises(ValueError, match=f"^walks: {words}.* for walk 1"):
        graph.embed([walks(1, 40)[0], walk])


def test_a_calibration_goes_with_the_embedder(embedder, calibration, exported, graph, tmp_path):
    assert graph.calibration == calibration
    manifest = json.loads((exported / "manifest.json").read_text())
    assert "assets.extra/agegait_embedder.json" in manifest["models"]["embedder"]["sha256"]
    file, random = tmp_path / "embedder.keras", np.random.default_rng(0)
    embedder.save(file)
    another = Calibration.of_embeddings(random.normal(size=(24, 6)), np.repeat(np.arange(12), 2), "another")
    another.save(tmp_path / "embedder.calibration.json")
    with pytest.raises(ValueError, match=r"calibration: expected one of the embedder .* found one of another, another"):
        save(file, exported)
    assert sorted(path.name for path in (exported / "embedder").iterdir()) == ["1"]


def test_an_export_that_was_changed_is_no_embedder(exported, tmp_path):
    folder = shutil.copytree(exported, tmp_path / "changed")
    file = folder / "embedder/1/assets.extra/agegait_embedder.json"
    content = file.read_text()
    file.write_text(content.replace("30.0", "25.0"))
    with pytest.raises(ValueError, match=r"expected the files of an export, found others: assets.extra/agegait_emb"):
        ExportedEmbedder(folder)
    file.unlink()
    with pytest.raises(ValueError, match=r"expected the files of an export, found others: .*No such file"):
        ExportedEmbedder(folder)
    with pytest.raises(ValueError, match="folder: expected an export with an embedder, found none"):
        ExportedEmbedder(tmp_path)
