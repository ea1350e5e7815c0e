"""The data sets that runs know, and what becomes of a fetch that fails."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from agegait import SkeletonNormalization, data, datasets
from tfds_builders.kgbd import kgbd_dataset_builder


@pytest.fixture(scope="module")
def walkers(tmp_path_factory):
    return datasets.load("WALKERS", tmp_path_factory.mktemp("data"))


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


def test_walks_that_are_all_too_short_are_refused(walkers):
    with pytest.raises(ValueError, match=r"walkers, split test: expected walks of at least 999 frames, found none"):
        walkers.windows("test", SkeletonNormalization(), frames=999)


class Answer(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"not a walk")

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("status", [200, 404])
def test_a_fetch_that_fails_is_one_line_and_leaves_no_data_set(tmp_path, monkeypatch, status):
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Answer,), {"status": status}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        monkeypatch.setattr(
            kgbd_dataset_builder.Builder, "SOURCE", f"http://127.0.0.1:{server.server_port}", raising=True
        )
        with pytest.raises(ValueError, match=r"^kgbd: could not be fetched or prepared: ") as refused:
            datasets.builder("kgbd", tmp_path)
        assert "\n" not in str(refused.value)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert not (tmp_path / "kgbd" / "1.0.0").exists()
