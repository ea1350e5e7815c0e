import dataclasses

import keras
import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

import agegait
from agegait.datasets import Windows
from agegait.evaluation import baselines, protocols
from agegait.evaluation.baselines import classifiers, descriptor_baseline
from agegait.skeletons import descriptors
from agegait.training.recipes import Recipe

PEOPLE = 5
SLOW = ("mlp-whitened", "mlp-distances", "lstm", "lstm-multilayer", *baselines.OF_AN_ENCODER)
QUICK = Recipe(
    recognizer_epochs=12,
    recognizer_batch_size=32,
    recognizer_learning_rate=3e-3,
    recognizer_units=32,
    normalize="standardize",
    initial_scale=None,
)


def windows_of(seed, walks=2, of_each=12, people=PEOPLE):
    """People of bodies of their own, drawn once for all seeds, who stand and tremble."""
    bodies = np.random.default_rng(0).uniform(-1, 1, (PEOPLE, 20, 3))
    persons = np.repeat(np.arange(people), walks * of_each)
    skeletons = bodies[persons][:, None] + np.random.default_rng(seed).normal(0, 0.1, (len(persons), 6, 20, 3))
    names = np.array([f"{person}/{walk}" for person in range(people) for walk in range(walks) for _ in range(of_each)])
    return Windows(skeletons.astype("float32"), persons, names)


@pytest.fixture(scope="module")
def training():
    return windows_of(1)


@pytest.fixture(scope="module")
def validation():
    return windows_of(2, walks=1)


@pytest.fixture(scope="module")
def test():
    return windows_of(3, walks=1)


@pytest.fixture(scope="module")
def encoder(training):
    keras.utils.set_random_seed(0)
    encoder = agegait.GaitEncoder(units=8, num_layers=1)
    encoder(training.skeletons[:1])
    return encoder


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in baselines.BASELINES]
)
def test_each_learns_who_is_who(name, training, validation, test, encoder):
    baseline = baselines.baseline(name, encoder)
    if isinstance(baseline, baselines.NetworkBaseline):
        baseline.recipe = QUICK
    assert baseline.title == baselines.BASELINES[name]
    baseline.fit(training, validation, PEOPLE + 1)  # the last one is never seen
    scores = baseline.scores(test)
    assert scores.shape == (len(test.persons), PEOPLE + 1)
    found = protocols.recognition(scores, test.persons)
    assert found.rank[1] > 0.8
    walks = protocols.recognition(*protocols.by_walk(scores, test.persons, test.walks))
    assert walks.rank[1] == 1


class TestDescriptorBaseline:
    @pytest.fixture
    def knn(self, training, validation):
        baseline = baselines.baseline("d13-knn")
        baseline.fit(training, validation, PEOPLE)
        return baseline

    def test_scores_are_the_mean_of_the_votes_for_each_frame(self, knn, training, test):
        frames = descriptors.d13(training.skeletons).reshape(-1, 13)
        mean, scale = frames.mean(axis=0), frames.std(axis=0)
        labels = np.repeat(training.persons, 6)
        for window, scores in zip(test.skeletons[::10], knn.scores(test)[::10], strict=True):
            votes = np.zeros(PEOPLE)
            for frame in descriptors.d13(window):
                distances = np.linalg.norm((frame - mean) / scale - (frames - mean) / scale, axis=1)
                votes += np.bincount(labels[np.argsort(distances)[: classifiers.NEIGHBOURS]], minlength=PEOPLE)
            np.testing.assert_allclose(scores, votes / classifiers.NEIGHBOURS / 6, atol=1e-6)

    def test_blocks_make_no_difference(self, knn, test, monkeypatch):
        expected = knn.scores(test)
        monkeypatch.setattr(descriptor_baseline, "FRAMES_AT_ONCE", 7 * 6)
        np.testing.assert_array_equal(knn.scores(test), expected)
        assert knn.scores(Windows(*(part[:0] for part in test))).shape == (0, PEOPLE)

    def test_windows_that_overlap_count_once(self, knn, training, validation, test):
        again = Windows(*(np.concatenate([part, part[::2]]) for part in training))
        other = baselines.baseline("d13-knn")
        other.fit(again, validation, PEOPLE)
        np.testing.assert_array_equal(other.scores(test), knn.scores(test))

    def test_people_who_are_not_in_the_training_windows_score_nothing(self, training, validation, test):
        some = Windows(*(part[(training.persons == 1) | (training.persons == 3)] for part in training))
        baseline = baselines.baseline("d16-adaboost")
        baseline.fit(some, validation, PEOPLE)
        scores = baseline.scores(test)
        assert (scores[:, [0, 2, 4]] == 0).all()
        assert (scores[test.persons == 3].argmax(axis=1) == 3).all()

    def test_frames_are_drawn_by_the_seed(self, training, validation):
        drawn = []

        class Spy(KNeighborsClassifier):
            def fit(self, rows, labels):
                drawn.append(np.column_stack([rows, labels]))
                return super().fit(rows, labels)

        for seed in (0, 0, 1):
            baseline = baselines.DescriptorBaseline("few", descriptors.d16, lambda _: Spy(), frames=100)
            baseline.fit(training, validation, PEOPLE, seed)
        assert drawn[0].shape == (100, 17)
        assert len(np.unique(drawn[0], axis=0)) == 100
        np.testing.assert_array_equal(drawn[0], drawn[1])
        assert not np.array_equal(drawn[0], drawn[2])
        labelled = descriptors.d16(training.skeletons[training.persons == drawn[0][0, -1]]).reshape(-1, 16)
        assert (np.abs(labelled - drawn[0][0, :-1]).max(axis=1) < 1e-6).any()


class TestNetworkBaseline:
    def fit(self, training, validation, seed=0, epochs=2):
        baseline = baselines.baseline("mlp")
        baseline.recipe = dataclasses.replace(QUICK, recognizer_epochs=epochs)
        baseline.fit(training, validation, PEOPLE, seed)
        return baseline

    def test_the_epoch_is_chosen_on_the_validation_windows(self, training, validation):
        # Labels that say nothing: accuracy goes up and down.
        random = np.random.default_rng(0)
        odd, validation = (
            part._replace(persons=random.integers(0, PEOPLE, len(part.persons))) for part in (training, validation)
        )
        network = self.fit(odd, validation, epochs=10).network
        accuracies = network.history.history["val_accuracy"]
        assert accuracies[-1] < max(accuracies)
        _, reached = network.evaluate(baselines.coordinates(validation), validation.persons, verbose=0)
        assert reached == pytest.approx(max(accuracies))

    @pytest.mark.slow
    def test_one_seed_one_network(self, training, validation, test):
        one, same, other = (self.fit(training, validation, seed).scores(test) for seed in (3, 3, 4))
        np.testing.assert_array_equal(one, same)
        assert not np.allclose(one, other)

    @pytest.mark.slow
    def test_labels_are_spread_as_the_recipe_has_it(self, training, validation):
        baseline = baselines.baseline("mlp")
        baseline.recipe = dataclasses.replace(QUICK, recognizer_epochs=40, dropout=0.0, label_smoothing=0.3)
        baseline.fit(training, validation, PEOPLE)
        # The least loss is the entropy of the spread labels, not zero as that of labels that are not spread.
        even = 0.3 / PEOPLE
        own = 1 - 0.3 + even
        least = -own * np.log(own) - (PEOPLE - 1) * even * np.log(even)
        assert least <= baseline.network.history.history["loss"][-1] < least + 0.1

    @pytest.mark.parametrize(("name", "lstms"), [("lstm", 1), ("lstm-multilayer", 2)])
    def test_lstms_have_the_layers_that_their_names_say(self, name, lstms, training):
        network = baselines.baseline(name).build(PEOPLE, baselines.coordinates(training), QUICK)
        layers = [layer for layer in network.layers if isinstance(layer, keras.layers.LSTM)]
        assert [layer.units for layer in layers] == [256] * lstms
        assert network.output_shape == (None, PEOPLE)


def test_coordinates_are_those_of_a_frame(training):
    joined = baselines.coordinates(training)
    assert joined.shape == (len(training.persons), 6, 60)
    assert joined[7, 2, 3 * 5 + 1] == training.skeletons[7, 2, 5, 1]


@pytest.mark.slow
def test_encoder_states_are_what_ages_are_made_of(encoder, test):
    states = baselines.encoder_states(encoder, test)
    assert states.shape == (len(test.persons), 6, 24)
    outputs = encoder.predict(test.skeletons, verbose=0)
    by_axis = states.reshape(-1, 6, 3, 8).transpose(0, 2, 1, 3)
    ages = (outputs["attention"] @ by_axis).transpose(0, 2, 1, 3).reshape(-1, 6, 24)
    np.testing.assert_allclose(ages, outputs["ages"], atol=1e-6)


@pytest.mark.slow
def test_an_untrained_encoder_is_drawn_anew_and_is_the_same_for_all_windows(encoder, training, test):
    drawn = []
    for seed in (0, 1, 1):
        keras.utils.set_random_seed(seed)
        ages = baselines.UntrainedAGEs(encoder)
        first, again = ages(training), ages(training)
        np.testing.assert_array_equal(first, again)
        assert ages(test).shape == (len(test.persons), 6, 24)
        drawn.append(first)
    np.testing.assert_array_equal(drawn[1], drawn[2])
    assert not np.allclose(drawn[0], drawn[1])
    trained = encoder.get_weights()
    encoder.set_weights([weights + 1 for weights in trained])
    keras.utils.set_random_seed(1)
    np.testing.assert_array_equal(baselines.UntrainedAGEs(encoder)(training), drawn[1])
    encoder.set_weights(trained)


def test_refusals(training, validation, test):
    with pytest.raises(ValueError, match=r"baseline: expected one of d13-knn, .*, received 'svm'"):
        baselines.baseline("svm")
    for name in baselines.OF_AN_ENCODER:
        with pytest.raises(ValueError, match=f"baseline: expected an encoder for {name}, received none"):
            baselines.baseline(name)
    for name in ("d13-knn", "mlp"):
        baseline = baselines.baseline(name)
        with pytest.raises(
            ValueError, match=f"{baseline.title}: expected to be fitted before it names anybody".replace("+", r"\+")
        ):
            baseline.scores(test)
        with pytest.raises(ValueError, match=r"persons: expected labels in 0\.\.3, received \[0, 1, 2, 3, 4\]"):
            baseline.fit(training, validation, 4)
    with pytest.raises(ValueError, match=r"persons: expected labels in 0\.\.4, received \[\]"):
        baselines.baseline("d13-knn").fit(Windows(*(part[:0] for part in training)), validation, PEOPLE)
