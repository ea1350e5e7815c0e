import dataclasses

import keras
import numpy as np
import pytest

from agegait.data import Walks
from agegait.training import EncodingTraining, recipes

SMALL = recipes.recipe("best", epochs=1, units=3, num_layers=1)


@pytest.fixture(scope="module")
def walks():
    random = np.random.default_rng(0)
    skeletons = [random.normal(size=(frames, 20, 3)).astype("float32") for frames in (20, 31, 26, 5)]
    return Walks(skeletons, np.arange(4), np.array(list("abcd")))


@pytest.mark.slow
@pytest.mark.parametrize("learning", EncodingTraining.LEARNING)
def test_walks_are_embedded_by_the_mean_of_their_whitened_ages(walks, learning, tmp_path):
    encodings = EncodingTraining(learning, SMALL).fit(walks)
    found = encodings.embed(walks.skeletons[:3])
    assert found.shape == (3, 9)
    features = keras.ops.convert_to_numpy(encodings.frame_features(walks.skeletons[1][None]))
    np.testing.assert_allclose(found[1], features[0, :30].mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(encodings(walks.skeletons[1][None])[0], found[1], atol=1e-5)
    encodings.save(tmp_path / "encodings.keras")
    loaded = keras.saving.load_model(tmp_path / "encodings.keras")
    np.testing.assert_allclose(loaded.embed(walks.skeletons[:3]), found, atol=1e-6)


@pytest.mark.slow
def test_people_have_no_part_in_it(walks):
    others = walks._replace(persons=walks.persons[::-1])
    found = [EncodingTraining("cage", SMALL).fit(one).embed(walks.skeletons[:2]) for one in (walks, others)]
    np.testing.assert_array_equal(*found)


def test_says_what_it_cannot_do(walks):
    with pytest.raises(ValueError, match="learning: expected one of reconstruction, cage, received 'persons'"):
        EncodingTraining("persons")
    with pytest.raises(ValueError, match="walks: expected walks of at least 6 frames, found none"):
        EncodingTraining(recipe=SMALL).fit(walks.take([3]))
    encodings = EncodingTraining(recipe=dataclasses.replace(SMALL, epochs=0)).fit(walks)
    with pytest.raises(ValueError, match="walks: expected at least 6 frames, received one of 5"):
        encodings.embed(walks.skeletons)
