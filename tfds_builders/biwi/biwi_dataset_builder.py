"""The builder of biwi, the BIWI RGBD-ID data set."""

from typing import ClassVar

import tensorflow_datasets as tfds

from tfds_builders.frame_folder_builder import FrameFolderBuilder
from tfds_builders.frame_folders import Layout


class Builder(FrameFolderBuilder):
    """Walks of 50 people, 28 of them on another day too, from what its authors give to those who ask."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "A walk for each recording; every frame, with what was tracked."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    BIWI RGBD-ID cannot be downloaded without its authors. Ask for it at
    http://robotics.dei.unipd.it/reid/index.php/downloads, then put into `<manual_dir>/biwi/` the folders

    * `Training/000` and so on, a folder for each person,
    * `Testing/Still/000` and so on,
    * `Testing/Walking/000` and so on,

    or archives that hold them (.zip, .tar, .tar.gz, .tar.xz), one or several; .rar archives have to be unpacked. Other
    folders may stand above (`BIWI/RGBD-ID/Training`). Only the skeletons are read, `*_skel.txt`: images, depth and the
    rest may stay or be left out.

    `manual_dir` is `<data_dir>/downloads/manual` unless you say otherwise:
    `tfds.load("biwi", download_and_prepare_kwargs={"download_config": tfds.download.DownloadConfig(manual_dir=...)})`.
    """

    LAYOUT = Layout(
        title="BIWI RGBD-ID",
        folders={"train": "Training", "still": "Testing/Still", "walking": "Testing/Walking"},
        patterns={
            "train": "train(?:ing)?",
            "still": r"(?:test(?:ing)?[ _/-]?)?still",
            "walking": r"(?:test(?:ing)?[ _/-]?)?walking",
        },
    )
    HOMEPAGE = "http://robotics.dei.unipd.it/reid/index.php/8-dataset/2-overview-biwi"
    LICENSE = "CC BY-NC-SA 3.0, https://creativecommons.org/licenses/by-nc-sa/3.0/; without warranty."
