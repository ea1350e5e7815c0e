"""The data sets, as TensorFlow Datasets builders: importing this package registers them with TFDS."""

from tfds_builders.kgbd import kgbd_dataset_builder
from tfds_builders.walkers import walkers_dataset_builder

__all__ = ["kgbd_dataset_builder", "walkers_dataset_builder"]
