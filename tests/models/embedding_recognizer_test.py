import keras
import numpy as np
import pytest

import agegait

N, D = 3, 5


def drawn(seed=0):
    random = np.random.default_rng(seed)
    return random.standard_normal((7, D)).astype("float32"), np.array([0, 1, 2, 0, 1, 2, 2])


@pytest.fixture
def recognizer():
    recognizer = agegait.EmbeddingRecognizer(N)
    recognizer.adapt(*drawn())
    return recognizer


def test_logits_are_scaled_cosines_to_each_persons_mean(recognizer):
    embeddings, persons = drawn()
    probes = np.random.default_rng(1).standard_normal((4, D))
    expected = np.zeros((4, N))
    for person in range(N):
        mean = embeddings[persons == person].mean(axis=0)
        expected[:, person] = 10 * probes @ mean / np.linalg.norm(mean) / np.linalg.norm(probes, axis=1)
    np.testing.assert_allclose(recognizer(probes), expected, rtol=1e-5, atol=1e-5)
    assert recognizer.compute_output_shape((None, D)) == (None, N)
    np.testing.assert_array_equal(recognizer(np.zeros((1, D))), np.zeros((1, N)))


def test_adapting_again_forgets_the_means_of_before(recognizer):
    embeddings, persons = drawn(seed=2)
    recognizer.adapt(embeddings, persons)
    new = agegait.EmbeddingRecognizer(N)
    new.adapt(embeddings, persons)
    np.testing.assert_array_equal(recognizer(embeddings), new(embeddings))


def test_saved_and_loaded_it_gives_the_same(recognizer, tmp_path):
    recognizer.save(tmp_path / "people.keras")
    again = keras.models.load_model(tmp_path / "people.keras")
    np.testing.assert_array_equal(again(drawn()[0]), recognizer(drawn()[0]))
    assert (again.num_persons, again.scale) == (N, 10.0)


def test_refusals(recognizer):
    embeddings, persons = drawn()
    with pytest.raises(ValueError, match="num_persons: expected at least 1, received 0"):
        agegait.EmbeddingRecognizer(0)
    with pytest.raises(ValueError, match="scale: expected a positive number, received 0"):
        agegait.EmbeddingRecognizer(2, scale=0)
    for received in (np.minimum(persons, 1), persons + 1):
        with pytest.raises(ValueError, match="persons: expected at least one walk of each of 3 people, received"):
            recognizer.adapt(embeddings, received)
    with pytest.raises(ValueError, match=r"embeddings, persons: expected \[W, D\] and \[W\], received shapes of"):
        recognizer.adapt(embeddings, persons[1:])
    for shape in ((2, D + 1), (2, 1, D)):
        with pytest.raises(ValueError, match=r"inputs: expected embeddings \[B, 5\], received a shape of"):
            recognizer(np.zeros(shape))
