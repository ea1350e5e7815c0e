"""The base of the builders that read walks from files."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import tensorflow_datasets as tfds
from etils import epath

from tfds_builders.local_builder import LocalBuilder

Example = tuple[str, dict[str, Any]]


class WalkBuilder(LocalBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Reads walks one after another, or as a Beam pipeline where a runner or options of one are given.

    A pipeline is for sets larger than one machine. `tfds build --beam_pipeline_options=...` gives options, as does a
    `tfds.download.DownloadConfig` with `beam_options` or `beam_runner`; without them apache-beam is not needed.
    """

    _on_beam = False

    def _download_and_prepare(
        self, dl_manager: tfds.download.DownloadManager, download_config: tfds.download.DownloadConfig
    ) -> None:
        self._on_beam = download_config.beam_runner is not None or download_config.beam_options is not None
        super()._download_and_prepare(dl_manager, download_config)

    def _generate_examples(self, tasks: Sequence[Any], read: Callable[[Any], Iterable[Example]]) -> Any:
        """The examples of a split, or the transform that makes them.

        Args:
            tasks: What to read. For Beam they must pickle, and be read on any machine that sees the files.
            read: Reads a task's walks. For Beam a module's function, so that no builder is pickled.
        """
        if self._on_beam:
            import apache_beam as beam

            return beam.Create(list(tasks)) | beam.FlatMap(read)
        return _read_in_turn(tasks, read)


def manual_dir(dl_manager: tfds.download.DownloadManager) -> epath.Path:
    """The folder of what was fetched by hand.

    Raises:
        ValueError: It is not there, or empty. The message gives the builder's instructions.
    """
    try:
        return epath.Path(dl_manager.manual_dir)
    except AssertionError as error:  # how TFDS says so
        raise ValueError(str(error)) from error


def held(examples: Iterable[Example], archive: str | epath.Path, total: int) -> dict[str, dict[str, Any]]:
    """An archive's examples by their names, all in memory: it may not be read in the order of the splits."""
    progress = tfds.core.utils.tqdm(
        examples, desc=f"Reading {epath.Path(archive).name}...", total=total, unit=" walks", leave=False
    )
    return dict(iter(progress))  # a hidden progress bar passes for a mapping


def _read_in_turn(tasks: Sequence[Any], read: Callable[[Any], Iterable[Example]]) -> Iterator[Example]:
    for task in tfds.core.utils.tqdm(tasks, desc="Reading walks...", unit=" walks", leave=False):
        yield from read(task)
