import functools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import agegait
from agegait.losses import AdditiveMarginSoftmax, SupervisedContrastive
from agegait.models import gait_embedder

J = 5
BODY = {"hips": (1, 2)}
SMALL = {"embedding_size": 6, "units": 8, "dilations": (1, 2), "segment": 8, **BODY}
random = np.random.default_rng(0)
BODIES = random.normal(0, 0.4, (3, J, 3))
WALKS = [
    np.float32(BODIES[number % 3] + random.normal(0, 0.05, (frames, J, 3)))
    for number, frames in enumerate((9, 14, 11, 20, 9, 16))
]
PERSONS = np.arange(6) % 3


def batch(fill=0.0, frames=24):
    """All walks in one, padded by something."""
    skeletons = np.full((len(WALKS), frames, J, 3), fill, "float32")
    for row, walk in zip(skeletons, WALKS, strict=True):
        row[: len(walk)] = walk
    return {"skeleton": skeletons, "length": np.array([len(walk) for walk in WALKS], "int32")}


def alone(embedder):
    return np.concatenate([embedder(walk[None]) for walk in WALKS])


@pytest.fixture(scope="module")
def embedder():
    """For tests that do not change it."""
    keras.utils.set_random_seed(0)
    made = agegait.GaitEmbedder(**SMALL)
    made.adapt(WALKS)
    made(WALKS[0][None])
    # Batch normalization as after a training.
    made.set_weights([weight + 0.1 * random.random(weight.shape) for weight in made.get_weights()])
    return made


@functools.cache
def with_ages():
    keras.utils.set_random_seed(1)
    encoder = agegait.GaitEncoder(frames=3, joints=J, units=2)
    made = agegait.GaitEmbedder(features=("ages", "distances"), encoder=encoder, **SMALL)
    made.adapt(WALKS)
    made(WALKS[0][None])
    return made


def test_embeddings_have_unit_length(embedder):
    found = alone(embedder)
    assert found.shape == (6, 6)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    assert np.abs(found[0] - found[1]).max() > 0.01


@pytest.mark.parametrize("fill", [*(pytest.param(fill, marks=pytest.mark.slow) for fill in (0.0, 1e3)), np.nan])
@pytest.mark.parametrize("make", [None, pytest.param(with_ages, marks=pytest.mark.slow)])
def test_a_walk_is_the_same_alone_and_padded(embedder, make, fill):
    embedder = make() if make else embedder
    padded = batch(fill)
    expected = alone(embedder)
    np.testing.assert_allclose(embedder(padded), expected, atol=1e-5)
    np.testing.assert_allclose(embedder(padded["skeleton"], lengths=padded["length"]), expected, atol=1e-5)
    mask = np.arange(24) < padded["length"][:, None]
    np.testing.assert_allclose(embedder(padded["skeleton"], mask=mask), expected, atol=1e-5)
    np.testing.assert_allclose(embedder.predict_on_batch(padded), expected, atol=1e-5)


def test_a_walk_is_the_mean_of_its_segments(embedder):
    whole = agegait.GaitEmbedder(**{**SMALL, "segment": None})
    whole.build((None, None, J, 3))
    whole.set_weights(embedder.get_weights())
    # Convolutions see over the ends of segments, so that these are cut by masks of what is pooled.
    features = embedder.frame_features(WALKS[3][None])
    hidden = keras.ops.relu(embedder.normalization(embedder.projection(features)))
    for block in embedder.blocks:
        hidden = block(hidden)
    frames = keras.ops.concatenate([hidden, features], axis=-1)
    parts = []
    for start in (0, 4, 8, 12):
        pooled = whole.pooling(frames[:, start : start + 8])
        part = whole.embedding_normalization(whole.embedding(whole.pooled_normalization(pooled))).numpy()[0]
        parts.append(part / np.linalg.norm(part))
    mean = np.mean(parts, axis=0)
    np.testing.assert_allclose(embedder(WALKS[3][None])[0], mean / np.linalg.norm(mean), atol=1e-5)
    short = WALKS[0][None, :8]
    np.testing.assert_allclose(embedder(short), whole(short), atol=1e-6)


def test_lost_frames_have_no_part_in_it(embedder):
    walk, mask = WALKS[3][None].copy(), np.ones((1, 20), bool)
    mask[0, 8] = False
    before = embedder(walk, mask=mask)
    walk[0, 8] = np.nan
    np.testing.assert_array_equal(embedder(walk, mask=mask), before)
    assert np.isfinite(before).all()


def test_a_walk_without_frames_has_an_embedding_of_zeros(embedder):
    padded = batch()
    padded["length"][2] = 0
    found = embedder(padded).numpy()
    assert not found[2].any()
    np.testing.assert_allclose(np.delete(found, 2, axis=0), np.delete(alone(embedder), 2, axis=0), atol=1e-5)


def test_where_somebody_walks_and_turns_to_has_no_part_in_it(embedder):
    turn = np.float32([[0.6, 0, 0.8], [0, 1, 0], [-0.8, 0, 0.6]])
    walk = WALKS[1][None]
    np.testing.assert_allclose(embedder(walk @ turn + np.float32([3, 1, 2])), embedder(walk), atol=1e-4)


def test_embed_takes_walks_of_any_lengths_in_their_order(embedder, monkeypatch):
    expected = alone(embedder)
    np.testing.assert_allclose(embedder.embed(WALKS), expected, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(WALKS[3]), expected[3:4], atol=1e-5)
    np.testing.assert_allclose(embedder.embed(np.stack([WALKS[0], WALKS[4]])), expected[[0, 4]], atol=1e-5)
    assert embedder.embed([]).shape == (0, 6)
    monkeypatch.setattr(embedder, "predict_function", None)
    embedder.run_eagerly = True  # no graph of each size
    monkeypatch.setattr(gait_embedder, "FRAMES_AT_ONCE", 70)  # four walks of up to 16 frames, or two of up to 32
    sizes = []
    whole = embedder.predict_on_batch
    monkeypatch.setattr(embedder, "predict_on_batch", lambda x: sizes.append(x["skeleton"].shape) or whole(x))
    np.testing.assert_allclose(embedder.embed(WALKS), expected, atol=1e-5)
    assert sizes == [(4, 16, J, 3), (2, 32, J, 3)]
    long = [np.concatenate([WALKS[3]] * 5), *WALKS[:2]]
    assert np.isfinite(embedder.embed(long)).all()
    assert sizes[2:] == [(2, 16, J, 3), (1, 128, J, 3)]
    embedder.run_eagerly = False


@pytest.mark.parametrize(
    ("walk", "message"),
    [
        (np.zeros((0, J, 3)), r"expected \[T, J, 3\], received \[0, 5, 3\] for walk 1"),
        (np.zeros((4, J)), r"expected \[T, J, 3\], received \[4, 5\] for walk 1"),
        (np.full((4, J, 3), np.nan), "expected finite coordinates, received NaN or infinity in walk 1"),
    ],
)
def test_embed_refuses_what_is_no_walk(embedder, walk, message):
    with pytest.raises(ValueError, match=message):
        embedder.embed([WALKS[0], walk])


@pytest.mark.parametrize("make", [None, with_ages])
def test_saved_and_loaded_it_gives_the_same(embedder, make, tmp_path):
    embedder = make() if make else embedder
    embedder.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(batch()), embedder(batch()))
    assert json.loads(json.dumps(loaded.get_config())) == json.loads(json.dumps(embedder.get_config()))


CLIPS = {"frames": (4, 9), "mirror": False, "jitter": 0}


def test_built_by_a_dict_it_is_saved_too(tmp_path):
    made = agegait.GaitEmbedder(**SMALL)
    expected = made(batch())
    made.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(batch()), expected)


def trained(classes=0, epochs=3, eagerly=True, batches=5, **options):
    """An embedder, what trained it, and how that went."""
    keras.utils.set_random_seed(2)
    embedder = agegait.GaitEmbedder(**{**SMALL, **options})
    embedder.adapt(WALKS)
    model = embedder.classifier(classes) if classes else embedder
    loss = AdditiveMarginSoftmax() if classes else SupervisedContrastive()
    metrics = ["accuracy"] if classes else None
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=metrics, run_eagerly=eagerly)
    clips = agegait.data.BalancedClips(WALKS, PERSONS, batches=batches, **CLIPS)
    history = model.fit(clips, epochs=epochs, shuffle=False, verbose=0).history
    return embedder, model, history


@pytest.mark.slow
@pytest.mark.parametrize("classes", [0, 3])
def test_fit_brings_a_persons_walks_together(classes):
    embedder, _, history = trained(classes, epochs=6, eagerly=not classes)
    assert history["loss"][-1] < history["loss"][0]
    if classes:
        assert history["accuracy"][-1] > 0.9
    cosines = embedder.embed(WALKS) @ embedder.embed(WALKS).T
    np.fill_diagonal(cosines, -1)
    assert PERSONS[cosines.argmax(axis=1)].tolist() == PERSONS.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("classes", [0, 3])
def test_a_trained_one_is_saved_with_its_optimizer_and_learns_on(classes, tmp_path):
    _, model, _ = trained(classes, epochs=1, batches=2, dropout=0, frame_dropout=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    losses = []
    for one in (model, loaded):
        one.run_eagerly = True
        clips = agegait.data.BalancedClips(WALKS, PERSONS, batches=2, **CLIPS)
        losses.append(one.fit(clips, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-4)


@pytest.mark.slow
def test_the_same_training_twice_gives_the_same():
    (one, _, history), (other, _, again) = (trained(3, epochs=2) for _ in range(2))
    assert history == again
    np.testing.assert_array_equal(one.embed(WALKS), other.embed(WALKS))


@pytest.mark.slow
def test_fit_takes_arrays_and_tf_data_too():
    embedder, _, _ = trained(epochs=1)
    padded = batch()
    for data in ((padded, PERSONS), (padded["skeleton"], PERSONS)):
        assert np.isfinite(embedder.fit(*data, verbose=0).history["loss"]).all()
    dataset = tf.data.Dataset.from_tensor_slices((padded, PERSONS)).batch(3)
    assert np.isfinite(embedder.fit(dataset, verbose=0).history["loss"]).all()
    assert np.isfinite(embedder.evaluate(dataset, verbose=0)).all()


def test_a_classifier_reads_the_embedders_cosines_and_leaves_nothing_in_it(embedder):
    classifier = embedder.classifier(4)
    directions = np.asarray(classifier.get_layer("classes").kernel)
    expected = alone(embedder) @ (directions / np.linalg.norm(directions, axis=0))
    np.testing.assert_allclose(classifier(batch()), expected, atol=1e-5)
    assert len(embedder.weights) == len(classifier.weights) - 1
    with pytest.raises(
        ValueError, match="classifier: expected an embedder after `adapt` or a call, received one before"
    ):
        agegait.GaitEmbedder(**SMALL).classifier(4)


def test_mixed_precision_stays_close_and_of_unit_length(embedder):
    half = agegait.GaitEmbedder(**SMALL, dtype="mixed_bfloat16")
    half.build((None, None, J, 3))
    half.set_weights(embedder.get_weights())
    found = half(batch())
    assert found.dtype == tf.float32
    assert half.blocks[0].compute_dtype == "bfloat16"
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    assert np.min(np.sum(found * alone(embedder), axis=1)) > 0.995
    far = batch()
    far["skeleton"] += np.float32(30)
    np.testing.assert_allclose(half(far), found, atol=0.02)


@pytest.mark.slow
def test_mixed_precision_trains():
    _, _, history = trained(3, epochs=4, dtype="mixed_bfloat16")
    assert history["loss"][-1] < history["loss"][0]


def test_in_a_functional_model_of_walks_of_any_length(embedder):
    skeletons, lengths = keras.Input((None, J, 3)), keras.Input((), dtype="int32")
    model = keras.Model([skeletons, lengths], embedder(skeletons, lengths=lengths))
    assert model.output_shape == (None, 6)
    padded = batch()
    np.testing.assert_allclose(model([padded["skeleton"], padded["length"]]), alone(embedder), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"embedding_size": 0}, "embedding_size: expected at least 1, received 0"),
        ({"units": 0}, "units: expected at least 1, received 0"),
        ({"features": ("height",)}, "features: expected some of coordinates, distances, velocities, ages"),
    ],
)
def test_refused_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        agegait.GaitEmbedder(**options)


def test_refuses_what_are_no_walks(embedder):
    with pytest.raises(ValueError, match=r"inputs: expected walks \[B, T, 5, 3\], received a shape of \(9, 5, 3\)"):
        embedder(WALKS[0])


@pytest.mark.parametrize("make", [None, with_ages])
def test_a_fingerprint_outlives_saving(embedder, make, tmp_path):
    embedder = make() if make else embedder
    print_of = embedder.fingerprint()
    assert len(print_of) == 64
    embedder.save(tmp_path / "embedder.keras")
    loaded = keras.models.load_model(tmp_path / "embedder.keras")
    assert loaded.fingerprint() == print_of
    weight = loaded.weights[-1]
    weight.assign_add(keras.ops.full(weight.shape, 1e-3))
    assert loaded.fingerprint() != print_of


def test_a_fingerprint_is_of_the_config_too():
    prints = []
    for options in ({}, {}, {"segment": 10}, {"frame_rate": 25.0}):
        keras.utils.set_random_seed(0)
        made = agegait.GaitEmbedder(**{**SMALL, **options})
        made.adapt(WALKS)
        prints.append(made.fingerprint())
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3
    with pytest.raises(ValueError, match="expected a model with weights"):
        agegait.GaitEmbedder(**SMALL).fingerprint()
