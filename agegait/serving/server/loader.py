import contextlib
import itertools
import logging
import time
import weakref
from collections.abc import Callable
from pathlib import Path

from agegait.export.plain_path import plain_path
from agegait.export.warmup import read_warmup
from agegait.serving.server.load_error import LoadError
from agegait.serving.server.request_checks import read_inputs
from agegait.serving.server.servable import Servable
from agegait.serving.server.status_error import StatusError
from agegait.serving.server.version_files import VersionFiles

_log = logging.getLogger("agegait.serving")


class Loader:
    """Makes servables of version folders: checks the files, verifies them, loads the SavedModel and warms it up.

    Args:
        max_elements: Most elements of a tensor in a warm-up request.
        verify: Whether files are compared with the manifest in the version's folder.
        on_load: Called after each attempt, with the model's name, the version, the seconds that it took and whether it
            loaded.
    """

    def __init__(
        self,
        max_elements: int,
        verify: bool = True,
        on_load: Callable[[str, int, float, bool], object] = lambda *_: None,
    ) -> None:
        self._max_elements = max_elements
        self._verify = verify
        self._on_load = on_load

    def load(self, name: str, number: int, folder: Path) -> Servable:
        """The servable of a version's folder.

        Raises:
            LoadError: It does not load.
        """
        start = time.monotonic()
        loaded = False
        try:
            servable = self._load(name, number, folder)
            loaded = True
            return servable
        except LoadError as error:
            _log.error("model %s version %d does not load: %s", name, number, error)
            raise
        except Exception as error:  # A broken SavedModel raises anything, from OSError to KeyError.
            _log.error("model %s version %d does not load: %s", name, number, type(error).__name__)
            raise LoadError("it does not load, see the server's log") from error
        finally:
            self._on_load(name, number, time.monotonic() - start, loaded)

    def _load(self, name: str, number: int, folder: Path) -> Servable:
        files = VersionFiles(folder)
        before = files.fingerprint()
        files.check()
        if self._verify and not files.verify():
            _log.info("model %s version %d: no manifest, not verified", name, number)
        with contextlib.ExitStack() as stack:
            path = stack.enter_context(plain_path(folder))
            servable = Servable(name, number, path)
            self._warm_up(servable, path)
            if files.fingerprint() != before:
                raise LoadError("files changed while they were loaded")
            # A graph may read its assets whenever it runs.
            weakref.finalize(servable, stack.pop_all().close)
        return servable

    def _warm_up(self, servable: Servable, folder: Path) -> None:
        requests = read_warmup(folder)
        for number in itertools.count(1):
            try:
                request = next(requests, None)
            except ValueError as error:
                raise LoadError(f"warm-up: {error}") from None
            if request is None:
                return
            try:
                signature = servable.signature(request.model_spec.signature_name)
                signature.run(read_inputs(signature, request.inputs, self._max_elements))
            except StatusError as error:
                raise LoadError(f"warm-up: request {number} failed: {error.message}") from None
