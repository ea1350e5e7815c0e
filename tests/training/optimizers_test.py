import keras
import numpy as np
import pytest
import tensorflow as tf

from agegait.training.optimizers import FusedAdam

OPTIONS = {
    "learning_rate": keras.optimizers.schedules.CosineDecay(0.0, 30, warmup_target=0.1, warmup_steps=5),
    "beta_2": 0.99,
    "epsilon": 1e-6,
    "clipvalue": 0.5,
}


def steps(optimizer, count, first=0):
    """Two weights after steps by gradients that are drawn for each, and the optimizer's state."""
    random = np.random.default_rng(first)
    weights = [keras.Variable(np.ones(shape, "float32")) for shape in ((3, 4), (5,))]
    for _ in range(count):
        optimizer.apply([keras.ops.convert_to_tensor(random.normal(size=w.shape), "float32") for w in weights], weights)
    return [np.asarray(variable) for variable in (*weights, *optimizer.variables)]


@pytest.mark.parametrize(
    "changes", [{}, {"amsgrad": True}, {"weight_decay": 0.1}, {"use_ema": True}, {"gradient_accumulation_steps": 2}]
)
def test_its_steps_are_those_of_keras(changes):
    fused, plain = (steps(kind(**OPTIONS, **changes), 20) for kind in (FusedAdam, keras.optimizers.Adam))
    assert len(fused) == len(plain)
    for one, other in zip(fused, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert np.abs(plain[0] - 1).max() > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_model_learns_by_it_as_by_keras(jit_compile):
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    losses = []
    for kind in (FusedAdam, keras.optimizers.Adam):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3)])
        model.compile(kind(0.05), "mse", jit_compile=jit_compile)
        losses.append(model.fit(x, x, epochs=5, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-4)
    assert losses[0][-1] < losses[0][0] / 2


@pytest.mark.slow
def test_a_saved_model_takes_it_up_again(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(FusedAdam(0.1, beta_2=0.9), "mse")
    x, y = np.ones((4, 3), "float32"), np.zeros((4, 2), "float32")
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is FusedAdam
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    losses = [one.fit(x, y, epochs=2, verbose=0).history["loss"] for one in (model, loaded)]
    np.testing.assert_allclose(*losses, rtol=1e-6)


@pytest.mark.parametrize(("options", "fused"), [({}, 2), ({"amsgrad": True}, 0)])
def test_a_weight_is_one_operation(options, fused):
    optimizer, weights = FusedAdam(**options), [keras.Variable(np.ones(3, "float32")) for _ in range(2)]
    optimizer.build(weights)
    gradients = [tf.TensorSpec((3,))] * 2
    graph = tf.function(lambda *grads: optimizer.apply(grads, weights)).get_concrete_function(*gradients).graph
    assert [operation.type for operation in graph.get_operations()].count("ResourceApplyAdam") == fused
