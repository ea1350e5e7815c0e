"""The layers of `GaitEmbedder`, each against plain loops, and what masks do."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import agegait
from agegait.layers import (
    BodyCoordinates,
    CosineClassifier,
    FrameEncodings,
    FrameFeatures,
    JointDistances,
    JointVelocities,
    StatisticsPooling,
    TemporalBlock,
)
from agegait.skeletons import JOINTS, STANDING

B, T, J, D = 3, 7, 5, 4
BODY = {"center": 1, "hips": (2, 4)}
WALKS = np.random.default_rng(0).normal(0.5, 0.4, (B, T, J, 3)).astype("float32")
FEATURES = np.random.default_rng(1).normal(1, 2, (B, T, D)).astype("float32")
LENGTHS = np.array([7, 4, 1])
MASK = np.arange(T) < LENGTHS[:, None]
"""One walk whole, one padded, one of a single frame."""


def body_frame(frame, center, left, right):
    """By the angle of the hips."""
    across = frame[right] - frame[left]
    angle = math.atan2(across[2], across[0])
    turn = np.array([[math.cos(angle), 0, math.sin(angle)], [0, 1, 0], [-math.sin(angle), 0, math.cos(angle)]])
    return np.array([turn @ (joint - frame[center]) for joint in frame])


def turned(walks, angle):
    turn = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]])
    return (walks @ turn).astype("float32")


class TestBodyCoordinates:
    def test_against_plain_loops(self):
        found = BodyCoordinates(**BODY)(WALKS).numpy()
        for walk, rows in zip(WALKS, found, strict=True):
            for frame, row in zip(walk, rows, strict=True):
                np.testing.assert_allclose(row, body_frame(frame.astype("float64"), 1, 2, 4).ravel(), atol=1e-5)

    def test_the_hips_of_a_standing_body_lie_along_x(self):
        body = turned(STANDING.astype("float32"), 0.7)[None]
        found = BodyCoordinates()(body).numpy().reshape(20, 3)
        left, right = found[JOINTS.index("HipLeft")], found[JOINTS.index("HipRight")]
        np.testing.assert_allclose(right - left, [0.16, 0, 0], atol=1e-6)
        assert not found[0].any()

    def test_where_somebody_stands_and_turns_to_has_no_part_in_it(self):
        layer = BodyCoordinates(**BODY)
        np.testing.assert_allclose(layer(turned(WALKS, 2.0) + np.float32([3, 1, -2])), layer(WALKS), atol=1e-5)

    def test_a_frame_of_zeros_stays_one_and_has_slopes(self):
        frames = tf.Variable(np.zeros((1, J, 3), "float32"))
        with tf.GradientTape() as tape:
            found = BodyCoordinates(**BODY)(frames)
        assert not found.numpy().any()
        assert np.isfinite(tape.gradient(found, frames).numpy()).all()

    def test_refusals(self):
        with pytest.raises(ValueError, match=r"expected indices of one and two joints, received 0 and \(1,\)"):
            BodyCoordinates(hips=(1,))
        with pytest.raises(ValueError, match=r"inputs: expected \[..., J, 3\] with at least 17 joints, received a"):
            BodyCoordinates()(WALKS)


class TestJointDistances:
    def test_against_plain_loops(self):
        found = JointDistances()(WALKS).numpy()
        for walk, rows in zip(WALKS, found, strict=True):
            for frame, row in zip(walk, rows, strict=True):
                pairs = [math.dist(frame[one], frame[other]) for one in range(J) for other in range(one + 1, J)]
                np.testing.assert_allclose(row, pairs, rtol=1e-5)

    def test_refuses_a_single_joint(self):
        with pytest.raises(ValueError, match=r"inputs: expected \[..., J, 3\] of two joints or more"):
            JointDistances()(WALKS[:, :, :1])


class TestJointVelocities:
    def test_against_plain_loops(self):
        found = JointVelocities(frame_rate=30, **BODY)(WALKS).numpy()
        for walk, rows in zip(WALKS, found, strict=True):
            frames = [body_frame(frame.astype("float64"), 1, 2, 4).ravel() for frame in walk]
            assert not rows[0].any()
            for t in range(1, T):
                np.testing.assert_allclose(rows[t], 30 * (frames[t] - frames[t - 1]), atol=1e-3)

    def test_none_is_taken_across_a_frame_that_is_masked(self):
        layer = JointVelocities(**BODY)
        mask = np.ones((B, T), bool)
        mask[0, 3] = False
        whole, found = layer(WALKS).numpy(), layer(WALKS, mask=mask).numpy()
        assert not found[0, 3:5].any()
        np.testing.assert_array_equal(np.delete(found[0], [3, 4], axis=0), np.delete(whole[0], [3, 4], axis=0))
        np.testing.assert_array_equal(found[1:], whole[1:])

    def test_refusals(self):
        with pytest.raises(ValueError, match="frame_rate: expected a positive number of frames a second, received 0"):
            JointVelocities(0)
        with pytest.raises(ValueError, match=r"inputs: expected walks \[B, T, J, 3\], received a shape of"):
            JointVelocities(**BODY)(WALKS[0])


class TestFrameEncodings:
    @pytest.fixture
    def layer(self):
        keras.utils.set_random_seed(0)
        return FrameEncodings(agegait.GaitEncoder(frames=3, joints=J, units=2), center=1)

    def test_each_frame_has_the_ages_of_its_window(self, layer):
        found = layer(WALKS).numpy()
        assert found.shape == (B, T, 6)
        for start in (0, 3):
            window = WALKS[:, start : start + 3]
            expected = layer.encoder(window - window[:, :, 1:2])["ages"]
            np.testing.assert_allclose(found[:, start : start + 3], expected, atol=1e-6)

    def test_frames_of_no_whole_window_are_masked(self, layer):
        assert layer.compute_mask(tf.constant(WALKS)).numpy().tolist() == [[True] * 6 + [False]] * B
        mask = MASK.copy()
        mask[0, 4] = False
        expected = np.zeros((B, T), bool)
        expected[0, :3] = expected[1, :3] = True
        np.testing.assert_array_equal(layer.compute_mask(tf.constant(WALKS), mask), expected)

    def test_the_mask_of_walks_of_any_length(self, layer):
        walks = keras.Input((None, J, 3))
        mask = layer.compute_mask(walks)
        found = keras.Model(walks, keras.ops.cast(mask, "int32"))(WALKS)
        np.testing.assert_array_equal(found, layer.compute_mask(tf.constant(WALKS)))

    def test_the_encoder_is_not_trained(self, layer):
        layer(WALKS)
        assert layer.weights
        assert not layer.trainable_weights

    def test_refuses_other_joints(self, layer):
        with pytest.raises(ValueError, match=r"inputs: expected walks \[B, T, 5, 3\], received a shape of"):
            layer(WALKS[:, :, :4])


class TestFrameFeatures:
    def test_features_stand_side_by_side_in_the_order_of_their_names(self):
        layer = FrameFeatures(("velocities", "distances", "coordinates"), frame_rate=25, **BODY)
        parts = JointVelocities(25, **BODY)(WALKS), JointDistances()(WALKS), BodyCoordinates(**BODY)(WALKS)
        np.testing.assert_allclose(layer(WALKS), np.concatenate(parts, axis=-1), rtol=1e-6)

    def test_adapted_features_have_mean_0_and_variance_1(self):
        layer = FrameFeatures(**BODY)
        layer.adapt([WALKS[0], WALKS[1, :5]])
        rows = np.concatenate([layer(WALKS[:1]).numpy()[0], layer(WALKS[1:2, :5]).numpy()[0]])
        varies = rows.std(axis=0) > 0.5
        assert np.flatnonzero(~varies).tolist() == [3, 4, 5, 15 + 10 + 3, 15 + 10 + 4, 15 + 10 + 5]  # of the centre
        np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(rows[:, varies].std(axis=0), 1, rtol=1e-3)

    def test_ages_are_whitened_over_frames_of_whole_windows(self):
        keras.utils.set_random_seed(0)
        encoder = agegait.GaitEncoder(frames=3, joints=J, units=1)
        layer = FrameFeatures(("ages",), encoder=encoder, **BODY)
        walks = list(np.random.default_rng(2).normal(size=(20, T, J, 3)).astype("float32"))
        layer.adapt(walks)
        rows = layer(np.stack(walks)).numpy()[:, :6].reshape(-1, 3)
        np.testing.assert_allclose(np.cov(rows.T, bias=True), np.eye(3), atol=0.05)
        assert layer.compute_mask(tf.constant(walks[0][None])).numpy().tolist() == [[True] * 6 + [False]]

    def test_refusals(self):
        for features in ((), ("height",), ("distances", "distances")):
            with pytest.raises(ValueError, match="features: expected some of coordinates, distances, velocities, ages"):
                FrameFeatures(features)
        with pytest.raises(ValueError, match="encoder: expected a GaitEncoder with the feature 'ages', and none"):
            FrameFeatures(("ages",))
        with pytest.raises(ValueError, match="walks: expected at least one walk, received none"):
            FrameFeatures(**BODY).adapt([])


class TestStatisticsPooling:
    @pytest.mark.parametrize("mask", [None, MASK])
    def test_against_plain_loops(self, mask):
        features = FEATURES.copy()
        if mask is not None:
            features[~mask] = np.nan  # padding may hold anything
        found = StatisticsPooling(epsilon=1e-4)(features, mask=mask).numpy()
        for number, walk in enumerate(FEATURES.astype("float64")):
            own = walk if mask is None else walk[mask[number]]
            expected = np.concatenate([own.mean(axis=0), np.sqrt(own.var(axis=0) + 1e-4)])
            np.testing.assert_allclose(found[number], expected, rtol=1e-4)

    @pytest.mark.parametrize("mask", [None, MASK])
    def test_segments_against_plain_loops(self, mask):
        """Segments of four frames, two after each other: 0 to 3, 2 to 5, 4 to 6."""
        layer = StatisticsPooling(segment=4, epsilon=1e-4)
        features = FEATURES.copy()
        if mask is not None:
            features[~mask] = np.nan
        found = layer(features, mask=mask).numpy()
        there = layer.compute_mask(tf.constant(features), mask).numpy()
        assert found.shape == (B, 3, 2 * D)
        expected = [[True] * 3] * B if mask is None else [[True] * 3, [True, False, False], [True, False, False]]
        assert there.tolist() == expected
        for number, walk in enumerate(FEATURES.astype("float64")):
            for segment in np.flatnonzero(there[number]):
                own = walk[: T if mask is None else LENGTHS[number]][2 * segment : 2 * segment + 4]
                expected = np.concatenate([own.mean(axis=0), np.sqrt(own.var(axis=0) + 1e-4)])
                np.testing.assert_allclose(found[number, segment], expected, rtol=1e-4)

    @pytest.mark.parametrize(("frames", "segments"), [(1, 1), (2, 1), (4, 1), (5, 2), (6, 2), (7, 3), (8, 3), (9, 4)])
    def test_segments_of_a_walk(self, frames, segments):
        layer = StatisticsPooling(segment=4)
        walk = np.ones((1, frames, D), "float32")
        assert layer(walk).shape == layer.compute_output_shape((1, frames, D)) == (1, segments, 2 * D)
        assert layer.compute_mask(tf.constant(walk)).numpy().tolist() == [[True] * segments]
        padded = np.concatenate([walk, np.zeros((1, 6, D), "float32")], axis=1)
        mask = np.arange(frames + 6)[None] < frames
        assert layer.compute_mask(tf.constant(padded), mask).numpy().sum() == segments

    def test_segments_of_walks_of_unknown_length_are_refused_by_name(self):
        with pytest.raises(ValueError, match="inputs: expected a known number of frames, since there are segments"):
            StatisticsPooling(segment=4)(keras.Input((None, D)))

    def test_slopes_are_numbers_where_nothing_moves_and_nothing_is_there(self):
        features = tf.Variable(np.zeros((2, T, D), "float32"))
        with tf.GradientTape() as tape:
            found = StatisticsPooling()(features, mask=np.array([[True] * T, [False] * T]))
        np.testing.assert_array_equal(found[:, :D], np.zeros((2, D)))
        assert np.isfinite(tape.gradient(found, features).numpy()).all()

    def test_a_mask_that_comes_with_the_inputs_is_obeyed_and_ends_here(self):
        inputs = keras.Input((None, D))
        pooled = StatisticsPooling()(keras.layers.Masking(0.0)(inputs))
        assert getattr(pooled, "_keras_mask", None) is None
        features = np.where(MASK[..., None], FEATURES, 0).astype("float32")
        expected = StatisticsPooling()(FEATURES, mask=MASK)
        np.testing.assert_allclose(keras.Model(inputs, pooled)(features), expected, rtol=1e-5)

    def test_refusals(self):
        with pytest.raises(ValueError, match="epsilon: expected a positive number, received 0"):
            StatisticsPooling(epsilon=0)
        with pytest.raises(ValueError, match="segment: expected an even number of frames or None, received 3"):
            StatisticsPooling(3)
        with pytest.raises(ValueError, match=r"inputs: expected \[B, T, D\], received a shape of"):
            StatisticsPooling()(FEATURES[0])


class TestTemporalBlock:
    @pytest.fixture
    def layer(self):
        layer = TemporalBlock(D, kernel_size=3, dilation=2)
        layer(FEATURES)
        random = np.random.default_rng(3)
        layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.weights])
        return layer

    def test_against_plain_loops(self, layer):
        kernel, bias = (np.asarray(weight, "float64") for weight in layer.convolution.weights)
        gamma, beta, mean, variance = (np.asarray(weight, "float64") for weight in layer.normalization.weights)
        found = layer(FEATURES).numpy()
        for walk, rows in zip(FEATURES.astype("float64"), found, strict=True):
            for t in range(T):
                hidden = bias.copy()
                for tap, frame in enumerate((t - 2, t, t + 2)):
                    if 0 <= frame < T:
                        hidden += walk[frame] @ kernel[tap]
                hidden = gamma * (hidden - mean) / np.sqrt(variance + layer.normalization.epsilon) + beta
                np.testing.assert_allclose(rows[t], walk[t] + np.maximum(hidden, 0), rtol=1e-4, atol=1e-4)

    def test_padding_changes_nothing(self, layer):
        padded = np.where(MASK[..., None], FEATURES, 1e6).astype("float32")
        found = layer(padded, mask=MASK).numpy()
        for number, length in enumerate(LENGTHS):
            np.testing.assert_allclose(
                found[number, :length], layer(FEATURES[number : number + 1, :length])[0], rtol=1e-5
            )

    def test_padding_has_no_part_in_the_batchs_statistics(self, layer):
        padded = np.where(MASK[..., None], FEATURES, 5).astype("float32")
        other = np.where(MASK[..., None], FEATURES, -5).astype("float32")
        found = [layer(walks, mask=MASK, training=True).numpy()[MASK] for walks in (padded, other)]
        np.testing.assert_allclose(*found, rtol=1e-5)

    def test_refusals(self):
        with pytest.raises(ValueError, match="kernel_size: expected an odd number of frames, received 2"):
            TemporalBlock(D, 2)
        with pytest.raises(ValueError, match=r"inputs: expected \[B, T, 3\], received a shape of"):
            TemporalBlock(3)(FEATURES)


class TestCosineClassifier:
    def test_against_plain_loops(self):
        layer = CosineClassifier(6)
        found = layer(FEATURES[:, 0]).numpy()
        for row, embedding in zip(found, FEATURES[:, 0], strict=True):
            for cosine, direction in zip(row, np.transpose(layer.kernel), strict=True):
                lengths = np.linalg.norm(embedding) * np.linalg.norm(direction)
                assert cosine == pytest.approx(embedding @ direction / lengths, abs=1e-6)

    def test_refuses_no_class(self):
        with pytest.raises(ValueError, match="num_classes: expected at least 1, received 0"):
            CosineClassifier(0)
