import keras
import numpy as np
import pytest

from agegait import GaitEmbedder
from agegait.gallery import Calibration
from agegait.training.starter import CALIBRATED
from tfds_builders.walkers.crowd import Crowd

UNSEEN = Crowd(persons=20, walks=2, sensors=1, seed=4711)
"""People and a sensor of another seed than the preset's."""


@pytest.fixture(scope="module")
def starter():
    starter = GaitEmbedder.from_preset("walkers")
    starter.run_eagerly = True  # each is asked about walks of other lengths once
    return starter


@pytest.fixture(scope="module")
def walks():
    return UNSEEN.recorded()


def test_it_tells_apart_people_it_was_not_trained_on(starter, walks):
    embeddings = starter.embed(walks.skeletons)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)
    cosines = embeddings[::2] @ embeddings[1::2].T
    assert np.mean(cosines.argmax(axis=1) == np.arange(20)) >= 0.6  # chance: 0.05
    assert np.median(np.diag(cosines)) > np.quantile(cosines, 0.9)


def test_it_comes_with_a_calibration(starter):
    calibration = Calibration.from_preset("walkers")
    assert calibration.fingerprint == starter.fingerprint()
    assert calibration.generated
    assert calibration.threshold({1: 100}, 0.01).generated
    assert calibration.people == CALIBRATED
    for wrong in ("nobody", "../presets/walkers", ""):
        with pytest.raises(ValueError, match="preset: expected an embedder that comes with agegait, received"):
            Calibration.from_preset(wrong)


def test_its_thresholds_are_strict_before_another_sensor(starter, walks):
    """At most as many false alarms as asked for: a sensor drawn at random is hardly ever stricter."""
    embeddings = starter.embed(walks.skeletons)
    limit = Calibration.from_preset("walkers").threshold({2: 19}, 0.1).distance
    near = 1 - embeddings @ embeddings.T <= limit
    others = walks.persons[:, None] != walks.persons
    assert np.mean((near & others).any(axis=1)) <= 0.1


def test_it_is_the_same_saved_and_loaded_by_its_path(starter, walks, tmp_path):
    path = tmp_path / "mine.keras"
    starter.save(path)
    for preset in (path, str(path)):
        loaded = GaitEmbedder.from_preset(preset)
        loaded.run_eagerly = True
        np.testing.assert_allclose(loaded.embed(walks.skeletons[:3]), starter.embed(walks.skeletons[:3]), atol=1e-6)


def test_it_can_be_trained_on(walks):
    classifier = GaitEmbedder.from_preset("walkers").classifier(2)
    cosines = classifier({"skeleton": walks.skeletons[0][None], "length": np.array([90])})
    assert tuple(cosines.shape) == (1, 2)


def test_its_walks_may_have_any_length(starter, walks):
    assert starter.embed([walks.skeletons[0][:5], walks.skeletons[1]]).shape == (2, starter.embedding_size)


@pytest.mark.parametrize("preset", ["x", "Walkers", "walkers.h5"])
def test_unknown_ones_are_refused(preset):
    with pytest.raises(ValueError, match=rf"^preset: expected one of walkers, received '{preset}'\.$"):
        GaitEmbedder.from_preset(preset)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^preset: expected one of walkers or a file, received '.*none\.keras'\.$"):
        GaitEmbedder.from_preset(tmp_path / "none.keras")


def test_another_model_is_refused(tmp_path):
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
    with pytest.raises(ValueError, match="preset: expected a saved GaitEmbedder, received a Sequential in "):
        GaitEmbedder.from_preset(path)
