from collections.abc import Callable, Sequence

import grpc
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from agegait.gallery import Calibration, DriftCheck

_DISTANCES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2)
_SHARES = (0.5, 0.9)


class GalleryMetrics:
    """What the server counts of a gallery. No label is one that a caller chooses.

    Times and sizes of its requests are in `agegait_request_seconds` and its like, by method.

    Args:
        registry: Where the counts are kept.

    Attributes:
        people: How many are enrolled.
        up: Whether the database answers.
        unwiped: Whether something was deleted that the files may still hold.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"agegait_gallery_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"agegait_gallery_{name}", text, registry=registry)

        self._calibration: Calibration | None = None
        self._identifications = counter("identifications", "Walks of Identify, by their outcome.", "outcome")
        self._distances = Histogram(
            "agegait_gallery_distance",
            "Distances of walks of Identify to the nearest person, by their outcome.",
            ("outcome",),
            registry=registry,
            buckets=_DISTANCES,
        )
        self._calibrated = Gauge(
            "agegait_gallery_calibrated_distance",
            "The distance that a share of the people of the calibration is within from themselves.",
            ("share",),
            registry=registry,
        )
        self._strangers = Gauge(
            "agegait_gallery_stranger_share",
            "Share of people enrolled whom the gallery of all others would accept, by the share that was asked for.",
            ("asked",),
            registry=registry,
        )
        self._drifted = gauge("calibration_drifted", "1 while the calibration does not hold for the people enrolled.")
        self._verifications = counter("verifications", "Walks of Verify, by their outcome.", "outcome")
        self._watched = counter("watch_answers", "Running answers of WatchWalk, by their outcome.", "outcome")
        self._enrolments = counter("enrolments", "Calls that enrolled somebody.")
        self._walks = counter("enrolled_walks", "Walks that were enrolled.")
        self._forgets = counter("forgets", "People who were forgotten.")
        self._refused = counter("refused", "Calls that were refused, by their status.", "code")
        self.people = gauge("people", "People enrolled.")
        self.up = gauge("up", "1 while the database answers.")
        self.unwiped = gauge("unwiped", "1 while something that was deleted is not overwritten yet.")
        self._streams = gauge("walk_streams", "Streams of WatchWalk.")

    def watch_streams(self, count: Callable[[], float]) -> None:
        """Has the open streams counted by a function."""
        self._streams.set_function(count)

    def calibrate(self, calibration: Calibration | None) -> None:
        """Tells what the gallery's calibration says of distances, for those of walks to be compared with."""
        if calibration is self._calibration:
            return
        self._calibration = calibration
        self._calibrated.clear()
        for share in _SHARES:
            if calibration is not None and (distance := calibration.own_distance(share)) is not None:
                self._calibrated.labels(f"{share:g}").set(distance)

    def drift(self, checks: Sequence[DriftCheck]) -> None:
        """Tells whether the calibration holds; of no checks, nothing is known."""
        self._strangers.clear()
        for check in checks:
            if check.kind == "strangers":
                self._strangers.labels(f"{check.expected:g}").set(check.found)
        self._drifted.set(any(check.drifted for check in checks))

    def identify(self, outcome: str, distance: float | None = None) -> None:
        """Counts a walk of Identify: `known`, `unknown` or `poor`, and how far the nearest person was."""
        self._identifications.labels(outcome).inc()
        if distance is not None:
            self._distances.labels(outcome).observe(distance)

    def verify(self, outcome: str) -> None:
        """Counts a walk of Verify."""
        self._verifications.labels(outcome).inc()

    def watch(self, outcome: str) -> None:
        """Counts a running answer; `not_enough_frames` too."""
        self._watched.labels(outcome).inc()

    def enrol(self, walks: int) -> None:
        """Counts an enrolment."""
        self._enrolments.inc()
        self._walks.inc(walks)

    def forget(self) -> None:
        """Counts somebody who was forgotten."""
        self._forgets.inc()

    def refuse(self, code: grpc.StatusCode) -> None:
        """Counts a call that was refused."""
        self._refused.labels(code.name).inc()
