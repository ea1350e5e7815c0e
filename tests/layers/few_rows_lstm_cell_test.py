"""The order of computation for a few rows: the same numbers, without a copy of the weights."""

import keras
import numpy as np
import pytest
from keras import ops

import agegait

WINDOWS = np.random.default_rng(0).normal(0, 0.3, (5, 6, 20, 3)).astype("float32")


@pytest.mark.parametrize("attention", agegait.GaitEncoder.ATTENTIONS)
@pytest.mark.parametrize("feed", ["zeros", "previous", "target"])
def test_few_windows_give_what_many_give(attention, feed):
    encoder = agegait.GaitEncoder(units=16, attention=attention, feed=feed)
    few, many = encoder(WINDOWS, few=True), encoder(WINDOWS, few=False)
    for name in many:
        np.testing.assert_allclose(ops.convert_to_numpy(few[name]), ops.convert_to_numpy(many[name]), atol=1e-6)


def test_states_between_calls_are_those_of_many_rows():
    lstm = agegait.layers.AxisLSTM(8, forget_bias=0.5)
    inputs = np.random.default_rng(0).normal(size=(3, 4, 6, 5)).astype("float32")
    _, begin = lstm(inputs[:, :, :3], few=False)
    many, few = (lstm(inputs[:, :, 3:], begin, few=few) for few in (False, True))
    for expected, found in zip(keras.tree.flatten(many), keras.tree.flatten(few), strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(found), ops.convert_to_numpy(expected), atol=1e-6)


@pytest.mark.slow
def test_few_windows_copy_no_weights():
    units = 64
    encoder = agegait.GaitEncoder(units=units)
    encoder(WINDOWS)

    def copied(few):
        import tensorflow as tf

        graph = tf.function(lambda windows: encoder(windows, few=few), autograph=False).get_concrete_function(
            tf.TensorSpec([None, 6, 20, 3])
        )
        made = [operation for operation in graph.graph.get_operations() if operation.type in ("Split", "ConcatV2")]
        return [
            operation.name
            for operation in made
            if operation.outputs[0].shape.is_fully_defined() and operation.outputs[0].shape.num_elements() >= units**2
        ]

    assert copied(few=False)
    assert copied(few=True) == []
