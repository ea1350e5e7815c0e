import functools
import itertools
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import agegait

F, J, K, N = 4, 5, 6, 3
PERSONS = ["ann", "bob", "cat"]


def make_parts(manner, embedding):
    """Models whose weights are far enough from zero to tell walks apart."""
    keras.utils.set_random_seed(0)
    encoder = agegait.GaitEncoder(frames=F, joints=J, units=K, num_layers=1)
    recognizer = agegait.GaitRecognizer(N, manner, units=5)
    encoder.build((None, F, J, 3))
    recognizer.build((None, F, 3 * K))
    random = np.random.default_rng(0)
    for model in (encoder, recognizer):
        model.set_weights([random.standard_normal(weight.shape) for weight in model.weights])
    if not embedding:
        return {"encoder": encoder, "recognizer": recognizer}
    embedder = agegait.GaitEmbedder(4, units=8, dilations=(1,), segment=6, hips=(1, 2))
    people = agegait.EmbeddingRecognizer(N)
    embedder.adapt(random.standard_normal((20, 9, J, 3)))
    people.adapt(random.standard_normal((N, 4)), range(N))
    return {"encoder": encoder, "recognizer": recognizer, "embedder": embedder, "embedding_recognizer": people}


same_parts = functools.cache(make_parts)


def identifier_of(manner="ap", embedding=False, parts=same_parts, **options):
    """An identifier of parts that others have too, and do not change."""
    return agegait.GaitIdentifier(**parts(manner, embedding), **options)


@pytest.fixture(scope="module")
def identifier():
    """One that is not compiled, once for each length of walks: that is for `test_predict`."""
    identifier = identifier_of(persons=PERSONS)
    identifier.run_eagerly = True
    return identifier


def draw_walks(number, length, seed=1):
    return np.random.default_rng(seed).standard_normal((number, length, J, 3)).astype("float32")


def by_hand(identifier, walk):
    """Centres a walk on the hip, cuts it into windows and names each: the windows' logits."""
    centred = walk - walk[:, :1]
    starts = range(0, len(walk) - F + 1, identifier.stride)
    windows = np.stack([centred[start : start + F] for start in starts])
    logits = np.asarray(identifier.recognizer(identifier.encoder(windows)["ages"]))
    if identifier.embedder is None:
        return logits
    share = len(walk) / (len(walk) + F) / 2
    of_walk = np.asarray(identifier.embedding_recognizer(identifier.embedder(walk[None])))
    return (1 - share) * logits + share * of_walk


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)


STRIDES = [(None, F), (None, 11), (1, 7), (3, 12)]
QUICK = [("ap", True, 1), ("ap", True, 3), ("ap", False, 0), ("sc", True, 2), ("sc", False, 3)]
"""Each manner, stride and kind of identifier once at the least."""


@pytest.mark.parametrize(
    ("manner", "embedding", "number"),
    [
        pytest.param(*case, marks=() if case in QUICK else pytest.mark.slow)
        for case in itertools.product(agegait.GaitRecognizer.MANNERS, (True, False), range(len(STRIDES)))
    ],
)
def test_logits_are_the_mean_over_windows(manner, embedding, number):
    stride, length = STRIDES[number]
    identifier = identifier_of(manner, embedding, stride=stride)
    walks = draw_walks(2, length)
    outputs = identifier(walks)
    for number, walk in enumerate(walks):
        expected = by_hand(identifier, walk)
        assert_close(outputs["window_logits"][number], expected)
        assert_close(outputs["logits"][number], expected.mean(axis=0))
        assert_close(outputs["probabilities"][number], softmax(expected.mean(axis=0)))


def test_computed_and_symbolic_shapes(identifier):
    expected = {
        **{"logits": (None, N), "probabilities": (None, N), "fault": (None,)},
        **{"window_logits": (None, 2, N), "window_fault": (None, 2)},
    }
    assert identifier.compute_output_shape((None, 11, J, 3)) == expected
    symbolic = identifier(keras.Input((11, J, 3)))
    assert {name: output.shape for name, output in symbolic.items()} == expected
    any_length = identifier({"skeleton": keras.Input((None, J, 3))}, lengths=keras.Input((), dtype="int32"))
    assert any_length["window_logits"].shape == (None, None, N)


@pytest.mark.slow
def test_length_may_be_known_at_run_time_alone(identifier):
    inputs = keras.Input((None, J, 3))
    model = keras.Model(inputs, identifier(inputs)["logits"])
    traced = tf.function(identifier.call, input_signature=[tf.TensorSpec([None, None, J, 3])])
    for length in (F, 9, 13):
        walks = draw_walks(2, length)
        expected = [by_hand(identifier, walk).mean(axis=0) for walk in walks]
        assert_close(model(walks), expected)
        assert_close(traced(walks)["logits"], expected)


@pytest.mark.parametrize(
    "padding", [0.0, np.nan, *(pytest.param(other, marks=pytest.mark.slow) for other in (1e6, np.inf))]
)
@pytest.mark.parametrize(
    ("stride", "embedding"),
    [(None, False), (1, True), *(pytest.param(*one, marks=pytest.mark.slow) for one in ((1, False), (None, True)))],
)
def test_padding_is_not_seen(padding, stride, embedding):
    identifier = identifier_of(stride=stride, embedding=embedding)
    lengths = [F, 7, 9, 12]
    walks = draw_walks(4, 12)
    for walk, length in zip(walks, lengths, strict=True):
        walk[length:] = padding
    outputs = identifier(walks, lengths=np.array(lengths))
    for number, length in enumerate(lengths):
        alone = identifier(walks[number : number + 1, :length])
        assert_close(outputs["logits"][number], alone["logits"][0])
        assert_close(outputs["probabilities"][number], alone["probabilities"][0])


@pytest.mark.parametrize("embedding", [False, True])
def test_lengths_out_of_range_neither_divide_by_zero_nor_dilute(embedding):
    identifier = identifier_of(embedding=embedding)
    walks = draw_walks(3, 8)
    outputs = identifier(walks, lengths=np.array([8, 80, F - 1]))
    assert_close(outputs["logits"][:2], identifier(walks[:2])["logits"])
    np.testing.assert_array_equal(outputs["logits"][2], np.zeros(N))


@pytest.mark.parametrize("embedding", [False, True])
def test_normalization_is_part_of_it(embedding):
    identifier = identifier_of(embedding=embedding)
    walks = draw_walks(2, 8)
    expected = identifier(walks)["logits"]
    assert_close(identifier(walks + np.float32([1, -2, 3]))["logits"], expected)
    millimetres = identifier_of(normalization=agegait.SkeletonNormalization(unit="mm"), embedding=embedding)
    assert_close(millimetres(1000 * walks)["logits"], expected)
    uncentred = identifier_of(normalization=agegait.SkeletonNormalization(center=None))
    assert not np.allclose(uncentred(walks)["logits"], expected, atol=1e-2)


def test_frames_without_a_body_are_not_embedded():
    identifier = identifier_of(embedding=True)
    walks = draw_walks(1, 12)
    expected = identifier.recognize_walks(walks)
    lost = np.concatenate([walks, np.full((1, 4, J, 3), np.nan, "float32")], axis=1)
    for name, values in identifier.recognize_walks(lost).items():
        assert_close(values, expected[name])
    assert expected["frames"].numpy().tolist() == [12]
    found = identifier(lost)
    assert found["window_fault"].numpy().tolist() == [[0, 0, 0, 1]]
    assert_close(found["logits"], identifier(walks)["logits"])
    nobody = identifier.recognize_walks(np.full_like(walks, np.nan))
    np.testing.assert_array_equal(nobody["logits"], np.zeros((1, N)))
    assert nobody["frames"].numpy().tolist() == [0]


class TestIdentify:
    def test_walks_of_any_lengths(self, identifier):
        walks = [draw_walks(1, length, seed=length)[0] for length in (5, 8, 13)]
        found = identifier.identify(walks)
        for walk, (person, score, _) in zip(walks, found, strict=True):
            probabilities = softmax(by_hand(identifier, walk).mean(axis=0))
            assert person == PERSONS[probabilities.argmax()]
            assert score == pytest.approx(probabilities.max(), rel=1e-4)
        assert identifier.identify(walks[1]) == [found[1]]
        assert identifier.identify(walks[1][None]) == [found[1]]
        assert identifier.identify([]) == []

    @pytest.mark.parametrize("at_once", [1, 2048])
    def test_answers_come_in_the_order_of_walks(self, identifier, monkeypatch, at_once):
        monkeypatch.setattr("agegait.models.gait_identifier.WINDOWS_AT_ONCE", at_once)
        walks = [draw_walks(1, length, seed=seed)[0] for seed, length in enumerate((8, 13, 8, 5))]
        found = identifier.identify(walks)
        alone = [identifier.identify(walk)[0] for walk in walks]
        assert [one.person for one in found] == [one.person for one in alone]
        assert [one.score for one in found] == pytest.approx([one.score for one in alone], rel=1e-4)
        assert len({round(one.score, 5) for one in alone}) == len(walks)

    @pytest.mark.usefixtures("eagerly")
    def test_an_embedder_sees_the_parts_of_a_long_walk(self, monkeypatch):
        identifier = identifier_of(embedding=True, persons=PERSONS)
        walk = draw_walks(1, 22)[0]
        monkeypatch.setattr("agegait.models.gait_identifier.WINDOWS_AT_ONCE", 2)
        logits = np.concatenate([by_hand(identifier, walk[start : start + 2 * F]) for start in (0, 8, 16)])
        ((person, score, _),) = identifier.identify(walk)
        probabilities = softmax(logits.mean(axis=0))
        assert (person, score) == (PERSONS[probabilities.argmax()], pytest.approx(probabilities.max(), rel=1e-4))

    def test_people_without_names_have_numbers(self):
        identifier = identifier_of()
        identifier.run_eagerly = True
        ((person, _, _),) = identifier.identify(draw_walks(1, 8))
        assert person in {"0", "1", "2"}

    @pytest.mark.parametrize("wrong", [np.nan, np.inf])
    def test_refuses_what_is_not_finite(self, identifier, wrong):
        good, bad = draw_walks(2, 8)
        bad[3, 2, 1] = wrong
        with pytest.raises(ValueError, match="expected finite coordinates, received NaN or infinity in walk 1"):
            identifier.identify([good, bad])

    @pytest.mark.parametrize("shape", [(F - 1, J, 3), (8, J + 1, 3), (8, J, 2), (8, J)])
    def test_refuses_another_shape(self, identifier, shape):
        with pytest.raises(ValueError, match=r"expected walks \[B, T, 5, 3\] with T of at least 4, received a shape"):
            identifier.identify([np.zeros(shape)])


class TestKerasContract:
    def test_predict(self):
        identifier, walks = identifier_of(), draw_walks(3, 9)
        expected = identifier(walks)["logits"]
        for data in (walks, {"skeleton": walks}, tf.data.Dataset.from_tensor_slices(walks).batch(2)):
            assert_close(identifier.predict(data, verbose=0)["logits"], expected)

    @pytest.mark.filterwarnings("ignore:Gradients do not exist")  # a person's name says nothing of the reconstruction
    def test_can_be_trained_as_a_whole(self):
        identifier = identifier_of(parts=make_parts)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        identifier.compile(keras.optimizers.Adam(0.01), loss={"logits": loss}, run_eagerly=True)
        walks, persons = draw_walks(3, 8), np.arange(3)
        before = identifier.encoder.get_weights()
        losses = identifier.fit(walks, {"logits": persons}, epochs=4, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        assert not np.array_equal(before[0], identifier.encoder.get_weights()[0])
        assert identifier.evaluate(walks, {"logits": persons}, verbose=0) < losses[0]

    @pytest.mark.parametrize("embedding", [False, True])
    def test_clone(self, embedding):
        identifier = identifier_of(embedding=embedding)
        identifier(draw_walks(1, 8))
        clone = keras.models.clone_model(identifier)
        clone.set_weights(identifier.get_weights())
        walks = draw_walks(2, 8)
        np.testing.assert_array_equal(clone(walks)["logits"], identifier(walks)["logits"])
        assert clone.encoder is not identifier.encoder

    def test_config_is_json_and_whole(self):
        normalization = agegait.SkeletonNormalization(center=2, unit="cm")
        identifier = identifier_of("sc", persons=PERSONS, stride=2, normalization=normalization)
        config = json.loads(json.dumps(identifier.get_config()))
        again = agegait.GaitIdentifier.from_config(config)
        assert (list(again.persons), again.stride, again.recognizer.manner) == (PERSONS, 2, "sc")
        assert (again.normalization.center, again.normalization.unit) == (2, "cm")
        assert again.embedder is None
        config = json.loads(json.dumps(identifier_of(embedding=True).get_config()))
        again = agegait.GaitIdentifier.from_config(config)
        assert (again.embedder.units, again.embedding_recognizer.num_persons) == (8, N)
        del config["embedder"], config["embedding_recognizer"]  # as it was before there were any
        assert agegait.GaitIdentifier.from_config({**config, "window_recognizer": None}).embedder is None
        with pytest.raises(ValueError, match="window_recognizer: expected none, received one"):
            agegait.GaitIdentifier.from_config({**config, "window_recognizer": {}})

    def test_summary(self, identifier):
        lines = []
        identifier.summary(print_fn=lambda line, **_: lines.append(line))
        assert "normalization" in "".join(lines)

    @pytest.mark.slow
    @pytest.mark.parametrize("embedding", [False, True])
    def test_loaded_in_a_fresh_process_it_names_the_same(self, tmp_path, embedding):
        walks = draw_walks(2, 10)
        identifier = identifier_of(embedding=embedding, persons=PERSONS)
        identifier.run_eagerly = True
        expected = identifier.identify(walks)
        identifier.save(tmp_path / "identifier.keras")
        np.save(tmp_path / "walks.npy", walks)
        program = """
import sys, keras, numpy as np, agegait.models
identifier = keras.models.load_model(sys.argv[1] + "/identifier.keras")
identifier.run_eagerly = True
for person, score, _ in identifier.identify(np.load(sys.argv[1] + "/walks.npy")):
    print("named", person, score)
"""
        finished = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
        assert finished.returncode == 0, finished.stderr[-2000:]
        named = [line.split()[1:] for line in finished.stdout.splitlines() if line.startswith("named")]
        assert [person for person, _ in named] == [one.person for one in expected]
        assert [float(score) for _, score in named] == pytest.approx([one.score for one in expected], rel=1e-4)


class TestRefusals:
    @pytest.mark.parametrize("shape", [(2, F - 1, J, 3), (2, 8, J - 1, 3), (2, 8, J, 2), (8, J, 3)])
    def test_walks_of_another_shape(self, identifier, shape):
        with pytest.raises(ValueError, match=r"expected walks \[B, T, 5, 3\] with T of at least 4, received a shape"):
            identifier(np.zeros(shape, "float32"))

    def test_arguments(self, identifier):
        parts = identifier.encoder, identifier.recognizer
        with pytest.raises(ValueError, match="persons: expected 3 names, as the recognizer has, received 2"):
            agegait.GaitIdentifier(*parts, persons=PERSONS[:2])
        embedder = agegait.GaitEmbedder(4, units=8, hips=(1, 2))
        with pytest.raises(ValueError, match="embedding_recognizer: expected 3 people, as the recognizer has, receiv"):
            agegait.GaitIdentifier(*parts, embedder=embedder, embedding_recognizer=agegait.EmbeddingRecognizer(4))
        with pytest.raises(ValueError, match="embedding_recognizer: expected one with an embedder, and none without"):
            agegait.GaitIdentifier(*parts, embedder=embedder)
        with pytest.raises(ValueError, match="stride: expected at least one frame, received 0"):
            agegait.GaitIdentifier(*parts, stride=0)

    def test_parts_that_do_not_fit(self, identifier):
        embedder = agegait.GaitEmbedder(4, units=8, dilations=(1,), hips=(1, 2))
        embedder.adapt(np.ones((2, 9, J - 1, 3)))
        people = agegait.EmbeddingRecognizer(N)
        with pytest.raises(ValueError, match="embedder: expected 5 joints, as the encoder has, received 4"):
            agegait.GaitIdentifier(
                identifier.encoder, identifier.recognizer, embedder=embedder, embedding_recognizer=people
            )(draw_walks(1, 8))
        other = agegait.GaitEncoder(frames=F, joints=J, units=K + 1)
        with pytest.raises(ValueError, match="expected AGEs of 18 values, received 21"):
            agegait.GaitIdentifier(other, identifier.recognizer)(draw_walks(1, 8))
