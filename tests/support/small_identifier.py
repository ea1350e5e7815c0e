"""An identifier whose graphs are small: what most tests of exports and of the server export, or serve."""

import keras
import numpy as np

import agegait

FRAMES, JOINTS, UNITS = 4, 5, 8
PERSONS = ["ann", "bob", "cé", "dan"]


def make_identifier(stride=None, seed=0):
    """Equal for equal arguments, in every process."""
    keras.utils.set_random_seed(seed)
    encoder = agegait.GaitEncoder(frames=FRAMES, joints=JOINTS, units=UNITS, num_layers=1)
    recognizer = agegait.GaitRecognizer(len(PERSONS), kernel_initializer="random_normal")
    identifier = agegait.GaitIdentifier(encoder, recognizer, stride=stride, persons=PERSONS)
    identifier(np.zeros((1, FRAMES, JOINTS, 3), np.float32))
    return identifier
