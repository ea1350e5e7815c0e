"""Which versions of which models are served: found, loaded, warmed up and let go as their folders come and go."""

import gc
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

import grpc

from agegait.export.warmup import read_warmup
from agegait.serving.server.request_checks import read_inputs
from agegait.serving.server.servable import Servable
from agegait.serving.server.status_error import StatusError, invalid_argument

_log = logging.getLogger("agegait.serving")


class State(IntEnum):
    """ModelVersionStatus.State of TensorFlow Serving."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True)
class Source:
    """Where a model's versions are and which of them to serve.

    Attributes:
        base_path: Folder of the version folders.
        newest: How many of the newest versions that load; None for all.
        versions: These alone, where given.
        labels: Versions by label.
    """

    base_path: Path
    newest: int | None = 1
    versions: frozenset[int] | None = None
    labels: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Version:
    """How a version fares: its state, its servable while it has one, and what went wrong."""

    state: State = State.START
    servable: Servable | None = None
    error: str = ""
    fingerprint: Any = None


class Catalog:
    """The models that are served.

    A version is loaded and warmed up before an older one goes; one that does not load is reported, and what served
    before keeps serving. A broken one is tried again once its files change.

    Args:
        sources: The models by name.
        max_elements: Most elements of a tensor in a warm-up request.
        on_change: Called after a version comes or goes.
        discover: Finds further models, asked at each look at the folders.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        max_elements: int,
        on_change: Callable[[], None] = lambda: None,
        discover: Callable[[], Mapping[str, Source]] = dict,
    ) -> None:
        self._sources = dict(sources)
        self._required = set(sources)
        self._discover = discover
        self._versions: dict[str, dict[int, Version]] = {name: {} for name in sources}
        self._max_elements = max_elements
        self._on_change = on_change
        self._refreshing = threading.Lock()
        self._refreshed = False

    @property
    def ready(self) -> bool:
        """Whether every model that was asked for has a version that serves; one that is found later may fail."""
        return self._refreshed and all(self.available(name) for name in self._required)

    def names(self) -> list[str]:
        """The models' names."""
        return sorted(self._sources)

    def replace(self, sources: Mapping[str, Source]) -> None:
        """Serves these models from now on, and no others."""
        with self._refreshing:
            for name, source in sources.items():
                if name in self._sources and self._sources[name].base_path != source.base_path:
                    self._versions[name] = {}
                self._versions.setdefault(name, {})
            self._sources = dict(sources)
            self._required = set(sources)
            self._discover = dict
            for name in set(self._versions) - set(sources):
                for number in list(self._versions[name]):
                    self._retire(name, number)
        self.refresh()

    def refresh(self) -> None:
        """Looks once at the folders; returns when what is new there is loaded or reported."""
        with self._refreshing:
            for name, source in self._discover().items():
                self._versions.setdefault(name, {})
                self._sources.setdefault(name, source)
            for name, source in self._sources.items():
                self._refresh_model(name, source)
            self._refreshed = True
        self._on_change()

    def get(self, spec: Any) -> Servable:
        """The servable that a ModelSpec asks for.

        Raises:
            StatusError: INVALID_ARGUMENT without a name or for an unknown label, NOT_FOUND for a model or version that
                is not served, UNAVAILABLE while the model's first version, or the one that is wanted, loads.
        """
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        available = self.available(spec.name)
        wanted = self._wanted(spec)
        if wanted is None and available:
            return available[max(available)]
        if wanted is not None and wanted in available:
            return available[wanted]
        request = f"Latest({spec.name})" if wanted is None else f"Specific({spec.name}, {wanted})"
        if self._is_loading(spec.name, wanted):
            raise StatusError(grpc.StatusCode.UNAVAILABLE, f"Servable is loading: {request}")
        raise StatusError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {request}")

    def _is_loading(self, name: str, wanted: int | None) -> bool:
        """Whether it is worth to ask again: until all folders were looked at once, nobody knows what is in them."""
        loading = [number for number, version in self.versions(name).items() if version.state == State.LOADING]
        return (name in self._sources and not self._refreshed) or (
            bool(loading) if wanted is None else wanted in loading
        )

    def status(self, spec: Any) -> dict[int, Version]:
        """The versions that a ModelSpec asks about, newest first.

        Raises:
            StatusError: As `get`; NOT_FOUND where there are none.
        """
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        versions = self.versions(spec.name)
        if not versions:
            raise StatusError(grpc.StatusCode.NOT_FOUND, f"Could not find any versions of model {spec.name}")
        wanted = self._wanted(spec)
        if wanted is None:
            return {number: versions[number] for number in sorted(versions, reverse=True)}
        if wanted not in versions:
            raise StatusError(grpc.StatusCode.NOT_FOUND, f"Could not find version {wanted} of model {spec.name}")
        return {wanted: versions[wanted]}

    def versions(self, name: str) -> dict[int, Version]:
        """Every version of a model that was seen."""
        return dict(self._versions.get(name, {}))

    def available(self, name: str) -> dict[int, Servable]:
        """The versions of a model that serve."""
        return {
            number: version.servable
            for number, version in self.versions(name).items()
            if version.state == State.AVAILABLE and version.servable
        }

    def _wanted(self, spec: Any) -> int | None:
        if spec.version_label:
            source = self._sources.get(spec.name)
            if source is None or spec.version_label not in source.labels:
                raise invalid_argument(f"Unrecognized servable version label: {spec.version_label}")
            return source.labels[spec.version_label]
        return spec.version.value if spec.HasField("version") else None

    def _refresh_model(self, name: str, source: Source) -> None:
        try:
            folders = version_folders(source.base_path)
        except OSError:
            # A disk that is away for a moment takes no model with it.
            return
        serving: set[int] = set()
        for number in sorted(folders, reverse=True):
            if source.versions is not None and number not in source.versions:
                continue
            if source.newest is not None and source.versions is None and len(serving) == source.newest:
                break
            if self._load(name, number, folders[number]):
                serving.add(number)
        for number, version in self.versions(name).items():
            if number not in serving and version.state == State.AVAILABLE:
                self._retire(name, number)
            elif number not in folders and version.state == State.END and version.error:
                del self._versions[name][number]

    def _load(self, name: str, number: int, folder: Path) -> bool:
        """Whether the version serves, after an attempt to make it."""
        version = self._versions[name].get(number)
        if version is not None and version.state == State.AVAILABLE:
            return True
        fingerprint = _fingerprint(folder)
        if version is not None and version.error and version.fingerprint == fingerprint:
            return False
        self._versions[name][number] = version = Version(State.LOADING, fingerprint=fingerprint)
        try:
            servable = Servable(name, number, folder)
            self._warm_up(servable, folder)
        except Exception as error:  # A broken SavedModel raises anything, from OSError to KeyError.
            version.error = f"{type(error).__name__}: {error}".splitlines()[0][:500]
            version.state = State.END
            _log.error("model %s version %d does not load: %s", name, number, type(error).__name__)
            return False
        version.servable = servable
        version.state = State.AVAILABLE
        _log.info("model %s version %d serves", name, number)
        self._on_change()
        return True

    def _warm_up(self, servable: Servable, folder: Path) -> None:
        for request in read_warmup(folder):
            signature = servable.signature(request.model_spec.signature_name)
            signature.run(read_inputs(signature, request.inputs, self._max_elements))

    def _retire(self, name: str, number: int) -> None:
        version = self._versions[name][number]
        # Requests that hold the servable finish; with the last of them it goes.
        version.servable = None
        version.state = State.END
        gc.collect()
        _log.info("model %s version %d is retired", name, number)


def version_folders(base_path: Path) -> dict[int, Path]:
    """The version folders of a model: those named by a number.

    Raises:
        OSError: The folder can't be read.
    """
    with os.scandir(base_path) as entries:
        return {
            int(entry.name): Path(entry.path)
            for entry in entries
            if entry.name.isascii() and entry.name.isdecimal() and entry.is_dir()
        }


def _fingerprint(folder: Path) -> list[tuple[str, int, int]]:
    """What changes when a file does; empty while the files are on the move."""
    try:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return [(str(path), (stat := path.stat()).st_mtime_ns, stat.st_size) for path in files]
    except OSError:
        return []
