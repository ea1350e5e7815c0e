"""Use the layers in a functional Keras model of your own, trained with labels.

python examples/functional_model.py
"""

import keras
import numpy as np

import agegait

FRAMES, JOINTS, UNITS = 6, 20, 64

walkers = agegait.datasets.load("walkers")
train, validation, test = (
    walkers.windows(part, np.asarray, FRAMES)  # raw coordinates: the model normalizes them itself
    for part in ("train", "validation", "test")
)

skeletons = keras.Input((FRAMES, JOINTS, 3), name="skeletons")  # [B, f, J, 3]
centred = agegait.SkeletonNormalization()(skeletons)

# Gait layers take the axes x, y and z first: [3, B, f, J].
states, _ = agegait.SkeletonEncoder(UNITS)(keras.ops.moveaxis(centred, 3, 0))  # [3, B, f, k]
contexts, _ = agegait.LocalityAwareAttention(UNITS, direction="forward")(states, states)  # [3, B, f, k]
gait = keras.ops.moveaxis(keras.ops.mean(contexts, axis=2), 0, 1)  # [B, 3, k]
gait = keras.layers.Flatten()(gait)  # [B, 3 k]

body = agegait.WindowMeasures()(centred)  # coordinates of joints and distances between them
body = keras.layers.BatchNormalization(momentum=0.9)(body)

features = keras.layers.Concatenate()([gait, body])
features = keras.layers.Dropout(0.3)(features)
logits = keras.layers.Dense(len(walkers.persons))(features)

model = keras.Model(skeletons, logits)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
model.fit(
    train.skeletons,
    train.persons,
    batch_size=64,
    epochs=8,
    validation_data=(validation.skeletons, validation.persons),
    verbose=2,
)
_, accuracy = model.evaluate(test.skeletons, test.persons, verbose=0)
print(f"Accuracy on test windows: {accuracy:.1%}")
