"""The data sets, as TensorFlow Datasets builders: importing this package registers them with TFDS."""

from tfds_builders.authors_windows import authors_windows_dataset_builder
from tfds_builders.biwi import biwi_dataset_builder
from tfds_builders.ias import ias_dataset_builder
from tfds_builders.kgbd import kgbd_dataset_builder
from tfds_builders.walkers import walkers_dataset_builder

__all__ = [
    "authors_windows_dataset_builder",
    "biwi_dataset_builder",
    "ias_dataset_builder",
    "kgbd_dataset_builder",
    "walkers_dataset_builder",
]
