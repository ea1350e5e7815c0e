"""An identifier whose graphs are small: what most tests of exports and of the server export, or serve."""

import keras
import numpy as np

import agegait

FRAMES, JOINTS, UNITS = 4, 5, 8
PERSONS = ["ann", "bob", "cé", "dan"]


def make_identifier(stride=None, seed=0, joints=JOINTS, unit="m", embedding=False, **options):
    """Equal for equal arguments, in every process. With 20 joints it checks that walks show bodies."""
    keras.utils.set_random_seed(seed)
    encoder = agegait.GaitEncoder(frames=FRAMES, joints=joints, units=UNITS, num_layers=1)
    recognizer = agegait.GaitRecognizer(len(PERSONS), kernel_initializer="random_normal")
    normalization = agegait.SkeletonNormalization(unit=unit, name="normalization")
    if embedding:
        random = np.random.default_rng(seed)
        embedder = agegait.GaitEmbedder(6, units=8, dilations=(1,), segment=16, hips=(1, 2))
        embedder.adapt(random.normal(size=(20, 24, joints, 3)))
        people = agegait.EmbeddingRecognizer(len(PERSONS))
        people.adapt(random.normal(size=(len(PERSONS), 6)), range(len(PERSONS)))
        options |= {"embedder": embedder, "embedding_recognizer": people}
    identifier = agegait.GaitIdentifier(encoder, recognizer, normalization, stride, PERSONS, **options)
    identifier.run_eagerly = True  # what it gives is looked at; its graphs, one for each length, are for others
    identifier(np.zeros((1, FRAMES, joints, 3), np.float32))
    return identifier
