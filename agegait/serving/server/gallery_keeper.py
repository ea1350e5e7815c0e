import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator

import grpc

from agegait.gallery import DriftCheck, Gallery, GalleryDatabaseError, OtherEmbedderError, UnwipedError
from agegait.serving.server.batcher import Batcher
from agegait.serving.server.call import Call
from agegait.serving.server.gallery_metrics import GalleryMetrics
from agegait.serving.server.gallery_model import GalleryModel
from agegait.serving.server.status_error import StatusError

_TURNS = 12  # Of the 15 connections that SQLAlchemy opens.
_PATIENCE = 10.0  # Seconds for a look at the database.
_LONGEST_WAIT = 60.0  # Seconds for a turn, where the caller has more time.
_WIPE_SECONDS = (
    30.0  # From when something is deleted and not overwritten, and from one try to overwrite it to the next.
)
_WIPE_PATIENCE = 2.0  # Seconds that a try waits for those who use a SQLite file.
_DRIFT_SECONDS = 3600.0  # From one look at whether the calibration holds to the next.
_MOST_COMPARED = 200_000  # Walks, beyond which that would take memory and time from requests.
_ACTOR = "server"
_SQLITE = "sqlite"
_SILENT = grpc.StatusCode.UNAVAILABLE, "the gallery's database does not answer"

_log = logging.getLogger("agegait.serving")


class GalleryKeeper:
    """A served gallery: opened as soon as its database answers, looked after from then on.

    A thread deletes who is expired, overwrites what could not be when it was deleted, counts people and tells whether
    the database answers. May be shared by threads.

    Args:
        url: As of `agegait.Gallery.open`.
        find_model: Gives the embedder for the fingerprint of a gallery's templates; None where it has none.
        batcher: What runs the embedder.
        metrics: What counts.
        on_change: Called with whether the database answers, after each look at it.
        seconds: From one look to the next.
    """

    def __init__(
        self,
        url: str,
        find_model: Callable[[str | None], GalleryModel],
        batcher: Batcher,
        metrics: GalleryMetrics,
        on_change: Callable[[bool], None],
        seconds: float,
    ) -> None:
        self._url = url
        self._find_model = find_model
        self._batcher = batcher
        self._metrics = metrics
        self._on_change = on_change
        self._seconds = seconds
        self._opened: tuple[Gallery, GalleryModel] | None = None
        self._refusal = _SILENT
        self._complaint = ""
        self._unwiped = False  # Whether the log has said that something could not be overwritten.
        self._wipe_at: float | None = None  # When to try; None where there is nothing.
        self._drift_at = 0.0
        self._drifted = False
        self._turns = threading.Semaphore(_TURNS)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="agegait-gallery", daemon=True)

    def start(self) -> None:
        """Opens the gallery. One in PostgreSQL is opened later if it does not answer.

        Raises:
            ValueError: There is no such database, or no embedder for its templates.
            GalleryDatabaseError: A file that is no database, or can't be read.
        """
        try:
            self._open()
        except GalleryDatabaseError as error:
            if self._url.startswith(_SQLITE):
                raise
            self._tell(error)
        self._thread.start()

    @property
    def model(self) -> GalleryModel:
        """The embedder.

        Raises:
            StatusError: UNAVAILABLE before the gallery was opened, FAILED_PRECONDITION where no embedder fits.
        """
        if self._opened is None:
            raise StatusError(*self._refusal)
        return self._opened[1]

    @contextlib.contextmanager
    def turn(self, call: Call) -> Iterator[Gallery]:
        """The gallery, for as many requests at once as the database has connections.

        Raises:
            StatusError: DEADLINE_EXCEEDED where the turn does not come in time, or as `model`.
        """
        _ = self.model
        if not self._turns.acquire(timeout=min(max(call.remaining, 0.0), _LONGEST_WAIT)):
            if call.remaining > 0:
                raise StatusError(grpc.StatusCode.RESOURCE_EXHAUSTED, "the gallery's database is busy")
            raise StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed")
        try:
            if self._opened is None:  # closed meanwhile
                raise StatusError(grpc.StatusCode.UNAVAILABLE, "the server is shutting down")
            if call.remaining <= 0:
                raise StatusError(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed")
            yield self._opened[0]
        finally:
            self._turns.release()

    def close(self) -> None:
        """Ends all connections with the database that nobody uses."""
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join(1)
        opened, self._opened = self._opened, None
        if opened is not None:
            opened[0].close()

    def _open(self) -> None:
        with Gallery.open(self._url, actor=_ACTOR) as without_embedder:
            fingerprint = without_embedder.fingerprint
        model = self._find_model(fingerprint)
        gallery = self._opened_with(model)
        self._opened = gallery, model
        self._metrics.people.set(gallery.count())
        self._metrics.calibrate(gallery.calibration)
        self._metrics.up.set(1)
        self._complaint = ""
        self._on_change(True)
        _log.info("the gallery is open; its embedder is %s", model.name)
        calibration = gallery.calibration
        if calibration is not None and calibration.generated:
            _log.warning(
                "gallery: its calibration is of generated walkers. `agegait calibrate` makes one of real people."
            )
        if calibration is None:
            _log.warning("gallery: it has no calibration, so requests need a threshold. `agegait calibrate` makes one.")

    def _opened_with(self, model: GalleryModel) -> Gallery:
        """The gallery, which takes the model's calibration where it has none."""
        embedder, calibration = model.embedder(self._batcher, Call("Gallery")), model.embedder_file.calibration
        gallery = Gallery.open(self._url, embedder, actor=_ACTOR)
        if calibration is not None and gallery.calibration is None:
            gallery.close()
            gallery = Gallery.open(self._url, embedder, calibration, actor=_ACTOR)
        return gallery

    def _watch(self) -> None:
        while not self._closed.wait(self._seconds):
            try:
                if self._opened is None:
                    self._open()
                else:
                    gallery = self._opened[0]
                    with self._patience():
                        with contextlib.suppress(UnwipedError):
                            gallery.purge(_WIPE_PATIENCE)
                        self._metrics.people.set(gallery.count())
                        self._metrics.calibrate(gallery.calibration)
                        unwiped = gallery.unwiped
                    self._tell(None)
                    self._wipe(gallery, unwiped)
                    self._check_drift(gallery)
            except (OSError, ValueError) as error:
                self._tell(error)
            except Exception as error:  # It is looked at again, whatever the database meets.
                _log.error("looking after the gallery failed: %s", type(error).__name__)

    def _check_drift(self, gallery: Gallery) -> None:
        if time.monotonic() < self._drift_at:
            return
        self._drift_at = time.monotonic() + _DRIFT_SECONDS
        checks: tuple[DriftCheck, ...] = ()
        with contextlib.suppress(OtherEmbedderError):  # each call is told
            if gallery.count() <= _MOST_COMPARED:
                checks = gallery.drift()
        self._metrics.drift(checks)
        drifted = any(check.drifted for check in checks)
        if drifted and not self._drifted:
            _log.warning("gallery: its calibration does not hold for the people enrolled, see `agegait gallery check`")
        self._drifted = drifted

    def _wipe(self, gallery: Gallery, unwiped: bool) -> None:
        """Overwrites what was deleted a while ago; before that, whoever deleted it is perhaps about to."""
        if unwiped and self._wipe_at is None:
            self._wipe_at = time.monotonic() + _WIPE_SECONDS
        elif unwiped and time.monotonic() >= (self._wipe_at or 0):
            try:
                gallery.wipe(_WIPE_PATIENCE)
            except UnwipedError as error:
                if not self._unwiped:
                    reason = type(error.__cause__).__name__
                    _log.warning("gallery: what was deleted is not overwritten yet, and tried again: %s", reason)
                self._unwiped, self._wipe_at = True, time.monotonic() + _WIPE_SECONDS
            else:
                unwiped = False
                _log.info("gallery: what was deleted is overwritten now")
        if not unwiped:
            self._unwiped, self._wipe_at = False, None
        self._metrics.unwiped.set(unwiped)

    @contextlib.contextmanager
    def _patience(self) -> Iterator[None]:
        """Tells of a database that lets itself be asked and does not answer, such as one whose tables are locked."""
        late = threading.Timer(_PATIENCE, self._tell, [TimeoutError("the database has not answered yet")])
        late.daemon = True
        late.start()
        try:
            yield
        finally:
            late.cancel()

    def _tell(self, error: Exception | None) -> None:
        """Says once, in the log, what is wrong: never in the database's own words, in which names may stand."""
        if error is None:
            if self._complaint:
                _log.info("the gallery's database answers again")
            self._complaint = ""
        else:
            complaint = type(error).__name__
            if isinstance(error, ValueError):
                complaint = str(error)
                self._refusal = grpc.StatusCode.FAILED_PRECONDITION, complaint
            elif error.__cause__ is not None:
                self._refusal = _SILENT
                complaint = f"{complaint}: {type(getattr(error.__cause__, 'orig', error.__cause__)).__name__}"
            if complaint != self._complaint:
                _log.error("the gallery does not work: %s", complaint)
            self._complaint = complaint
        self._metrics.up.set(error is None)
        self._on_change(error is None)
