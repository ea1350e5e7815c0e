"""The data sets that runs know, and what becomes of a fetch that fails."""

import dataclasses
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import tensorflow_datasets as tfds

from agegait import SkeletonNormalization, data, datasets
from agegait.skeletons import mirrored
from tfds_builders.kgbd import kgbd_dataset_builder
from tfds_builders.walkers import generator


@pytest.fixture(scope="module")
def walkers(walkers_dir):
    return datasets.load("WALKERS", walkers_dir)


def test_every_data_set_has_its_preparation_and_its_terms():
    assert set(datasets.SPLITS) == set(data.PREPARATIONS)
    assert all(splits.licence for splits in datasets.SPLITS.values())


def test_windows_are_normalized_and_know_their_walk(walkers):
    windows = walkers.windows("test", SkeletonNormalization(), frames=6)
    assert windows.skeletons.shape == (len(windows.persons), 6, 20, 3)
    np.testing.assert_array_equal(windows.skeletons[:, :, 0], 0)
    examples = {example["walk"].decode(): example for example in walkers.walks("test").as_numpy_iterator()}
    assert set(windows.walks) == set(examples)
    walk = str(windows.walks[0])
    raw = examples[walk]["skeleton"][:6]
    np.testing.assert_allclose(windows.skeletons[0], raw - raw[:, :1], atol=1e-6)
    assert windows.persons[0] == examples[walk]["person"]
    for name, example in examples.items():
        assert np.sum(windows.walks == name) == len(example["skeleton"]) // 6


def test_mirrored_windows_come_after_the_others(walkers):
    windows = walkers.windows("test", SkeletonNormalization(), frames=6)
    both = windows.with_mirrored()
    count = len(windows.persons)
    for column, doubled in zip(windows, both, strict=True):
        np.testing.assert_array_equal(doubled[:count], column)
    np.testing.assert_array_equal(both.skeletons[count:], mirrored(windows.skeletons))
    for labels in (both.persons, both.walks):
        np.testing.assert_array_equal(labels[count:], labels[:count])


def test_walks_that_are_all_too_short_are_refused(walkers):
    with pytest.raises(ValueError, match=r"walkers, split test: expected walks of at least 999 frames, found none"):
        walkers.windows("test", SkeletonNormalization(), frames=999)


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A folder of people with two walks each, so that none is left over for validation."""
    folder = tmp_path_factory.mktemp("few")
    for person, name in enumerate(("anna", "Zoë")):
        (folder / name).mkdir()
        for number in range(2):
            np.save(folder / name / f"{number}.npy", generator.walk(person, "a", number)[0])
    return folder


def test_a_folder_without_walks_to_spare_validates_on_the_ends_of_training_walks(few):
    dataset = datasets.load(str(few))
    assert (dataset.persons, dataset.tests, dataset.parts) == (["anna", "Zoë"], ("test",), ("train", "test"))
    train, validation = dataset.walks("train"), dataset.walks("validation")
    for whole, first, last in zip(dataset.read("train"), train, validation, strict=True):
        joined = np.concatenate([first["skeleton"], last["skeleton"]])
        np.testing.assert_array_equal(joined, whole["skeleton"])
        assert len(last["skeleton"]) == round(datasets.HELD_OUT * len(joined))
    windows = dataset.windows("validation", SkeletonNormalization(), frames=6)
    assert set(windows.walks) == set(dataset.windows("train", SkeletonNormalization(), frames=6).walks)
    assert set(windows.walks) <= {"anna/0", "anna/1", "Zoë/0", "Zoë/1"}


def test_a_folder_is_known_by_its_whole_path(few, monkeypatch):
    monkeypatch.chdir(few.parent)
    assert datasets.find(few.name) == str(few)


def test_joints_that_are_mixed_up_are_refused_unless_that_is_wanted(few, tmp_path):
    for path in few.glob("*/*.npy"):
        mixed = tmp_path / path.relative_to(few)
        mixed.parent.mkdir(exist_ok=True)
        np.save(mixed, np.load(path)[:, ::-1])
    with pytest.raises(ValueError, match="the joints look to be in reverse order"):
        datasets.load(str(tmp_path))
    assert datasets.load(str(tmp_path), check_limbs=False).persons == ["anna", "Zoë"]


def test_a_format_for_a_data_set_that_knows_its_own_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected for a folder of walks, received for walkers"):
        datasets.load("walkers", tmp_path, walk_format=data.WalkFormat(units="mm"))


def test_training_windows_are_cut_as_the_papers_do(walkers):
    published = dataclasses.replace(walkers, preparation=data.PREPARATIONS["biwi"])
    windows = published.windows("train", SkeletonNormalization(), frames=6)
    first = next(walk for walk in published.walks("train").as_numpy_iterator())
    own = windows.skeletons[windows.walks == first["walk"].decode()]
    centred = first["skeleton"] - first["skeleton"][:, :1]
    expected = [centred[at : at + 6] for start in range(6) for at in range(start, len(centred) - 5, 3)]
    np.testing.assert_allclose(own, expected, atol=1e-6)
    assert len(published.windows("test", SkeletonNormalization(), frames=6).walks) == sum(
        len(walk["skeleton"]) // 6 for walk in published.walks("test").as_numpy_iterator()
    )


class Answer(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"not a walk")

    def log_message(self, *_):
        pass


def test_without_a_network_it_is_said_at_once(tmp_path, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        source = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setattr(kgbd_dataset_builder.Builder, "SOURCE", source)
        monkeypatch.setattr(tfds.download.DownloadManager, "download", lambda *_: pytest.fail("asked the network"))
        with pytest.raises(ValueError, match=r"kgbd: could not be fetched or prepared: no connection to 127\.0\.0\.1"):
            datasets.builder("kgbd", tmp_path)


def test_instructions_are_given_where_nothing_was_fetched_by_hand(tmp_path):
    with pytest.raises(ValueError, match=r"^biwi: could not be fetched or prepared: Manual directory ") as refused:
        datasets.builder("biwi", tmp_path)
    assert any(line.startswith("BIWI RGBD-ID cannot be downloaded") for line in str(refused.value).splitlines())
    assert not (tmp_path / "biwi").exists()


@pytest.mark.parametrize("status", [200, 404])
def test_a_fetch_that_fails_gives_instructions_and_leaves_no_data_set(tmp_path, monkeypatch, status):
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Answer,), {"status": status}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        monkeypatch.setattr(
            kgbd_dataset_builder.Builder, "SOURCE", f"http://127.0.0.1:{server.server_port}", raising=True
        )
        with pytest.raises(ValueError, match=r"^kgbd: could not be fetched or prepared: ") as refused:
            datasets.builder("kgbd", tmp_path)
        _, *instructions = str(refused.value).splitlines()
        assert instructions[0].startswith("Nothing needs to be done where raw.githubusercontent.com can be reached")
        assert instructions[-1] == 'Then say where it is: manual_dir="PATH".'
        assert [line[:2] for line in instructions].count("* ") == 3
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert not (tmp_path / "kgbd" / "1.0.0").exists()
