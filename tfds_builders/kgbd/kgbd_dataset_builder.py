"""The builder of kgbd, the Kinect Gait Biometry Dataset."""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any, ClassVar

import tensorflow_datasets as tfds
from etils import epath

from tfds_builders import network, walk_builder, walks
from tfds_builders.kgbd import manual, reading, split

_SOURCE = "https://raw.githubusercontent.com/Vortander/KinectGait/b1d8e048973c283808f8625169c3fd7e757adff5/Data"


class Builder(walk_builder.WalkBuilder):
    """Walks of 164 people, from the public source or from a copy in the manual directory.

    Attributes:
        SOURCE: Where `PersonNNN/W.txt` are downloaded from. A mirror's address may take its place: what comes from
            there is held to the same checksums.
        PERSONS: The people's names, in the order of their class labels.
        SPLIT: Each walk's split, "Person001/1" -> "train". What is built is these walks, all of them and no others.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "All 822 walks of the public source; a seeded split."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    Nothing needs to be done where raw.githubusercontent.com can be reached: 412 MB are downloaded from
    https://github.com/Vortander/KinectGait. Elsewhere, or to use a copy that you have, put one of these into
    `<manual_dir>/kgbd/`:

    * the folder `Data` of that repository, which holds `Person001/1.txt` to `Person164/4.txt`,
    * a folder `kinect gait raw dataset` that holds the same, or the folders `Person001` to `Person164` themselves,
    * one archive (.zip, .tar, .tar.gz, .tar.xz) of any of them, such as GitHub's own `KinectGait-master.zip`.

    `manual_dir` is `<data_dir>/downloads/manual` unless you say otherwise:
    `tfds.load("kgbd", download_and_prepare_kwargs={"download_config": tfds.download.DownloadConfig(manual_dir=...)})`.
    """
    MAX_SIMULTANEOUS_DOWNLOADS = 8

    SOURCE: ClassVar[str] = _SOURCE
    PERSONS: ClassVar = split.read_persons()
    SPLIT: ClassVar = split.read()

    @tfds.core.utils.classproperty
    @classmethod
    def url_infos(cls) -> dict[str, Any]:
        """The files' sizes and checksums, under a mirror's addresses if `SOURCE` is one."""
        return {url.replace(_SOURCE, cls.SOURCE): info for url, info in super().url_infos.items()}

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=walks.features(self.PERSONS),
            supervised_keys=("skeleton", "person"),
            homepage="https://github.com/Vortander/KinectGait",
            license="As is, without warranty; those who publish are asked to cite the paper and link the repository.",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        copy = _manual_copy(dl_manager)
        read_split = self._of_archive(copy) if copy and not copy.is_dir() else self._of_files(copy, dl_manager)
        return {
            name: read_split([walk for walk, its in self.SPLIT.items() if its == name])
            for name in ("train", "validation", "test")
        }

    def _of_files(
        self, folder: epath.Path | None, dl_manager: tfds.download.DownloadManager
    ) -> Callable[[list[str]], Any]:
        files = manual.files(folder) if folder else self._download(dl_manager)
        self._check_complete(files, str(folder))
        return lambda names: self._generate_examples([(name, str(files[name])) for name in names], reading.read_file)

    def _of_archive(self, archive: epath.Path) -> Callable[[list[str]], Any]:
        if self._on_beam:
            self._check_complete(manual.members(archive), str(archive))
            return lambda names: self._generate_examples([(str(archive), names)], reading.read_archive)
        held = walk_builder.held(reading.read_archive((str(archive), None)), archive, len(self.SPLIT))  # 120 MB
        self._check_complete(held, str(archive))
        return lambda names: self._generate_examples(names, lambda name: [(name, held[name])])

    def _download(self, dl_manager: tfds.download.DownloadManager) -> dict[str, epath.Path]:
        # A folder for each walk, as TFDS shortens long addresses and would confuse the two walks that are identical.
        resources = {
            walk: tfds.download.Resource(url=f"{self.SOURCE}/{walk}.txt", relative_download_dir=walk)
            for walk in self.SPLIT
        }
        folder = epath.Path(dl_manager.download_dir) / self.name
        if not all(_is_there(folder / walk) for walk in self.SPLIT):
            network.check_reachable(self.SOURCE)
        with _nothing_partial_left(folder):
            # One first: where an address fails TFDS tries it for minutes, and does not end before the last.
            dl_manager.download(next(iter(resources.values())))
            return dl_manager.download(resources)

    def _check_complete(self, found: Collection[str], source: str) -> None:
        missing = [walk for walk in self.SPLIT if walk not in found]
        unknown = sorted(set(found) - set(self.SPLIT))
        if missing or unknown:
            raise ValueError(
                f"{source}: expected the {len(self.SPLIT)} walks of KGBD, PersonNNN/W.txt; "
                f"{_listed(missing)} missing, {_listed(unknown)} unknown"
            )


def _manual_copy(dl_manager: tfds.download.DownloadManager) -> epath.Path | None:
    try:
        return manual.find(walk_builder.manual_dir(dl_manager))
    except ValueError as error:
        if str(epath.Path(dl_manager.download_dir) / "manual") in str(error.__cause__):
            return None  # none given
        raise


def _is_there(folder: epath.Path) -> bool:
    """Whether a download into a folder was finished."""
    return folder.is_dir() and any(".tmp." not in path.name for path in folder.iterdir())


@contextlib.contextmanager
def _nothing_partial_left(folder: epath.Path) -> Iterator[None]:
    """Removes what failed downloads leave half-written; whole files stay, so that the next attempt resumes."""
    try:
        yield
    except BaseException as error:
        for _ in range(50):
            partial = list(folder.glob("*/*/*.tmp.*"))
            if not partial:
                break
            for path in partial:
                with contextlib.suppress(OSError):  # a download under way may write while its folder is removed
                    path.rmtree()
            time.sleep(0.1)
        if isinstance(error, Exception):
            error.add_note("Your own copy can be used instead: see the builder's MANUAL_DOWNLOAD_INSTRUCTIONS.")
        raise


def _listed(names: list[str]) -> str:
    shown = f" ({', '.join(names[:10])}{', ...' if len(names) > 10 else ''})" if names else ""
    return f"{len(names)}{shown}"
