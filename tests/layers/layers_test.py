"""Each layer against Keras's contract, then against plain loops over one axis of one window."""

import json
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import tree

from agegait import layers
from agegait.layers import (
    AxisLSTM,
    BasicAttention,
    BodyCheck,
    BodyCoordinates,
    CosineClassifier,
    FrameEncodings,
    FrameFeatures,
    JointDistances,
    JointVelocities,
    LocalityAwareAttention,
    MaskedBasicAttention,
    ReverseDecoder,
    SkeletonEncoder,
    SkeletonNormalization,
    Standardization,
    StatisticsPooling,
    TemporalBlock,
    Whitening,
    WindowMeasures,
)
from agegait.models import GaitEncoder
from agegait.skeletons import JOINTS

A, B, F, J, K = 3, 2, 3, 5, 6
STATE = (A, B, K)
STATES = [(STATE, STATE), (STATE, STATE)]


class Case(NamedTuple):
    """A layer, made with its dtype, and the shapes of its call's arguments."""

    make: Callable[..., keras.layers.Layer]
    shapes: dict[str, Any]


def decoder(feed, attention=LocalityAwareAttention, dtype=None, **options):
    return ReverseDecoder(J, attention(K, dtype=dtype), feed=feed, dtype=dtype, **options)


def encodings(dtype=None, **options):
    return FrameEncodings(GaitEncoder(frames=2, joints=J, units=K, dtype=dtype), dtype=dtype, **options)


BODY = {"center": 1, "hips": (2, 4)}
MEMORY = {"memory": (A, B, F, K), "initial_state": STATES}
CASES = {
    "AxisLSTM": Case(lambda **options: AxisLSTM(K, **options), {"inputs": (A, B, F, J)}),
    "AxisLSTM from a state": Case(
        lambda **options: AxisLSTM(K, forget_bias=0.5, **options),
        {"inputs": (A, B, F, J), "initial_state": (STATE, STATE)},
    ),
    "SkeletonEncoder": Case(lambda **options: SkeletonEncoder(K, num_layers=2, **options), {"inputs": (A, B, F, J)}),
    "BasicAttention": Case(
        lambda **options: BasicAttention(K, **options), {"query": (A, B, F - 1, K), "value": (A, B, F, J)}
    ),
    "BodyCheck": Case(BodyCheck, {"inputs": (B, F, len(JOINTS), 3)}),
    "BodyCheck of any joints": Case(lambda **options: BodyCheck(finite_only=True, **options), {"inputs": (B, F, J, 3)}),
    "BodyCoordinates": Case(lambda **options: BodyCoordinates(**BODY, **options), {"inputs": (B, F, J, 3)}),
    "CosineClassifier": Case(lambda **options: CosineClassifier(K, **options), {"inputs": (B, J)}),
    "FrameEncodings": Case(encodings, {"inputs": (B, F + 1, J, 3)}),
    "FrameFeatures": Case(lambda **options: FrameFeatures(frame_rate=10, **BODY, **options), {"inputs": (B, F, J, 3)}),
    "JointDistances": Case(JointDistances, {"inputs": (B, F, J, 3)}),
    "JointVelocities": Case(
        lambda **options: JointVelocities(frame_rate=10, **BODY, **options), {"inputs": (B, F, J, 3)}
    ),
    "LocalityAwareAttention": Case(
        lambda **options: LocalityAwareAttention(K, sigma=1.5, **options),
        {"query": (A, B, F, K), "value": (A, B, F, K)},
    ),
    "MaskedBasicAttention": Case(
        lambda **options: MaskedBasicAttention(K, sigma=1.5, direction="forward", **options),
        {"query": (A, B, F - 1, K), "value": (A, B, F, J)},
    ),
    "ReverseDecoder zeros": Case(lambda **options: decoder("zeros", **options), MEMORY),
    "ReverseDecoder previous": Case(lambda **options: decoder("previous", **options), MEMORY),
    "ReverseDecoder target": Case(lambda **options: decoder("target", **options), {**MEMORY, "target": (A, B, F, J)}),
    "SkeletonNormalization": Case(
        lambda **options: SkeletonNormalization(center=1, unit="mm", **options), {"inputs": (B, F, J, 3)}
    ),
    "Standardization": Case(Standardization, {"inputs": (B, F, J)}),
    "StatisticsPooling": Case(lambda **options: StatisticsPooling(epsilon=1e-3, **options), {"inputs": (B, F, J)}),
    "StatisticsPooling of segments": Case(
        lambda **options: StatisticsPooling(segment=2, **options), {"inputs": (B, F, J)}
    ),
    "TemporalBlock": Case(lambda **options: TemporalBlock(J, dilation=2, **options), {"inputs": (B, F, J)}),
    "Whitening": Case(lambda **options: Whitening(epsilon=1e-3, **options), {"inputs": (B, F, J)}),
    "WindowMeasures": Case(WindowMeasures, {"inputs": (B, F, J, 3)}),
}
UNTRAINED = (
    BodyCheck,
    BodyCoordinates,
    FrameEncodings,
    FrameFeatures,
    JointDistances,
    JointVelocities,
    SkeletonNormalization,
    Standardization,
    StatisticsPooling,
    Whitening,
    WindowMeasures,
)
BATCH_FIRST = (*UNTRAINED, CosineClassifier, TemporalBlock)
TRAINED = [name for name, case in CASES.items() if not isinstance(case.make(), UNTRAINED)]
BY_AXIS = [name for name, case in CASES.items() if not isinstance(case.make(), BATCH_FIRST)]

every_layer = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
every_layer_with_weights = pytest.mark.parametrize("case", [CASES[name] for name in TRAINED], ids=TRAINED)
every_layer_by_axis = pytest.mark.parametrize("case", [CASES[name] for name in BY_AXIS], ids=BY_AXIS)


def map_shapes(change, shapes):
    return tree.map_shape_structure(change, shapes)


def draw(shapes, seed=0):
    random = np.random.default_rng(seed)
    return map_shapes(lambda shape: random.standard_normal(shape).astype("float32"), shapes)


def shapes_of(outputs):
    return [tuple(output.shape) for output in tree.flatten(outputs)]


def arrays(outputs):
    return [keras.ops.convert_to_numpy(keras.ops.cast(output, "float64")) for output in tree.flatten(outputs)]


def output_shapes(layer, shapes):
    found = []
    map_shapes(found.append, layer.compute_output_shape(*shapes.values()))
    return found


def functional(case):
    """The layer in a functional model of any number of windows, and inputs for it in the model's order."""
    layer = case.make()
    axis = 0 if isinstance(layer, BATCH_FIRST) else 1
    any_batch = map_shapes(lambda shape: (*shape[:axis], None, *shape[axis + 1 :]), case.shapes)
    inputs = map_shapes(lambda shape: keras.Input(batch_shape=shape), any_batch)
    return keras.Model(tree.flatten(inputs), tree.flatten(layer(**inputs))), tree.flatten(draw(case.shapes))


def randomized(layer, shapes, seed=1):
    """The layer with weights that are all off zero, biases too."""
    layer(**draw(shapes))
    random = np.random.default_rng(seed)
    layer.set_weights([0.5 * random.standard_normal(weight.shape) for weight in layer.weights])
    return layer


def test_every_public_layer_is_tried():
    assert {type(case.make()).__name__ for case in CASES.values()} == set(layers.__all__)


@every_layer
def test_config_survives_json(case):
    layer = case.make(name="named", dtype="mixed_bfloat16")
    config = json.loads(json.dumps(layer.get_config()))
    again = type(layer).from_config(config)
    assert again.name == "named"
    assert again.compute_dtype == "bfloat16"
    assert json.loads(json.dumps(again.get_config())) == config


@every_layer
def test_shapes_symbolic_computed_and_eager(case):
    model, inputs = functional(case)
    eager = shapes_of(case.make()(**draw(case.shapes)))
    assert output_shapes(case.make(), case.shapes) == eager
    assert shapes_of(model(inputs)) == eager
    for symbolic, shape in zip(model.outputs, eager, strict=True):
        assert len(symbolic.shape) == len(shape)
        assert all(size in (None, expected) for size, expected in zip(symbolic.shape, shape, strict=True))
        assert sum(size is None for size in symbolic.shape) == 1


@every_layer
def test_saved_and_loaded_in_a_model_it_gives_the_same(case, tmp_path):
    model, inputs = functional(case)
    random = np.random.default_rng(2)
    model.set_weights([random.standard_normal(weight.shape) for weight in model.weights])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for ours, theirs in zip(arrays(model(inputs)), arrays(loaded(inputs)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@every_layer_with_weights
def test_a_training_step_changes_every_weight(case):
    model, inputs = functional(case)
    model.compile("sgd", loss=["mse"] * len(model.outputs), run_eagerly=True)
    before = model.get_weights()
    assert before
    random = np.random.default_rng(3)
    targets = [random.standard_normal(output.shape) for output in arrays(model(inputs))]
    model.train_on_batch(inputs, targets)
    unchanged = [
        weight.path for weight, old in zip(model.weights, before, strict=True) if np.array_equal(weight.numpy(), old)
    ]
    assert unchanged == []


@every_layer
@pytest.mark.parametrize(
    ("dtype", "compute_dtype", "tolerance"), [("mixed_bfloat16", "bfloat16", 0.06), ("float64", "float64", 1e-5)]
)
def test_other_dtypes_stay_close_to_float32(case, dtype, compute_dtype, tolerance):
    layer, other = case.make(), case.make(dtype=dtype)
    inputs = draw(case.shapes)
    expected = layer(**inputs)
    other(**inputs)  # builds it
    other.set_weights(layer.get_weights())
    outputs = other(**inputs)
    expected_dtype = "int32" if isinstance(layer, BodyCheck) else compute_dtype  # which finds faults by their numbers
    assert {keras.backend.standardize_dtype(output.dtype) for output in tree.flatten(outputs)} == {expected_dtype}
    assert {weight.dtype for weight in other.weights} <= {"float64" if dtype == "float64" else "float32"}
    for ours, theirs in zip(arrays(outputs), arrays(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * np.abs(theirs).max())


@every_layer_by_axis
def test_axes_are_independent(case):
    layer = randomized(case.make(), case.shapes)
    inputs = draw(case.shapes)
    moved = tree.map_structure(lambda array: np.concatenate([array[:1] + 1, array[1:]]), inputs)
    for before, after in zip(arrays(layer(**inputs)), arrays(layer(**moved)), strict=True):
        assert not np.allclose(before[0], after[0])
        np.testing.assert_array_equal(before[1:], after[1:])


@every_layer_by_axis
def test_axes_start_from_weights_of_their_own(case):
    layer = case.make()
    layer(**draw(case.shapes))
    for weight in layer.weights:
        if "bias" in weight.name:
            assert not weight.numpy().any()
        else:
            assert not np.allclose(weight[0], weight[1]), weight.path


# The oracles: one axis of one window, frame by frame.


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def lstm_step(x, state, weights, forget_bias=1.0):
    kernel, recurrent_kernel, bias = weights
    h, c = state
    i, f, g, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4)
    c = sigmoid(f + forget_bias) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def lstm_sequence(frames, state, weights, forget_bias=1.0):
    outputs = []
    for frame in frames:
        state = lstm_step(frame, state, weights, forget_bias)
        outputs.append(state[0])
    return np.array(outputs), state


def attend(query, memory, kernel):
    weights = softmax(np.array([query @ (kernel.T @ h) for h in memory]))
    return sum(weight * h for weight, h in zip(weights, memory, strict=True)), weights


def locality(step, frames, sigma, direction):
    """By hand, both counted from 0."""
    rebuilt = {"reverse": frames - 1 - step, "forward": step}[direction]
    return np.array([np.exp(-((frame - rebuilt) ** 2) / (2 * sigma**2)) for frame in range(frames)])


def decode(memory, states, lstms, attention_kernel, state_kernel, output_kernel, output_bias, feed, target, mask):
    states, k = list(states), memory.shape[1]
    fed, s = np.zeros(J), np.zeros(k)
    rebuilt, weights, contexts = [], [], []
    for step in range(len(memory)):
        x = np.concatenate([fed, s])
        for number, lstm in enumerate(lstms):
            states[number] = lstm_step(x, states[number], lstm)
            x = states[number][0]
        _, weight = attend(x, memory, attention_kernel)
        weight = weight * mask[step]
        context = sum(share * h for share, h in zip(weight, memory, strict=True))
        s = np.concatenate([x, context]) @ state_kernel
        y = s @ output_kernel + output_bias
        fed = {"zeros": np.zeros(J), "previous": y, "target": target[step]}[feed]
        rebuilt.append(y)
        weights.append(weight)
        contexts.append(context)
    return np.array(rebuilt), np.array(weights), np.array(contexts)


def axis_of(structure, axis, window):
    """One axis of one window of tensors `[A, B, ...]`."""
    return tree.map_structure(lambda tensor: np.asarray(tensor)[axis, window], structure)


def weights_of(lstm, axis):
    return [np.asarray(weight[axis]) for weight in (lstm.kernel, lstm.recurrent_kernel, lstm.bias)]


def assert_close(actual, expected):
    for ours, theirs in zip(tree.flatten(actual), tree.flatten(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


AXES_AND_WINDOWS = [(axis, window) for axis in range(A) for window in range(B)]


@pytest.mark.parametrize("name", ["AxisLSTM", "AxisLSTM from a state"])
def test_axis_lstm_is_an_lstm_for_each_axis(name):
    make, shapes = CASES[name]
    layer, inputs = randomized(make(dtype="float64"), shapes), draw(shapes)
    outputs = layer(**inputs)
    for axis, window in AXES_AND_WINDOWS:
        ours = axis_of(inputs, axis, window)
        state = ours.get("initial_state", (np.zeros(K), np.zeros(K)))
        expected = lstm_sequence(ours["inputs"], state, weights_of(layer, axis), layer.forget_bias)
        assert_close(axis_of(outputs, axis, window), expected)


def test_skeleton_encoder_is_a_stack_of_lstms():
    make, shapes = CASES["SkeletonEncoder"]
    layer, inputs = randomized(make(dtype="float64"), shapes), draw(shapes)
    outputs = layer(**inputs)
    zeros = np.zeros(K), np.zeros(K)
    for axis, window in AXES_AND_WINDOWS:
        first, first_state = lstm_sequence(inputs["inputs"][axis, window], zeros, weights_of(layer.lstms[0], axis))
        second, second_state = lstm_sequence(first, zeros, weights_of(layer.lstms[1], axis))
        assert_close(axis_of(outputs, axis, window), (second, [first_state, second_state]))


@pytest.mark.parametrize("name", ["BasicAttention", "LocalityAwareAttention"])
def test_attention_is_luongs_general_attention(name):
    make, shapes = CASES[name]
    layer, inputs = randomized(make(dtype="float64"), shapes), draw(shapes)
    contexts, weights = arrays(layer(**inputs))
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-12)
    for axis, window in AXES_AND_WINDOWS:
        for step, query in enumerate(inputs["query"][axis, window]):
            expected = attend(query, inputs["value"][axis, window], np.asarray(layer.kernel[axis]))
            assert_close((contexts[axis, window, step], weights[axis, window, step]), expected)


def test_masked_attention_is_basic_attention_times_the_locality():
    make, shapes = CASES["MaskedBasicAttention"]
    layer, inputs = randomized(make(dtype="float64"), shapes), draw(shapes)
    contexts, weights = arrays(layer(**inputs))
    assert not layer.losses
    for axis, window in AXES_AND_WINDOWS:
        memory = inputs["value"][axis, window]
        for step, query in enumerate(inputs["query"][axis, window]):
            _, basic = attend(query, memory, np.asarray(layer.kernel[axis]))
            masked = basic * locality(step, F, 1.5, "forward")
            assert masked.sum() < 1
            expected = sum(weight * h for weight, h in zip(masked, memory, strict=True))
            assert_close((contexts[axis, window, step], weights[axis, window, step]), (expected, masked))


@pytest.mark.parametrize("direction", ["reverse", "forward"])
@pytest.mark.parametrize("attention", [BasicAttention, LocalityAwareAttention, MaskedBasicAttention])
@pytest.mark.parametrize("feed", ReverseDecoder.FEEDS)
def test_reverse_decoder_decodes_as_the_method_says(feed, attention, direction):
    shapes = CASES[f"ReverseDecoder {feed}"].shapes
    options = {} if attention is BasicAttention else {"direction": direction}
    attend = attention(K, dtype="float64", **options)
    layer = randomized(ReverseDecoder(J, attend, feed=feed, dtype="float64"), shapes)
    inputs = draw(shapes)
    mask = [
        locality(step, F, F / 2, direction) if attention is MaskedBasicAttention else np.ones(F) for step in range(F)
    ]
    target = inputs.get("target", np.zeros((A, B, F, J)))
    outputs = layer(**inputs)
    heads = [layer.attention.kernel, layer.state_kernel, layer.output_kernel, layer.output_bias]
    for axis, window in AXES_AND_WINDOWS:
        expected = decode(
            inputs["memory"][axis, window],
            axis_of(inputs["initial_state"], axis, window),
            [weights_of(lstm, axis) for lstm in layer.lstms],
            *[np.asarray(weight[axis]) for weight in heads],
            feed,
            target[axis, window],
            mask,
        )
        assert_close(axis_of(outputs, axis, window), expected)


def test_locality_of_the_published_window():
    locality = LocalityAwareAttention(K).locality(6, 6)
    by_distance = [1, 0.9460, 0.8007, 0.6065, 0.4111, 0.2494]
    # Step 0 rebuilds the last frame, step 5 the first.
    np.testing.assert_allclose(locality[0, ::-1], by_distance, atol=5e-5)
    np.testing.assert_allclose(locality[5], by_distance, atol=5e-5)
    np.testing.assert_allclose(locality[3], [0.8007, 0.9460, 1, 0.9460, 0.8007, 0.6065], atol=5e-5)
    # Forward, step 0 rebuilds the first frame.
    np.testing.assert_array_equal(LocalityAwareAttention(K, direction="forward").locality(6, 6), locality[::-1])


@pytest.mark.parametrize("direction", ["reverse", "forward"])
@pytest.mark.parametrize("sigma", [None, 0.7])
def test_locality_loss_is_the_squared_attention_outside_the_locality(sigma, direction):
    weights = np.random.default_rng(0).dirichlet(np.ones(F), size=(A, B, F))
    expected = np.zeros(B)
    width = F / 2 if sigma is None else sigma
    for axis, window in AXES_AND_WINDOWS:
        for t in range(1, F + 1):
            rebuilt = F + 1 - t if direction == "reverse" else t
            for j in range(1, F + 1):
                a = weights[axis, window, t - 1, j - 1]
                locality = np.exp(-((j - rebuilt) ** 2) / (2 * width**2))
                expected[window] += 0.5 * (a - locality * a) ** 2
    layer = LocalityAwareAttention(K, sigma=sigma, direction=direction, dtype="float64")
    np.testing.assert_allclose(layer.locality_loss(weights), expected, rtol=1e-12)


def test_on_its_own_locality_aware_attention_adds_its_loss_to_the_model():
    make, shapes = CASES["LocalityAwareAttention"]
    layer, inputs = make(), draw(shapes)
    _, weights = layer(**inputs)
    (loss,) = layer.losses
    np.testing.assert_allclose(loss, np.mean(layer.locality_loss(weights)), rtol=1e-6)


def test_only_a_decoder_that_is_fed_frames_learns_from_them():
    rows = {}
    for feed in ReverseDecoder.FEEDS:
        case = CASES[f"ReverseDecoder {feed}"]
        model, inputs = functional(case)
        kernel = next(weight for weight in model.weights if weight.path.endswith("lstm_0/kernel"))
        before = kernel.numpy()
        model.compile("sgd", loss=["mse"] * 3, run_eagerly=True)
        model.train_on_batch(inputs, [output + 1 for output in arrays(model(inputs))])
        rows[feed] = not np.array_equal(kernel.numpy()[:, :J], before[:, :J])
    assert rows == {"zeros": False, "previous": True, "target": True}


class TestSkeletonNormalization:
    skeletons = np.random.default_rng(0).uniform(-2000, 4000, (B, F, J, 3)).astype("float32")

    def test_puts_the_joint_at_the_origin_and_millimetres_into_metres(self):
        normalized = np.asarray(SkeletonNormalization(center=2, unit="mm")(self.skeletons))
        for window in range(B):
            for frame in range(F):
                for joint in range(J):
                    offset = self.skeletons[window, frame, joint] - self.skeletons[window, frame, 2]
                    np.testing.assert_allclose(normalized[window, frame, joint], offset / 1000, rtol=1e-5, atol=1e-6)
        assert not normalized[:, :, 2].any()

    def test_without_a_centre_frames_stay_where_they_are(self):
        layer = SkeletonNormalization(center=None, unit="cm")
        np.testing.assert_allclose(layer(self.skeletons), self.skeletons / 100, rtol=1e-6)

    def test_says_nothing_of_where_in_the_room_somebody_walks(self):
        layer = SkeletonNormalization(unit="mm")
        np.testing.assert_allclose(layer(self.skeletons), layer(self.skeletons + 1000), atol=1e-5)

    def test_integers_are_coordinates_too(self):
        millimetres = self.skeletons.astype("int32")
        layer = SkeletonNormalization(unit="mm")
        np.testing.assert_allclose(layer(millimetres), layer(millimetres.astype("float32")), rtol=1e-6)

    def test_loses_nothing_far_from_the_camera_in_bfloat16(self):
        near = SkeletonNormalization(dtype="mixed_bfloat16")(self.skeletons / 10_000)
        far = SkeletonNormalization(dtype="mixed_bfloat16")(self.skeletons / 10_000 + 30)
        np.testing.assert_allclose(*arrays([near, far]), rtol=0.01, atol=1e-4)

    @pytest.mark.parametrize(
        ("shape", "options"),
        [((B, F, 3, 2), {}), ((3,), {}), ((B, F, 5, 3), {"center": 5}), ((2, 4), {"center": None})],
    )
    def test_refuses_what_are_no_skeletons(self, shape, options):
        with pytest.raises(ValueError, match=r"inputs: expected \[..., J, 3\] with a joint \d, received a shape of"):
            SkeletonNormalization(**options)(np.zeros(shape, "float32"))

    def test_refuses_an_unknown_unit_and_a_negative_centre(self):
        with pytest.raises(ValueError, match="unit: expected one of m, cm, mm, received 'inch'"):
            SkeletonNormalization(unit="inch")
        with pytest.raises(ValueError, match="center: expected the index of a joint or None, received -1"):
            SkeletonNormalization(center=-1)


@pytest.mark.parametrize("shape", [(B, F, J), (A + 1, B, F, J)])
def test_axis_lstm_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=r"inputs: expected \[3, B, T, D\], received a shape of"):
        AxisLSTM(K)(np.zeros(shape, "float32"))


def test_refused_arguments():
    with pytest.raises(ValueError, match="num_layers: expected at least 1, received 0"):
        SkeletonEncoder(K, num_layers=0)
    with pytest.raises(ValueError, match="sigma: expected a positive number of frames, received 0"):
        LocalityAwareAttention(K, sigma=0)
    with pytest.raises(ValueError, match="direction: expected one of reverse, forward, received 'backward'"):
        MaskedBasicAttention(K, direction="backward")
    with pytest.raises(ValueError, match="feed: expected one of zeros, previous, target, received 'own'"):
        decoder("own")


def test_reverse_decoder_refuses_what_it_cannot_start_from():
    inputs = draw(MEMORY)
    with pytest.raises(ValueError, match=r"initial_state: expected 2 pairs \(h, c\), received 1"):
        decoder("zeros")(inputs["memory"], inputs["initial_state"][:1])
    with pytest.raises(ValueError, match="target: expected the window in the order of reconstruction"):
        decoder("target")(**inputs)


class TestWhitening:
    random = np.random.default_rng(5)
    # Scales a thousandfold apart, two values nearly one, one that never changes.
    data = random.standard_normal((500, 3, 4)) @ np.diag([1, 1e-2, 1e-3, 1]) + 10
    data[..., 3] = data[..., 0] + 1e-2 * random.standard_normal((500, 3))
    data = np.concatenate([data, np.full((500, 3, 1), 7.0)], axis=-1)

    def test_mean_zero_and_no_correlation(self):
        layer = Whitening(epsilon=1e-9, dtype="float64")
        layer.adapt(self.data)
        white = layer(self.data).numpy().reshape(-1, 5)
        np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-9)
        covariance = np.cov(white.T, bias=True)
        # Four directions vary, the constant is none.
        np.testing.assert_allclose(np.sort(np.diag(covariance)), [0, 1, 1, 1, 1], atol=1e-4)
        np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-6)

    def test_directions_far_below_epsilon_stay_small(self):
        layer = Whitening(epsilon=1.0, dtype="float64")
        layer.adapt(self.data)
        spread = np.sort(layer(self.data).numpy().reshape(-1, 5).std(axis=0))
        assert spread[0] < 1e-9
        assert spread[1] < 0.02  # the difference of the two that are nearly one
        assert 0.6 < spread[2] < spread[4] < 0.9

    def test_many_samples_are_as_few(self):
        layer, other = Whitening(dtype="float64"), Whitening(dtype="float64")
        layer.adapt(self.data)
        other.adapt(np.tile(self.data, (100, 1, 1)))  # more rows than are taken at once
        np.testing.assert_allclose(layer(self.data), other(self.data), rtol=1e-6, atol=1e-6)

    @pytest.mark.parametrize(
        ("data", "message"),
        [(np.ones((1, 4)), "received 1 of float64"), (np.full((3, 4), np.nan), "at least two finite samples")],
    )
    def test_refuses_what_it_cannot_adapt_to(self, data, message):
        with pytest.raises(ValueError, match=message):
            Whitening().adapt(data)

    def test_refuses_no_epsilon(self):
        with pytest.raises(ValueError, match="epsilon: expected a positive number, received 0"):
            Whitening(epsilon=0)


class TestStandardization:
    data = np.random.default_rng(5).normal([1, -2, 300, 4], [1, 1e-3, 20, 5], (500, 3, 4)).astype("float32")

    def test_is_keras_normalization_to_the_bit(self):
        layer, keras_layer = Standardization(), keras.layers.Normalization()
        layer.adapt(self.data)
        keras_layer.adapt(self.data.reshape(-1, 4))
        np.testing.assert_array_equal(layer(self.data), keras_layer(self.data))

    def test_weights_that_are_set_are_used(self):
        layer, other = Standardization(), Standardization()
        layer.adapt(self.data)
        other(self.data)
        assert layer.adapted
        assert not other.adapted
        other.set_weights(layer.get_weights())
        assert other.adapted
        np.testing.assert_array_equal(layer(self.data), other(self.data))

    @pytest.mark.parametrize("data", [np.full((3, 4), np.nan), np.ones((0, 4))])
    def test_refuses_what_it_cannot_adapt_to(self, data):
        with pytest.raises(ValueError, match="data: expected finite samples, received"):
            Standardization().adapt(data)


class TestWindowMeasures:
    windows = np.random.default_rng(6).normal(0, 0.5, (3, F, J, 3)).astype("float32")

    def test_coordinates_then_mean_and_deviation_of_each_distance(self):
        found = WindowMeasures()(self.windows).numpy()
        assert found.shape == (3, 3 * F * J + J * (J - 1))
        for row, window in zip(found, self.windows, strict=True):
            distances = [
                [math.dist(frame[one], frame[other]) for one in range(J) for other in range(one + 1, J)]
                for frame in window
            ]
            np.testing.assert_array_equal(row[: 3 * F * J], window.ravel())
            expected = np.concatenate([np.mean(distances, axis=0), np.std(distances, axis=0)])
            np.testing.assert_allclose(row[3 * F * J :], expected, rtol=1e-4)

    def test_distances_do_not_see_where_somebody_stands_and_turns_to(self):
        many = np.random.default_rng(7).normal(0, 0.5, (2, F, len(JOINTS), 3)).astype("float32")
        turn = np.float32([[0.6, 0, 0.8], [0, 1, 0], [-0.8, 0, 0.6]])
        moved = many @ turn + np.float32([1, 2, 3])
        size = 3 * F * len(JOINTS)
        before, after = (WindowMeasures()(windows).numpy() for windows in (many, moved))
        np.testing.assert_allclose(after[:, size:], before[:, size:], atol=1e-5)
        assert np.abs(after[:, :size] - before[:, :size]).max() > 0.5

    def test_slopes_are_numbers_where_joints_meet_and_nobody_moves(self):
        still = tf.Variable(np.zeros((1, F, J, 3), "float32"))
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(WindowMeasures()(still))
        assert np.isfinite(tape.gradient(total, still).numpy()).all()

    @pytest.mark.parametrize("shape", [(2, F, J), (2, F, J, 2), (F, J, 3)])
    def test_refuses_another_shape(self, shape):
        with pytest.raises(ValueError, match=r"inputs: expected windows \[B, f, J, 3\], received a shape of"):
            WindowMeasures()(np.zeros(shape, "float32"))
        with pytest.raises(ValueError, match=r"inputs: expected windows \[B, f, J, 3\]"):
            WindowMeasures().compute_output_shape(shape)
