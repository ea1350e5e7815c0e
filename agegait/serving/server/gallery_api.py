import contextlib
import dataclasses
import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import grpc

from agegait.data import Walk
from agegait.gallery import (
    Gallery,
    GalleryDatabaseError,
    Identification,
    NameTakenError,
    OtherEmbedderError,
    PoorWalkError,
    Probe,
    Quality,
    UncalibratedError,
    UnknownPersonError,
    UnwipedError,
)
from agegait.serving import gallery_pb2 as messages
from agegait.serving.server import gallery_messages
from agegait.serving.server.admission import Admission
from agegait.serving.server.answer_policy import AnswerPolicy
from agegait.serving.server.batcher import Batcher
from agegait.serving.server.call import Call
from agegait.serving.server.gallery_keeper import GalleryKeeper
from agegait.serving.server.gallery_metrics import GalleryMetrics
from agegait.serving.server.memory_budget import Reservation
from agegait.serving.server.request_cost import RequestCost
from agegait.serving.server.status_error import StatusError, invalid_argument
from agegait.serving.server.walk_fault_error import WalkFaultError
from agegait.serving.server.walk_watch import WalkWatch
from agegait.storage.disk_full import DiskFullError

MOST_MATCHES = 100
MOST_PEOPLE = 500
MOST_WALKS = 64

_LONGEST_WIPE = 60.0
_RATE = 0.01
_MATCHES = 5


class GalleryApi:
    """The gallery as callers have it: requests in, answers out, refusals by status.

    Args:
        keeper: The gallery.
        batcher: What runs its embedder.
        most: Most requests in hand at once.
        metrics: What counts.
        answers: What answers may hold.
    """

    def __init__(
        self, keeper: GalleryKeeper, batcher: Batcher, most: int, metrics: GalleryMetrics, answers: AnswerPolicy
    ) -> None:
        self._keeper = keeper
        self._batcher = batcher
        self._metrics = metrics
        self._answers = answers
        self.admission = Admission(most)

    def enrol(self, request: messages.EnrolRequest, call: Call) -> Any:
        """Enrols somebody."""
        with self._refusals(), self.admission.admitted(call):
            if len(request.walks) > MOST_WALKS:
                raise invalid_argument(f"walks: expected at most {MOST_WALKS}, received {len(request.walks)}")
            expires = None
            if request.HasField("expires"):
                expires = gallery_messages.read_time("expires", request.expires)
            walks = [self._read(f"walks, walk {number}", walk) for number, walk in enumerate(request.walks)]
            probes = self._probes("walks", walks, call)
            with self._changing(call) as gallery:
                enrolled = gallery.enrol(
                    request.person, probes, consent=request.consent, expires=expires, actor=call.actor
                )
        self._metrics.enrol(len(probes))
        return messages.EnrolResponse(person=gallery_messages.of_person(enrolled))

    def forget(self, request: messages.ForgetRequest, call: Call) -> Any:
        """Deletes somebody."""
        with self._refusals(), self.admission.admitted(call), self._changing(call) as gallery:
            try:  # In half of the call's time: the caller is to hear what became of it.
                gallery.forget(request.person, call.actor, min(max(call.remaining, 0.0) / 2, _LONGEST_WIPE))
            except UnwipedError:
                self._metrics.forget()
                raise
        self._metrics.forget()
        return messages.ForgetResponse()

    def list_people(self, request: messages.ListPeopleRequest, call: Call) -> Any:
        """Who is enrolled, a page at a time."""
        if not 0 <= request.page_size <= MOST_PEOPLE:
            raise invalid_argument(f"page_size: expected 0 to {MOST_PEOPLE}, received {request.page_size}")
        if request.after < 0:
            raise invalid_argument(f"after: expected at least 0, received {request.after}")
        most = request.page_size or MOST_PEOPLE
        with self._refusals(), self.admission.admitted(call), self._keeper.turn(call) as gallery:
            found = gallery.people(request.after, most + 1)
        response = messages.ListPeopleResponse(people=[gallery_messages.of_person(one) for one in found[:most]])
        if len(found) > most:
            response.next = found[most - 1].id
        return response

    def identify(self, request: messages.IdentifyRequest, call: Call) -> Any:
        """Says who the person of a walk is."""
        with self._refusals(), self.admission.admitted(call):
            answer, found = self._find(self._read("walk", request.walk), request, call)
        distance = found.matches[0].distance if found is not None and found.matches else None
        self._metrics.identify(gallery_messages.outcome_name(answer.outcome), distance)
        return answer

    def verify(self, request: messages.VerifyRequest, call: Call) -> Any:
        """Says whether a walk is of the person claimed."""
        rate, threshold = request.false_accepts if request.HasField("false_accepts") else _RATE, _threshold(request)
        with self._refusals(), self.admission.admitted(call):
            try:
                (probe,) = self._probes("walk", [self._read("walk", request.walk)], call)
            except PoorWalkError as error:
                quality = gallery_messages.of_quality(error.quality)
                answer = messages.VerifyResponse(outcome=messages.OUTCOME_POOR, quality=quality)
            else:
                with self._keeper.turn(call) as gallery:
                    found = gallery.verify(request.person, probe, rate, threshold, call.actor)
                answer = gallery_messages.of_verification(found, self._answers)
        self._metrics.verify(gallery_messages.outcome_name(answer.outcome))
        return answer

    def watch(self, memory: Reservation) -> WalkWatch:
        """A walk whose frames will come, for `add`.

        Args:
            memory: What it holds of the server's.
        """
        with self._refusals():
            return WalkWatch(self._keeper.model.embedder_file.frame_rate, self._find, memory)

    def add(self, watch: WalkWatch, request: messages.WatchWalkRequest, call: Call) -> Any:
        """Takes further frames, and says who walks."""
        with self._refusals(), self.admission.admitted(call):
            response = watch.add(request, call)
        self._metrics.watch(gallery_messages.outcome_name(response.answer.outcome))
        return response

    def _find(
        self, walk: Walk, settings: Any, call: Call, before: Identification | None = None
    ) -> tuple[Any, Identification | None]:
        """An answer to a walk, by an IdentifyRequest or WatchSettings, and what it was made of; None if it is poor."""
        k = settings.k if settings.HasField("k") else _MATCHES
        if not 1 <= k <= MOST_MATCHES:
            raise invalid_argument(f"k: expected 1 to {MOST_MATCHES}, received {k}")
        rate = settings.false_alarms if settings.HasField("false_alarms") else _RATE
        try:
            (probe,) = self._probes("walk", [walk], call)
        except PoorWalkError as error:
            return gallery_messages.of_poor_walk(error.quality), None
        with self._keeper.turn(call) as gallery:
            found = gallery.identify(probe, k, rate, _threshold(settings), call.actor, before)
        return gallery_messages.of_identification(found, self._answers), found

    def _read(self, argument: str, walk: Any) -> Walk:
        return gallery_messages.read_walk(argument, walk, self._keeper.model.embedder_file.frame_rate)

    def _probes(self, argument: str, walks: Sequence[Walk], call: Call) -> list[Probe]:
        """Walks as a gallery compares them.

        Raises:
            PoorWalkError: A walk that nobody can be recognised by.
        """
        model = self._keeper.model
        if walks:
            rate = model.embedder_file.frame_rate
            frames = (gallery_messages.most_frames(len(walk.skeleton), walk.frame_rate, rate) for walk in walks)
            longest = max(frames)
            shapes = {"skeletons": (len(walks), longest, *walks[0].skeleton.shape[1:]), "lengths": (len(walks),)}
            cost = RequestCost.of_shapes(model.signature, shapes, call.request_bytes)
            call.memory.resize(cost.bytes + call.parsed_bytes)
        try:
            return Probe.of_walks(model.embedder(self._batcher, call), argument, walks)
        except WalkFaultError as error:
            quality = dataclasses.replace(Quality.of(walks[error.number]), fault=error.fault)
            raise PoorWalkError(argument, quality) from None

    @contextlib.contextmanager
    def _changing(self, call: Call) -> Iterator[Gallery]:
        """The gallery, for a change that somebody waits for: of a caller who went away, nothing is changed."""
        left = threading.Event()
        if not call.add_done_callback(left.set):
            left.set()
        with self._keeper.turn(call) as gallery:
            if left.is_set():
                raise StatusError(grpc.StatusCode.CANCELLED, "the caller went away, nothing was changed")
            yield gallery

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        """Gives the gallery's errors their status. The database's own words stay here: names may stand in them."""
        try:
            try:
                yield
            except NameTakenError as error:
                raise StatusError(grpc.StatusCode.ALREADY_EXISTS, _without_names(error)) from None
            except UnknownPersonError as error:
                raise StatusError(grpc.StatusCode.NOT_FOUND, str(error)) from None
            except OtherEmbedderError as error:
                raise StatusError(grpc.StatusCode.FAILED_PRECONDITION, str(error)) from None
            except UncalibratedError:
                raise StatusError(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    "threshold: expected one, as the gallery has no calibration: `agegait calibrate` makes one",
                ) from None
            except UnwipedError:
                raise StatusError(
                    grpc.StatusCode.UNAVAILABLE,
                    "the person is deleted, and what the gallery's files held of them is not overwritten yet: the "
                    "server tries again each half minute",
                ) from None
            except DiskFullError:
                raise StatusError(grpc.StatusCode.RESOURCE_EXHAUSTED, "the gallery's disk is full") from None
            except GalleryDatabaseError:
                raise StatusError(
                    grpc.StatusCode.UNAVAILABLE, "the gallery's database does not answer, or not as it should"
                ) from None
            except ValueError as error:
                raise invalid_argument(_without_names(error)) from None
        except StatusError as error:
            self._metrics.refuse(error.code)
            raise


def _without_names(error: ValueError) -> str:
    """What is wrong, without the name that was received: a status may stand in traces."""
    return re.sub(r"^(person: .*?), received .*", r"\1", str(error), flags=re.DOTALL)


def _threshold(settings: Any) -> float | None:
    return settings.threshold if settings.HasField("threshold") else None
