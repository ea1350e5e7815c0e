"""The builder of ias, the IAS-Lab RGBD-ID data set."""

from typing import ClassVar

import tensorflow_datasets as tfds

from tfds_builders.frame_folder_builder import FrameFolderBuilder
from tfds_builders.frame_folders import Layout


class Builder(FrameFolderBuilder):
    """Walks of 11 people, in other clothes and in another room too, from what its authors give to those who ask."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "A walk for each recording; every frame, with what was tracked."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    IAS-Lab RGBD-ID cannot be downloaded without its authors. Ask for it at
    http://robotics.dei.unipd.it/reid/index.php/downloads, then put into `<manual_dir>/ias/` the folders

    * `Training/000` and so on, a folder for each person,
    * `TestingA/000` and so on,
    * `TestingB/000` and so on,

    or archives that hold them (.zip, .tar, .tar.gz, .tar.xz), one or several; .rar archives have to be unpacked. Other
    folders may stand above (`IAS-Lab/RGBD-ID/Training`). Only the skeletons are read, `*_skel.txt`: images, depth and
    the rest may stay or be left out.

    `manual_dir` is `<data_dir>/downloads/manual` unless you say otherwise:
    `tfds.load("ias", download_and_prepare_kwargs={"download_config": tfds.download.DownloadConfig(manual_dir=...)})`.
    """

    LAYOUT = Layout(
        title="IAS-Lab RGBD-ID",
        folders={"train": "Training", "test_a": "TestingA", "test_b": "TestingB"},
        patterns={
            "train": "train(?:ing)?",
            "test_a": r"test(?:ing)?[ _/-]?a",
            "test_b": r"test(?:ing)?[ _/-]?b",
        },
    )
    HOMEPAGE = "http://robotics.dei.unipd.it/reid/index.php/8-dataset/5-overview-iaslab"
    LICENSE = "Given by its authors for research; ask them for anything else."
