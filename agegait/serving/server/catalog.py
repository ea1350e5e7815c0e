"""Which versions of which models are served: found, loaded, warmed up and let go as their folders come and go."""

import contextlib
import gc
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from agegait.serving.server.load_error import LoadError
from agegait.serving.server.loader import Loader
from agegait.serving.server.servable import Servable
from agegait.serving.server.source import Source, version_folders
from agegait.serving.server.status_error import StatusError, invalid_argument
from agegait.serving.server.version import State, Version
from agegait.serving.server.version_files import VersionFiles

_WAIT_SECONDS = 0.1

_log = logging.getLogger("agegait.serving")


@dataclass(frozen=True)
class _Model:
    """A model that is served, or was: then it has no source any more."""

    source: Source | None
    required: bool = False
    versions: dict[int, Version] = field(default_factory=dict)

    @property
    def available(self) -> dict[int, Servable]:
        return {
            number: version.servable for number, version in dict(self.versions).items() if version.servable is not None
        }


class Catalog:
    """The models that are served.

    A version is loaded and warmed up before an older one goes; one that does not load is reported, and what served
    before keeps serving. A broken one is tried again once its files change. Requests are answered while versions load.

    Args:
        sources: The models by name.
        max_elements: Most elements of a tensor in a warm-up request.
        on_change: Called after a version comes or goes.
        discover: Finds further models, called at each look at the folders.
        verify: Whether files are compared with the manifest in their version's folder.
        any_label: Whether a label may name a version that is not served, as long as it is new.
        on_load: Called after each attempt to load a version, with the model's name, the version, the seconds that it
            took and whether it loaded.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        max_elements: int,
        on_change: Callable[[], None] = lambda: None,
        discover: Callable[[], Mapping[str, Source]] = dict,
        verify: bool = True,
        any_label: bool = False,
        on_load: Callable[[str, int, float, bool], object] = lambda *_: None,
    ) -> None:
        # Replaced as a whole, so that who reads it needs no lock: loading takes long.
        self._models = {name: _Model(source, required=True) for name, source in sources.items()}
        self._discover = discover
        self._loader = Loader(max_elements, verify, on_load)
        self._any_label = any_label
        self._on_change = on_change
        self._changing = threading.Lock()
        self._refreshed = False

    @property
    def ready(self) -> bool:
        """Whether every requested model has a version that serves; one that is found later may fail."""
        return self._refreshed and all(model.available for model in self._models.values() if model.required)

    def names(self) -> list[str]:
        """The models' names."""
        return sorted(name for name, model in self._models.items() if model.source is not None)

    def replace(self, sources: Mapping[str, Source], wanted: Callable[[], bool] = lambda: True) -> None:
        """Serves these models from now on, and no others; where that can't be, all stays as it was.

        What is new is loaded beside what serves, and takes over at once.

        Args:
            sources: The models by name.
            wanted: Called until the models take over; once it says no or raises, nothing is changed.

        Raises:
            StatusError: UNKNOWN where a model has no version that loads, NOT_FOUND where it has none at all,
                FAILED_PRECONDITION where a label names a version that does not serve, CANCELLED where it is not wanted
                any more.
        """
        with self._turn(wanted):
            after = {name: self._beside(name, source, wanted) for name, source in sources.items()}
            for name, label, number in self._missing_labels(after):
                raise StatusError(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    f"Request to assign label to version {number} of model {name}, which is not currently available "
                    f"for inference: {label}",
                )
            _require(wanted)
            before = self._serving()
            gone = {
                name: _Model(None, versions=dict.fromkeys(model.versions, Version(State.END)))
                for name, model in self._models.items()
                if name not in after
            }
            self._models = gone | after
            self._discover = dict
            self._refreshed = True
            self._tell(before)
        self._on_change()

    def refresh(self) -> None:
        """Looks once at the folders; returns when what is new there is loaded or reported."""
        with self._turn():
            before = self._serving()
            found = {name: _Model(source) for name, source in self._discover().items() if name not in self._models}
            self._models = self._models | found
            for name, model in self._models.items():
                if model.source is not None:
                    self._refresh_model(name, model.source, model.versions)
                    self._on_change()
            self._refreshed = True
            self._tell(before)
        self._on_change()

    def missing_labels(self) -> list[str]:
        """What is wrong with labels of versions that do not serve, in words."""
        return [
            f"model {name}: label {label}: expected a version that serves, received {number}"
            for name, label, number in self._missing_labels(self._models)
        ]

    def get(self, spec: Any) -> Servable:
        """The servable that a ModelSpec asks for.

        Raises:
            StatusError: INVALID_ARGUMENT without a name or for an unknown label, NOT_FOUND for a model or version that
                is not served, UNAVAILABLE while the model's first version, or the one that is wanted, loads.
        """
        model, wanted = self._wanted(spec)
        available = model.available
        if wanted is None and available:
            return available[max(available)]
        if wanted is not None and wanted in available:
            return available[wanted]
        request = f"Latest({spec.name})" if wanted is None else f"Specific({spec.name}, {wanted})"
        if self._is_loading(model, wanted):
            raise StatusError(grpc.StatusCode.UNAVAILABLE, f"Servable is loading: {request}")
        raise StatusError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {request}")

    def status(self, spec: Any) -> dict[int, Version]:
        """The versions that a ModelSpec asks about, newest first.

        Raises:
            StatusError: As `get`; NOT_FOUND where there are none, UNAVAILABLE before its folder was looked at.
        """
        if spec.name and not self.versions(spec.name):
            if spec.name in self._models and not self._refreshed:
                raise StatusError(grpc.StatusCode.UNAVAILABLE, f"Model is loading: {spec.name}")
            raise StatusError(grpc.StatusCode.NOT_FOUND, f"Could not find any versions of model {spec.name}")
        model, wanted = self._wanted(spec)
        versions = dict(model.versions)
        if wanted is None:
            return {number: versions[number] for number in sorted(versions, reverse=True)}
        if wanted not in versions:
            raise StatusError(grpc.StatusCode.NOT_FOUND, f"Could not find version {wanted} of model {spec.name}")
        return {wanted: versions[wanted]}

    def versions(self, name: str) -> dict[int, Version]:
        """Every version of a model that was seen."""
        return dict(self._models[name].versions) if name in self._models else {}

    def available(self, name: str) -> dict[int, Servable]:
        """The versions of a model that serve."""
        return self._models[name].available if name in self._models else {}

    def _wanted(self, spec: Any) -> tuple[_Model, int | None]:
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        model = self._models.get(spec.name, _Model(None))
        if spec.version_label:
            if model.source is None or spec.version_label not in model.source.labels:
                raise invalid_argument(f"Unrecognized servable version label: {spec.version_label}")
            return model, model.source.labels[spec.version_label]
        return model, spec.version.value if spec.HasField("version") else None

    def _is_loading(self, model: _Model, wanted: int | None) -> bool:
        """Whether it is worth to ask again: until all folders were looked at once, nobody knows what is in them."""
        loading = [number for number, version in dict(model.versions).items() if version.state == State.LOADING]
        return (model.source is not None and not self._refreshed) or (
            bool(loading) if wanted is None else wanted in loading
        )

    @contextlib.contextmanager
    def _turn(self, wanted: Callable[[], bool] = lambda: True) -> Iterator[None]:
        """One change of the models after the other."""
        while not self._changing.acquire(timeout=_WAIT_SECONDS):
            _require(wanted)
        try:
            yield
        finally:
            self._changing.release()

    def _beside(self, name: str, source: Source, wanted: Callable[[], bool]) -> _Model:
        """A model as a source has it, with what serves of it already."""
        old = self._models.get(name, _Model(None))
        kept = old.versions if old.source is not None and old.source.base_path == source.base_path else {}
        # What failed is tried again, since somebody asks for it.
        versions = {number: version for number, version in kept.items() if not version.error}
        try:
            folders = version_folders(source.base_path)
        except OSError:
            folders = {}
        serving = self._load_newest(name, source, folders, versions, wanted)
        if not serving:
            errors = [f"version {number}: {version.error}" for number, version in versions.items() if version.error]
            if not errors:
                raise StatusError(
                    grpc.StatusCode.NOT_FOUND, f"Unable to find a numerical version path for servable {name}"
                )
            raise StatusError(
                grpc.StatusCode.UNKNOWN, f"1 servable(s) did not become available: {name}: {'; '.join(errors)}"
            )
        for number, version in versions.items():
            if number not in serving and version.servable is not None:
                versions[number] = Version(State.END)
        return _Model(source, required=True, versions=versions)

    def _refresh_model(self, name: str, source: Source, versions: dict[int, Version]) -> None:
        try:
            folders = version_folders(source.base_path)
        except OSError:
            # A disk that is away for a moment takes no model with it.
            return
        serving = self._load_newest(name, source, folders, versions)
        for number, version in list(versions.items()):
            if number not in serving and version.servable is not None:
                versions[number] = Version(State.END)
            elif number not in folders and version.error:
                del versions[number]

    def _load_newest(
        self,
        name: str,
        source: Source,
        folders: Mapping[int, Path],
        versions: dict[int, Version],
        wanted: Callable[[], bool] = lambda: True,
    ) -> set[int]:
        """Loads what a source asks for, the newest first; the numbers of what serves."""
        serving: set[int] = set()
        for number in sorted(folders, reverse=True):
            if source.versions is not None and number not in source.versions:
                continue
            if source.newest is not None and source.versions is None and len(serving) == source.newest:
                break
            _require(wanted)
            if self._load(name, number, folders[number], versions):
                serving.add(number)
        return serving

    def _load(self, name: str, number: int, folder: Path, versions: dict[int, Version]) -> bool:
        """Whether the version serves, after an attempt to make it."""
        version = versions.get(number, Version())
        if version.servable is not None:
            return True
        fingerprint = VersionFiles(folder).fingerprint()
        if version.error and version.fingerprint == fingerprint:
            return False
        versions[number] = Version(State.LOADING, fingerprint=fingerprint)
        try:
            servable = self._loader.load(name, number, folder)
        except LoadError as error:
            versions[number] = Version(State.END, error=str(error), fingerprint=fingerprint)
            return False
        versions[number] = Version(State.AVAILABLE, servable)
        return True

    def _missing_labels(self, models: Mapping[str, _Model]) -> Iterator[tuple[str, str, int]]:
        """Model, label and version of each label that may not be."""
        for name, model in models.items():
            for label, number in sorted(model.source.labels.items()) if model.source is not None else ():
                old = self._models.get(name, _Model(None)).source
                new = old is None or old.labels.get(label, number) == number
                if number not in model.available and not (self._any_label and new):
                    yield name, label, number

    def _serving(self) -> dict[tuple[str, int], Servable]:
        return {
            (name, number): servable
            for name, model in self._models.items()
            for number, servable in model.available.items()
        }

    def _tell(self, before: dict[tuple[str, int], Servable]) -> None:
        """Logs what came and went, and lets go of the latter."""
        after = self._serving()
        for name, number in sorted(key for key in after if after[key] is not before.get(key)):
            _log.info("model %s version %d serves", name, number)
        retired = sorted(key for key in before if before[key] is not after.get(key))
        for name, number in retired:
            _log.info("model %s version %d is retired", name, number)
        if retired:
            # Requests that hold a servable finish; with the last of them it goes.
            before.clear()
            gc.collect()


def _require(wanted: Callable[[], bool]) -> None:
    if not wanted():
        raise StatusError(grpc.StatusCode.CANCELLED, "the caller went away, nothing was changed")
