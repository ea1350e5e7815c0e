"""Trains the embedder `"walkers"` that comes with this package, on generated people alone.

    python -m agegait.training.starter --out agegait/models/presets/walkers.keras

Nobody's biometrics are in it: neither its weights, nor what its features are standardised by, nor any choice of
settings. The same seed gives the same walks, and on the same machine and versions the same weights.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import keras

from agegait.models import GaitEmbedder
from agegait.storage.whole_file import whole_file
from agegait.training.discriminant import fit_discriminant
from agegait.training.embedder_training import EmbedderTraining
from tfds_builders.walkers.crowd import Crowd

CROWD = Crowd(persons=800, walks=5)
"""Whom it is trained on."""

OTHERS = Crowd(persons=800, walks=5, seed=1)
"""By whom its last layer is fitted: other people before other sensors."""

TRAINING = EmbedderTraining("persons", batches=800, embedder={"units": 192, "embedding_size": 128})
"""How it is trained."""

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


def main(words: Sequence[str] | None = None) -> int:
    """Trains it and saves it."""
    parser = argparse.ArgumentParser(prog="agegait.training.starter", description="Trains the preset `walkers`.")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .keras file to write")
    options = parser.parse_args(words)
    if options.out.suffix != ".keras":
        parser.error(f"--out: expected a file that ends in .keras, received {str(options.out)!r}.")
    if not options.out.parent.is_dir():
        parser.error(f"--out: expected a file in a folder that exists, received {str(options.out)!r}.")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    embedder = train_starter()
    with whole_file(options.out) as path:
        embedder.save(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
