import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from support.saving import assert_loaded_it_gives_the_same_and_learns_on

import agegait

F, D, N = 4, 6, 3


def recognizer_of(manner="ap", **options):
    return agegait.GaitRecognizer(N, manner, **{"units": 5, **options})


def compiled(recognizer, optimizer="adam"):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    recognizer.compile(optimizer, loss, metrics=["accuracy"], run_eagerly=True)
    return recognizer


@pytest.fixture(scope="module")
def ages():
    return np.random.default_rng(0).normal(2, 3, (8, F, D)).astype("float32")


@pytest.fixture(scope="module")
def persons():
    return np.arange(8) % N


class Batches(keras.utils.PyDataset):
    """Batches of four windows with their people."""

    def __init__(self, ages, persons):
        super().__init__()
        self.arrays = ages, persons

    def __len__(self):
        return len(self.arrays[0]) // 4

    def __getitem__(self, index):
        return tuple(array[4 * index : 4 * index + 4] for array in self.arrays)


def batches(kind, ages, persons):
    if kind == "dataset":
        return tf.data.Dataset.from_tensor_slices((ages, persons)).batch(4)
    batched = Batches(ages, persons)
    return batched if kind == "PyDataset" else (batched[number] for number in range(len(batched)))


def dense_by_hand(rows, weights):
    """Dense layers with ReLU between them, a row at a time."""
    found = []
    for row in rows:
        for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            row = np.maximum(row @ kernel + bias, 0)
        found.append(row @ weights[-2] + weights[-1])
    return np.array(found)


def randomized(recognizer, shape):
    recognizer.build(shape)
    random = np.random.default_rng(1)
    recognizer.set_weights([random.standard_normal(weight.shape) for weight in recognizer.weights])
    return recognizer


@pytest.mark.parametrize("units", [5, (5, 4), ()])
def test_average_prediction_is_the_mean_of_the_frames_logits(ages, units):
    recognizer = randomized(recognizer_of(units=units), ages.shape)
    expected = [dense_by_hand(window, recognizer.get_weights()).mean(axis=0) for window in ages]
    np.testing.assert_allclose(recognizer(ages), expected, rtol=1e-4, atol=1e-4)
    frames = recognizer(ages.reshape(-1, D))
    np.testing.assert_allclose(np.reshape(frames, (-1, F, N)).mean(axis=1), recognizer(ages), rtol=1e-4, atol=1e-4)


def test_sequence_level_concatenation_joins_the_frames(ages):
    recognizer = randomized(recognizer_of("sc"), ages.shape)
    joined = [np.concatenate(list(window)) for window in ages]
    np.testing.assert_allclose(recognizer(ages), dense_by_hand(joined, recognizer.get_weights()), rtol=1e-4, atol=1e-4)


def test_published_sizes():
    recognizer = agegait.GaitRecognizer(164)
    recognizer.build((None, 6, 768))
    assert recognizer.count_params() == 768 * 256 + 256 + 256 * 164 + 164
    recognizer = agegait.GaitRecognizer(164, "sc")
    recognizer.build((None, 6, 768))
    assert recognizer.count_params() == 4608 * 256 + 256 + 256 * 164 + 164


@pytest.mark.parametrize("manner", agegait.GaitRecognizer.MANNERS)
def test_shapes(manner, ages):
    assert recognizer_of(manner)(ages).shape == (8, N)
    assert recognizer_of(manner)(keras.Input((F, D))).shape == (None, N)
    assert recognizer_of(manner).compute_output_shape((None, F, D)) == (None, N)


def test_kernels_of_equal_shape_differ(ages):
    recognizer = recognizer_of(units=(D, D), kernel_initializer=keras.initializers.RandomNormal(stddev=1.0))
    recognizer.build(ages.shape)
    first, second = recognizer.hidden[0].kernel, recognizer.hidden[2].kernel
    assert not np.allclose(first, second)
    assert np.std(first) == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize("normalize", ["standardize", "whiten"])
def test_what_it_adapted_to_is_saved_and_cloned(ages, tmp_path, normalize):
    recognizer = recognizer_of("sc", normalize=normalize)
    recognizer.adapt(ages)
    expected = recognizer(ages)
    recognizer.save(tmp_path / "recognizer.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "recognizer.keras")(ages), expected)
    clone = keras.models.clone_model(recognizer)
    clone.set_weights(recognizer.get_weights())
    np.testing.assert_allclose(clone(ages), expected, rtol=1e-6)


class TestStandardize:
    def test_each_value_by_its_own_mean_and_variance(self, ages):
        plain = randomized(recognizer_of(), ages.shape)
        standardized = recognizer_of(normalize="standardize")
        standardized.adapt(ages)
        standardized.build(ages.shape)
        for layer, other in zip(
            (*standardized.hidden[::2], standardized.logits), (*plain.hidden[::2], plain.logits), strict=True
        ):
            layer.set_weights(other.get_weights())
        rows = ages.reshape(-1, D).astype("float64")
        by_hand = ((rows - rows.mean(axis=0)) / rows.std(axis=0)).reshape(ages.shape).astype("float32")
        np.testing.assert_allclose(standardized(ages), plain(by_hand), rtol=1e-3, atol=1e-3)

    def test_before_adapt_nothing_changes(self, ages):
        recognizer = randomized(recognizer_of(units=()), ages.shape)
        standardized = recognizer_of(units=(), normalize="standardize")
        standardized.build(ages.shape)
        standardized.logits.set_weights(recognizer.get_weights())
        np.testing.assert_allclose(standardized(ages), recognizer(ages), rtol=1e-5)

    def test_adapt_needs_it(self, ages):
        with pytest.raises(
            ValueError, match=r'adapt: expected a recognizer with normalize="standardize" or "whiten", received None\.'
        ):
            recognizer_of().adapt(ages)


class TestWhiten:
    @pytest.mark.parametrize("manner", ["ap", "sc"])
    def test_frames_are_whitened_one_by_one(self, ages, manner):
        whitened = recognizer_of(manner, normalize="whiten")
        whitened.adapt(ages)
        whitened.build(ages.shape)
        plain = recognizer_of(manner)
        plain.build(ages.shape)
        for layer, other in zip(
            (*whitened.hidden[::2], whitened.logits), (*plain.hidden[::2], plain.logits), strict=True
        ):
            other.set_weights(layer.get_weights())
        white = whitened.normalization(ages)
        np.testing.assert_allclose(np.mean(white, axis=(0, 1)), 0, atol=1e-3)
        np.testing.assert_allclose(whitened(ages), plain(white), rtol=1e-5, atol=1e-5)


class TestEmbed:
    def test_windows_are_the_means_of_their_frames(self, ages):
        for recognizer in (recognizer_of(), recognizer_of(normalize="standardize")):
            np.testing.assert_array_equal(recognizer.embed(ages), ages.mean(axis=1))

    @pytest.mark.parametrize("manner", ["ap", "sc"])
    def test_whitened_they_are_unit_vectors_of_whitened_frames_means(self, ages, manner):
        recognizer = recognizer_of(manner, normalize="whiten")
        recognizer.adapt(ages)
        white = np.array([[keras.ops.convert_to_numpy(recognizer.normalization(frame)) for frame in w] for w in ages])
        found = recognizer.embed(ages)
        for window, frames in zip(found, white, strict=True):
            mean = sum(frames) / F
            np.testing.assert_allclose(window, mean / np.sqrt((mean**2).sum()), atol=1e-5)
        np.testing.assert_allclose(recognizer.embed(ages.mean(axis=1)), found, atol=1e-5)

    def test_labels_have_no_part_in_it(self, ages, persons):
        recognizer = compiled(recognizer_of(normalize="whiten"))
        recognizer.adapt(ages)
        before = recognizer.embed(ages)
        recognizer.fit(ages, persons, verbose=0)
        np.testing.assert_array_equal(recognizer.embed(ages), before)

    def test_what_is_the_mean_itself_has_no_direction(self, ages):
        recognizer = recognizer_of(normalize="whiten")
        recognizer.adapt(ages)
        mean = keras.ops.convert_to_numpy(recognizer.normalization.mean)
        np.testing.assert_array_equal(recognizer.embed(mean[None]), np.zeros((1, D)))

    def test_refusals(self, ages):
        recognizer = recognizer_of(normalize="whiten")
        recognizer.adapt(ages)
        with pytest.raises(ValueError, match=r"ages: expected \[M, f, D\] or \[M, D\], received a shape of \(6,\)"):
            recognizer.embed(ages[0, 0])
        with pytest.raises(ValueError, match=r"ages: expected 6 values a frame, received 5 in \(8, 4, 5\)"):
            recognizer.embed(ages[..., :5])


class TestTraining:
    def trained(self, fit, manner="ap", **options):
        keras.utils.set_random_seed(4)
        recognizer = compiled(recognizer_of(manner, **options))
        history = fit(recognizer).history
        return recognizer, history

    def assert_same(self, first, second):
        for one, other in zip(first[0].get_weights(), second[0].get_weights(), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)

    def test_learns(self, ages, persons):
        easy = ages + 20 * np.eye(N, D)[persons][:, None]
        keras.utils.set_random_seed(4)
        recognizer = compiled(recognizer_of(), keras.optimizers.Adam(0.01))
        losses = recognizer.fit(easy.astype("float32"), persons, epochs=5, batch_size=8, verbose=0).history["loss"]
        assert losses[-1] < 0.5 * losses[0]

    def test_average_prediction_trains_on_single_frames(self, ages, persons):
        windows = self.trained(lambda model: model.fit(ages, persons, batch_size=8, shuffle=False, verbose=0))
        frames, labels = ages.reshape(-1, D), [person for person in persons for _ in range(F)]
        by_hand = self.trained(
            lambda model: model.fit(frames, np.array(labels), batch_size=8, shuffle=False, verbose=0)
        )
        self.assert_same(windows, by_hand)

    @pytest.mark.parametrize("manner", agegait.GaitRecognizer.MANNERS)
    def test_data_sets_train_as_arrays_do(self, ages, persons, manner):
        size = 8 * F if manner == "ap" else 8
        arrays = self.trained(
            lambda model: model.fit(ages, persons, batch_size=size, shuffle=False, epochs=2, verbose=0), manner
        )
        pairs = tf.data.Dataset.from_tensor_slices((ages, persons)).batch(8)
        self.assert_same(self.trained(lambda model: model.fit(pairs, epochs=2, verbose=0), manner), arrays)

    @pytest.mark.parametrize("kind", ["dataset", "PyDataset", "generator"])
    @pytest.mark.parametrize("manner", ["ap", pytest.param("sc", marks=pytest.mark.slow)])
    def test_batches_train_as_arrays_do_and_arrays_may_follow(self, ages, persons, manner, kind):
        def both(first):
            def fit(model):
                model.fit(*first(), batch_size=size, shuffle=False, verbose=0)
                return model.fit(ages, persons, batch_size=size, shuffle=False, verbose=0)

            return self.trained(fit, manner)

        size = 4 * F if manner == "ap" else 4
        self.assert_same(both(lambda: (batches(kind, ages, persons),)), both(lambda: (ages, persons)))

    @pytest.mark.parametrize("kind", ["dataset", "PyDataset"])
    def test_class_weights_weigh_people(self, ages, persons, kind):
        weigh = {"class_weight": {0: 1.0, 1: 0.0, 2: 2.0}, "shuffle": False, "verbose": 0}
        arrays = self.trained(lambda model: model.fit(ages, persons, batch_size=4 * F, **weigh))
        self.assert_same(self.trained(lambda model: model.fit(batches(kind, ages, persons), **weigh)), arrays)

    @pytest.mark.parametrize("kind", ["dataset", "PyDataset", "generator"])
    @pytest.mark.parametrize("normalize", ["standardize", "whiten"])
    def test_adapts_to_batches_as_to_arrays(self, ages, persons, normalize, kind):
        for manner in agegait.GaitRecognizer.MANNERS:
            one, other = (recognizer_of(manner, normalize=normalize) for _ in range(2))
            one.adapt(ages)
            other.adapt(batches(kind, ages, persons))
            for weight, expected in zip(other.normalization.weights, one.normalization.weights, strict=True):
                np.testing.assert_array_equal(weight, expected)

    def test_validation_is_of_windows(self, ages, persons):
        recognizer, history = self.trained(
            lambda model: model.fit(ages, persons, validation_data=(ages[:5], persons[:5]), verbose=0)
        )
        right = np.argmax(recognizer(ages[:5]), axis=-1) == persons[:5]
        assert history["val_accuracy"] == pytest.approx([right.mean()])

    def test_validation_split_cuts_between_windows(self, ages, persons):
        split = self.trained(lambda model: model.fit(ages, persons, validation_split=0.375, shuffle=False, verbose=0))
        by_hand = self.trained(
            lambda model: model.fit(
                ages[:5], persons[:5], validation_data=(ages[5:], persons[5:]), shuffle=False, verbose=0
            )
        )
        self.assert_same(split, by_hand)
        for name, values in by_hand[1].items():
            assert split[1][name] == pytest.approx(values)

    def test_sample_weights_weigh_windows(self, ages, persons):
        weights = np.array([1, 1, 1, 1, 0, 0, 0, 0], "float32")
        weighted = self.trained(lambda model: model.fit(ages, persons, sample_weight=weights, shuffle=False, verbose=0))
        half = self.trained(lambda model: model.fit(ages[:4], persons[:4], shuffle=False, verbose=0))
        # Adam's first step hardly depends on the gradient's scale, only on its sign.
        self.assert_same(weighted, half)

    def test_dropout_is_for_training_alone(self, ages):
        recognizer = recognizer_of(dropout=0.5)
        np.testing.assert_array_equal(recognizer(ages), recognizer(ages))
        assert not np.allclose(recognizer(ages, training=True), recognizer(ages))

    def test_evaluate_and_predict_are_of_windows(self, ages, persons):
        recognizer = compiled(recognizer_of())
        logits = recognizer.predict(ages, verbose=0)
        assert logits.shape == (8, N)
        accuracy = recognizer.evaluate(ages, persons, verbose=0, return_dict=True)["accuracy"]
        assert accuracy == pytest.approx(np.mean(logits.argmax(axis=1) == persons))


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "float64"])
def test_other_dtypes_stay_close(ages, dtype):
    recognizer = randomized(recognizer_of(), ages.shape)
    other = recognizer_of(dtype=dtype)
    other.build(ages.shape)
    other.set_weights(recognizer.get_weights())
    logits = other(ages)
    assert keras.backend.standardize_dtype(logits.dtype) == other.compute_dtype
    expected = np.asarray(recognizer(ages))
    np.testing.assert_allclose(np.asarray(logits, "float32"), expected, atol=0.03 * np.abs(expected).max())


@pytest.mark.parametrize("normalize", ["whiten", "standardize"])
def test_bfloat16_comes_after_whitening(ages, normalize):
    ages = 10 + 0.01 * ages  # bfloat16 has nothing between 10 and 10.06
    recognizer, other = (recognizer_of(dtype=dtype, normalize=normalize) for dtype in ("float32", "mixed_bfloat16"))
    recognizer.adapt(ages)
    for model in (recognizer, other):
        model.build(ages.shape)
    other.set_weights(recognizer.get_weights())
    expected, logits = np.asarray(recognizer(ages)), np.asarray(other(ages), "float32")
    np.testing.assert_allclose(logits, expected, atol=0.03 * np.abs(expected).max())


@pytest.mark.parametrize(
    "options",
    [{"units": (5, 4)}, {"kernel_initializer": keras.initializers.RandomNormal(stddev=1.0)}],
)
def test_saved_and_loaded_it_gives_the_same_and_learns_on(ages, persons, tmp_path, options):
    assert_loaded_it_gives_the_same_and_learns_on(compiled(recognizer_of(**options)), ages, persons, tmp_path)


def test_config_is_json():
    recognizer = recognizer_of(units=[5, 4], kernel_initializer=keras.initializers.RandomNormal(stddev=2.0))
    config = json.loads(json.dumps(recognizer.get_config()))
    again = agegait.GaitRecognizer.from_config(config)
    assert list(again.units) == [5, 4]
    assert keras.initializers.get(again.kernel_initializer).stddev == 2.0
    assert json.loads(json.dumps(again.get_config())) == config


class TestRefusals:
    def test_an_unknown_manner(self):
        with pytest.raises(ValueError, match="manner: expected one of ap, sc, received 'mean'"):
            recognizer_of("mean")

    def test_an_unknown_normalization(self):
        with pytest.raises(ValueError, match="normalize: expected one of None, 'standardize', 'whiten', received True"):
            recognizer_of(normalize=True)

    @pytest.mark.parametrize("normalize", ["standardize", "whiten"])
    def test_nothing_adapted_to(self, ages, persons, normalize):
        recognizer = compiled(recognizer_of(normalize=normalize))
        message = rf"normalize: expected adapt\(ages\) before, as '{normalize}' needs, received no data"
        for job in (recognizer.fit, recognizer.evaluate):
            with pytest.raises(ValueError, match=message):
                job(ages, persons, verbose=0)
        with pytest.raises(ValueError, match=message):
            recognizer.predict(ages, verbose=0)

    def test_data_to_adapt_to(self, ages):
        recognizer = recognizer_of(normalize="whiten")
        with pytest.raises(ValueError, match="data: expected a data set with an end, received one that repeats"):
            recognizer.adapt(tf.data.Dataset.from_tensors(ages).repeat())
        for data, received in (([], "no batches"), ([{"ages": ages}], "an array of object")):
            with pytest.raises(
                ValueError, match=f"data: expected an array of numbers or batches .*, received {received}"
            ):
                recognizer.adapt(iter(data))

    def test_what_is_no_data(self, persons):
        with pytest.raises(ValueError, match=r"x: expected an array, a tf\.data\.Dataset, .*, received int"):
            compiled(recognizer_of()).fit(5, persons)

    def test_single_frames_joined(self, ages):
        with pytest.raises(ValueError, match=r"inputs: expected AGEs \[B, f, D\], received a shape of \(4, 6\)"):
            recognizer_of("sc")(ages[0])

    def test_another_rank(self, ages):
        with pytest.raises(ValueError, match=r"inputs: expected AGEs \[B, f, D\] or \[B, D\], received a shape of"):
            recognizer_of()(ages[None])

    @pytest.mark.parametrize("normalize", [None, "standardize"])
    def test_another_size_than_before(self, ages, normalize):
        recognizer = recognizer_of(normalize=normalize)
        recognizer(ages)
        with pytest.raises(ValueError, match=r"inputs: expected AGEs of 6 values, received 5 in \(8, 4, 5\)"):
            recognizer(ages[..., :5])
