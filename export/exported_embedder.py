from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agegait.recordings.frame_rates import FrameRates
from agegait.recordings.walks_at_rate import walks_at_rate

from .embedder_file import EmbedderFile
from .plain_path import plain_path
from .version_manifest import VersionManifest

if TYPE_CHECKING:
    from agegait.recordings.walk import Walk
    from agegait.thresholds.calibration import Calibration


class ExportedEmbedder:
    """The embedder of an export, which a gallery takes as it takes a `GaitEmbedder`.

    Its templates and the `GaitEmbedder`'s compare: it has the same fingerprint. It refuses walks that show no body,
    as each exported graph does.

    Args:
        folder: What `agegait export` wrote; the newest version is taken.

    Attributes:
        calibration: That was exported with it; None where there was none.

    Raises:
        ValueError: No export of an embedder, or one whose files are not those that were written.

    Example:
        >>> embedder = agegait.export.ExportedEmbedder("served")
        >>> gallery = agegait.Gallery.open("sqlite:///gallery.db", embedder, embedder.calibration)
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        import tensorflow as tf

        versions = (Path(folder) / "embedder").glob("*/saved_model.pb")
        numbered = [path.parent for path in versions if path.parent.name.isascii() and path.parent.name.isdecimal()]
        if not numbered:
            raise ValueError(f"folder: expected an export with an embedder, found none in {folder}.")
        version = max(numbered, key=lambda path: int(path.name))
        _check(version)
        self._file = EmbedderFile.read(version)
        with plain_path(version) as path:
            self._loaded: Any = tf.saved_model.load(str(path))
        self._embed = self._loaded.signatures["embed"]

    @property
    def embedding_size(self) -> int:
        """Size D of an embedding."""
        return self._file.embedding_size

    @property
    def frame_rate(self) -> float:
        """Frames a second of the walks that it takes."""
        return self._file.frame_rate

    @property
    def calibration(self) -> "Calibration | None":
        """What its distances mean."""
        return self._file.calibration

    def fingerprint(self) -> str:
        """That of the `GaitEmbedder` that was exported."""
        return self._file.fingerprint

    def embed(self, walks: "Sequence[np.ndarray | Walk]", frame_rate: FrameRates = None) -> np.ndarray:
        """Embeddings `[W, D]` of walks `[T, J, 3]` of any lengths; those of another frame rate are resampled.

        Args:
            walks: Arrays, or walks as `agegait.data.load_walk` gives them, which know their own rate.
            frame_rate: Frames a second of walks that do not say it themselves, one of all or one of each; None for the
                embedder's own.

        Raises:
            ValueError: A walk of another shape, of more frames than the graph takes, or one that shows no body; a rate
                that is none.
        """
        import tensorflow as tf

        found = np.empty((len(walks), self.embedding_size), "float32")
        for number, walk in enumerate(walks_at_rate(walks, frame_rate, self.frame_rate)):
            joints = walk.shape[1:]
            if joints != (self._file.joints, 3):
                raise ValueError(f"walks: expected {self._file.joints} joints, received {joints} for walk {number}.")
            try:
                answer = self._embed(skeletons=tf.constant(walk[None]))
            except tf.errors.InvalidArgumentError as error:
                said = next((line for line in (error.message or "").splitlines() if "expected" in line), "no walk")
                raise ValueError(f"walks: {said.partition('skeletons: ')[2] or said}, for walk {number}.") from None
            if fault := answer["fault"].numpy()[0].decode():
                raise ValueError(f"walks: {fault}, for walk {number}.")
            found[number] = answer["embeddings"].numpy()[0]
        return found


def _check(version: Path) -> None:
    """Refuses files that are not those that were exported."""
    try:
        changed = VersionManifest.from_json((version / VersionManifest.FILE).read_bytes()).changed(version)
    except (OSError, ValueError) as error:
        raise ValueError(f"{version}: expected the files of an export, found others: {error}.") from None
    if changed:
        raise ValueError(f"{version}: expected the files of an export, found others: {', '.join(changed)}.")
