"""Walks as requests to a gallery, and what answers become: what both clients share."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from agegait.serving import gallery_pb2 as messages
from agegait.serving.client import walks
from agegait.serving.client.client_errors import BadAnswerError
from agegait.serving.client.gallery_results import (
    EnrolledPerson,
    GalleryIdentification,
    GalleryVerification,
    MatchThreshold,
    Outcome,
    PersonMatch,
    WalkQuality,
)

JOINTS = 20

_LARGEST = 2**31 - 1

_OUTCOMES = {
    messages.OUTCOME_KNOWN: Outcome.KNOWN,
    messages.OUTCOME_UNKNOWN: Outcome.UNKNOWN,
    messages.OUTCOME_POOR: Outcome.POOR,
    messages.OUTCOME_NOT_ENOUGH_FRAMES: Outcome.NOT_ENOUGH_FRAMES,
}


class TrackedWalk(NamedTuple):
    """A walk, and what is known of it besides.

    Attributes:
        skeleton: `[T, 20, 3]` in metres.
        tracked: `[T, 20]`: which joints the sensor tracked; None where that is not known.
        frame_rate: Frames a second; None for the embedder's own.
    """

    skeleton: np.ndarray
    tracked: np.ndarray | None = None
    frame_rate: float | None = None


GalleryWalk = np.ndarray | TrackedWalk
"""`[T, 20, 3]` in metres, or a walk with what is known of it besides."""


def walk_message(argument: str, walk: GalleryWalk) -> messages.Walk:
    """A walk as a message.

    Raises:
        ValueError: Another shape, NaN or infinity.
    """
    if not isinstance(walk, TrackedWalk):
        walk = TrackedWalk(walk)
    skeleton = walks.floats(argument, walk.skeleton)
    if skeleton.ndim != 3 or skeleton.shape[1:] != (JOINTS, 3):
        raise ValueError(f"{argument}: expected [T, {JOINTS}, 3], received {list(skeleton.shape)}.")
    if not np.isfinite(skeleton).all():
        raise ValueError(f"{argument}: expected finite coordinates, received NaN or infinity.")
    message = messages.Walk(skeleton=skeleton.astype("<f4", copy=False).tobytes(), frame_rate=walk.frame_rate)
    if walk.tracked is not None:
        tracked = np.asarray(walk.tracked)
        if tracked.shape != skeleton.shape[:2] or not np.isin(tracked, (0, 1)).all():
            raise ValueError(
                f"{argument}: expected tracked {list(skeleton.shape[:2])} of true or false, received "
                f"{list(tracked.shape)}."
            )
        message.tracked = tracked.astype("u1").tobytes()
    return message


def enrol_request(
    person: str, enrolled: GalleryWalk | Sequence[GalleryWalk], consent: str, expires: datetime | None
) -> messages.EnrolRequest:
    """A request to enrol somebody.

    Raises:
        ValueError: As `walk_message`; a name or a note that is no Unicode; a time without a time zone.
    """
    _check_text("person", person)
    _check_text("consent", consent)
    if isinstance(enrolled, TrackedWalk) or (isinstance(enrolled, np.ndarray) and enrolled.ndim == 3):
        enrolled = [enrolled]
    request = messages.EnrolRequest(person=person, consent=consent)
    request.walks.extend(walk_message(f"walks, walk {number}", walk) for number, walk in enumerate(enrolled))
    if expires is not None:
        if expires.tzinfo is None:
            raise ValueError(f"expires: expected a time with its time zone, received {expires.isoformat()}.")
        try:
            request.expires.FromDatetime(expires.astimezone(UTC))
        except OverflowError:
            raise ValueError(
                f"expires: expected a time before the year 10000 in UTC, received {expires.isoformat()}."
            ) from None
    return request


def identify_request(
    walk: GalleryWalk, k: int, false_alarms: float, threshold: float | None
) -> messages.IdentifyRequest:
    """A question who somebody is.

    Raises:
        ValueError: As `walk_message`; a number that no message can hold.
    """
    _check_count("k", k)
    message = walk_message("walk", walk)
    return messages.IdentifyRequest(walk=message, k=k, false_alarms=false_alarms, threshold=threshold)


def verify_request(
    person: str, walk: GalleryWalk, false_accepts: float, threshold: float | None
) -> messages.VerifyRequest:
    """A question whether somebody is who they claim to be.

    Raises:
        ValueError: As `walk_message`; a name that is no Unicode.
    """
    _check_text("person", person)
    message = walk_message("walk", walk)
    return messages.VerifyRequest(person=person, walk=message, false_accepts=false_accepts, threshold=threshold)


def forget_request(person: str) -> messages.ForgetRequest:
    """A request to delete somebody.

    Raises:
        ValueError: A name that is no Unicode.
    """
    _check_text("person", person)
    return messages.ForgetRequest(person=person)


def watch_settings(k: int, false_alarms: float, threshold: float | None, last: int) -> messages.WatchSettings:
    """What the server is to do with a walk that goes on.

    Raises:
        ValueError: A number that no message can hold.
    """
    _check_count("k", k)
    _check_count("last", last)
    return messages.WatchSettings(k=k, false_alarms=false_alarms, threshold=threshold, last=last)


def person_of(message: messages.Person) -> EnrolledPerson:
    """Somebody enrolled."""
    try:
        enrolled = message.enrolled.ToDatetime(UTC)
        expires = message.expires.ToDatetime(UTC) if message.HasField("expires") else None
    except (ValueError, OverflowError):
        raise BadAnswerError("the answer has a time that is none") from None
    return EnrolledPerson(message.number, message.name, message.consent, enrolled, expires, message.walks)


def identification(message: messages.IdentifyResponse, frames: int | None = None) -> GalleryIdentification:
    """What is said of a walk.

    Raises:
        BadAnswerError: It makes no sense.
    """
    outcome, quality = _outcome(message.outcome), _quality(message.quality)
    person = message.person if message.HasField("person") else None
    if (person is not None) != (outcome is Outcome.KNOWN):
        raise BadAnswerError("the answer has a person and says that it has none, or the other way round")
    return GalleryIdentification(
        outcome,
        person,
        tuple(_match(match) for match in message.matches),
        _threshold(message),
        quality,
        message.people,
        quality.frames if frames is None else frames,
    )


def verification(message: messages.VerifyResponse) -> GalleryVerification:
    """What is said of a claim.

    Raises:
        BadAnswerError: It makes no sense.
    """
    match = _match(message.match) if message.HasField("match") else None
    outcome = _outcome(message.outcome)
    if (match is not None and match.accepted) != (outcome is Outcome.KNOWN):
        raise BadAnswerError("the answer accepts a claim and says that it does not, or the other way round")
    return GalleryVerification(outcome, match, _threshold(message), _quality(message.quality))


def _check_text(argument: str, text: str) -> None:
    """Refuses text that no message can hold. Whether it is a name says the server."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{argument}: expected Unicode, received bytes that are none.") from None


def _check_count(argument: str, count: int) -> None:
    if not -_LARGEST <= count <= _LARGEST:
        raise ValueError(f"{argument}: expected at most {_LARGEST:,}, received {count:,}.")


def _outcome(outcome: messages.Outcome) -> Outcome:
    if outcome not in _OUTCOMES:
        raise BadAnswerError(f"the answer has an outcome that is not known, {int(outcome)}")
    return _OUTCOMES[outcome]


def _match(message: messages.Match) -> PersonMatch:
    probability = message.probability if message.HasField("probability") else None
    if not all(math.isfinite(value) for value in (message.distance, probability or 0.0)):
        raise BadAnswerError("the answer has numbers that are not finite")
    return PersonMatch(message.person, message.distance, probability, message.accepted)


def _threshold(message: Any) -> MatchThreshold | None:
    if not message.HasField("threshold"):
        return None
    threshold = message.threshold
    rate = threshold.false_alarms if threshold.HasField("false_alarms") else None
    return MatchThreshold(threshold.distance, rate, threshold.extrapolated, threshold.generated)


def _quality(message: messages.Quality) -> WalkQuality:
    steadiness = message.steadiness if message.HasField("steadiness") else None
    return WalkQuality(message.frames, message.tracked, steadiness, message.fault)
