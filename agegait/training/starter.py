"""Trains the embedder `"walkers"` that comes with this package, on generated people alone, and calibrates it.

    python -m agegait.training.starter --out agegait/models/presets/walkers.keras

With `--calibrate`, the embedder stays as it is, and its calibration alone is measured.

Nobody's biometrics are in them: neither in weights, nor in what features are standardised by, nor in any choice of
settings. The same seed gives the same walks, and on the same machine and versions the same weights.
"""

import argparse
import dataclasses
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from agegait.data import Walks
from agegait.models import GaitEmbedder
from agegait.storage.whole_file import whole_file
from agegait.thresholds.calibration import Calibration, calibration_file
from agegait.training.discriminant import fit_discriminant
from agegait.training.embedder_training import EmbedderTraining
from tfds_builders.walkers.crowd import Crowd

CROWD = Crowd(persons=800, walks=5)
"""Whom it is trained on."""

OTHERS = Crowd(persons=800, walks=5, seed=1)
"""By whom its last layer is fitted: other people before other sensors."""

TRAINING = EmbedderTraining("persons", batches=800, embedder={"units": 192, "embedding_size": 128})
"""How it is trained."""

STRANGERS = Crowd(persons=2000, walks=3, seed=2)
"""By whom the sensor is found that its calibration is measured before: other people before other sensors."""

CALIBRATED = 200
"""People who are calibrated on, before that sensor: others again."""

_GALLERY, _RATE = {1: 100}, 0.01
"""Of which thresholds that sensor has the lowest."""

_log = logging.getLogger(__name__)


def train_starter(crowd: Crowd = CROWD, others: Crowd = OTHERS, training: EmbedderTraining = TRAINING) -> GaitEmbedder:
    """The embedder, trained on a crowd, its last layer fitted by another one.

    Args:
        crowd: People to train on, and the seed by which they are generated.
        others: People to fit the last layer by, see `fit_discriminant`.
        training: How to train, and the seed of first weights and clips.
    """
    _log.info("generating %d and %d people", crowd.persons, others.persons)
    walks, fresh = crowd.recorded(), others.recorded()
    report = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: _log.info("epoch %d: loss %.3f", epoch + 1, logs["loss"])
    )
    embedder = training.fit(walks, [report])
    fit_discriminant(embedder, fresh.skeletons, fresh.persons, groups=fresh.persons % others.sensors)
    return embedder


def calibrate_starter(embedder: GaitEmbedder, strangers: Crowd = STRANGERS, people: int = CALIBRATED) -> Calibration:
    """A calibration on generated people, before the sensor at which strangers come nearest to each other.

    How near that is differs between sensors, and nobody knows the one of a gallery. So it is measured for each of some
    sensors, and the strictest is taken.

    Args:
        embedder: What is calibrated.
        strangers: People whom it was not trained on, before sensors that it has not seen.
        people: How many more people the calibration is measured on, before the strictest of these sensors.
    """
    _log.info("generating %d people before %d sensors", strangers.persons, strangers.sensors)
    walks = strangers.recorded()
    embeddings, sensors = embedder.embed(walks.skeletons), walks.persons % strangers.sensors
    limits = []
    for sensor in range(strangers.sensors):
        those = sensors == sensor
        measured = Calibration.of_embeddings(embeddings[those], walks.persons[those], embedder.fingerprint())
        limits.append(measured.threshold(_GALLERY, _RATE).distance)
    strictest = int(np.argmin(limits))
    spread = limits[strictest], np.median(limits), max(limits)
    _log.info("strictest: sensor %d, %.3f; median of all %.3f, largest %.3f", strictest, *spread)
    first = -(-strangers.persons // strangers.sensors) * strangers.sensors + strictest
    keys = [
        (person, number)
        for person in range(first, first + people * strangers.sensors, strangers.sensors)
        for number in range(strangers.walks)
    ]
    persons, names = (np.array(column) for column in zip(*keys, strict=True))
    others = Walks([strangers.walk(*key)[0] for key in keys], persons, names)
    return dataclasses.replace(Calibration.measure(embedder, others), generated=True)


def main(words: Sequence[str] | None = None) -> int:
    """Trains it and saves it, with its calibration beside it."""
    parser = argparse.ArgumentParser(prog="agegait.training.starter", description="Trains the preset `walkers`.")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .keras file to write")
    parser.add_argument("--calibrate", action="store_true", help="do not train: calibrate the embedder in that file")
    options = parser.parse_args(words)
    if options.out.suffix != ".keras":
        parser.error(f"--out: expected a file that ends in .keras, received {str(options.out)!r}.")
    if not options.out.parent.is_dir():
        parser.error(f"--out: expected a file in a folder that exists, received {str(options.out)!r}.")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.calibrate:
        embedder = GaitEmbedder.from_preset(options.out)
    else:
        embedder = train_starter()
        with whole_file(options.out) as path:
            embedder.save(path)
    place = calibration_file(options.out)
    if place is not None:
        calibrate_starter(embedder).save(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
