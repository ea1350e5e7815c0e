"""An identifier whose graphs are small: what most tests of exports and of the server export, or serve."""

import keras
import numpy as np

import agegait

FRAMES, JOINTS, UNITS = 4, 5, 8
PERSONS = ["ann", "bob", "cé", "dan"]


def make_identifier(stride=None, seed=0, joints=JOINTS, unit="m", **options):
    """Equal for equal arguments, in every process. With 20 joints it checks that walks show bodies."""
    keras.utils.set_random_seed(seed)
    encoder = agegait.GaitEncoder(frames=FRAMES, joints=joints, units=UNITS, num_layers=1)
    recognizer = agegait.GaitRecognizer(len(PERSONS), kernel_initializer="random_normal")
    normalization = agegait.SkeletonNormalization(unit=unit, name="normalization")
    identifier = agegait.GaitIdentifier(encoder, recognizer, normalization, stride, PERSONS, **options)
    identifier(np.zeros((1, FRAMES, joints, 3), np.float32))
    return identifier
