"""Walks as callers send them to a gallery, and answers as they get them."""

import datetime
import math
from typing import Any

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from agegait.data import Walk
from agegait.export.embedder_endpoints import MOST_FRAMES
from agegait.export.resampled_endpoint import FASTEST, SLOWEST
from agegait.gallery import Identification, Match, Person, Quality, Threshold, Verification
from agegait.serving import gallery_pb2 as messages
from agegait.serving.server.answer_policy import AnswerPolicy
from agegait.serving.server.request_checks import FARTHEST
from agegait.serving.server.status_error import invalid_argument
from agegait.skeletons import JOINTS

FRAME_BYTES = 4 * 3 * len(JOINTS)
"""A frame on the wire."""

_SCHEMA = "canonical"


def read_walk(argument: str, walk: Any, embedder_rate: float, fewest: int = 1) -> Walk:
    """The walk that a message holds, at the frame rate that it was taken at.

    Args:
        argument: What it is called in the request.
        walk: The message.
        embedder_rate: The frame rate that it will be resampled to.
        fewest: Frames that there have to be.

    Raises:
        StatusError: INVALID_ARGUMENT for sizes that do not fit, too many frames, coordinates or a rate beyond reason.
    """
    frames, rest = divmod(len(walk.skeleton), FRAME_BYTES)
    if rest or frames < fewest:
        raise invalid_argument(
            f"{argument}: expected [T, {len(JOINTS)}, 3] float32, {FRAME_BYTES} bytes a frame, received "
            f"{len(walk.skeleton)} bytes"
        )
    rate = walk.frame_rate if walk.HasField("frame_rate") else None
    if rate is not None and not SLOWEST <= rate <= FASTEST:
        raise invalid_argument(f"{argument}: expected a frame_rate of {SLOWEST:g} to {FASTEST:g}, received {rate:g}")
    check_length(argument, frames, rate, embedder_rate)
    skeleton = np.frombuffer(walk.skeleton, "<f4").reshape(frames, len(JOINTS), 3)
    if (np.abs(skeleton) > FARTHEST).any():  # NaN is not, and is a fault of the walk, not of the request
        raise invalid_argument(f"{argument}: expected coordinates within {FARTHEST:,}, received larger ones")
    return Walk(skeleton.astype("float32"), _read_tracked(argument, walk.tracked, frames), rate, _SCHEMA)


def most_frames(frames: int, rate: float | None, embedder_rate: float) -> int:
    """Frames of a walk, as it is or as it will be resampled, whichever are more."""
    return frames if rate is None else max(frames, math.ceil(frames * embedder_rate / rate))


def check_length(argument: str, frames: int, rate: float | None, embedder_rate: float) -> None:
    """Refuses walks that are too long, as they are or as they will be resampled.

    Raises:
        StatusError: INVALID_ARGUMENT.
    """
    most = most_frames(frames, rate, embedder_rate)
    if most > MOST_FRAMES:
        raise invalid_argument(
            f"{argument}: expected at most {MOST_FRAMES:,} frames, at {embedder_rate:g} a second too, received {most:,}"
        )


def _read_tracked(argument: str, tracked: bytes, frames: int) -> np.ndarray:
    shape = (frames, len(JOINTS))
    if not tracked:
        return np.ones(shape, bool)
    marks = np.frombuffer(tracked, "u1")
    if len(marks) != math.prod(shape) or marks.max(initial=0) > 1:
        raise invalid_argument(
            f"{argument}: expected tracked to be [T, {len(JOINTS)}] bytes of 0 or 1, one for each joint, received "
            f"{len(marks)} bytes for {frames} frames"
        )
    return marks.reshape(shape).astype(bool)


def read_time(argument: str, time: Timestamp) -> datetime.datetime:
    """A time that a message holds.

    Raises:
        StatusError: INVALID_ARGUMENT for one beyond the years 1 to 9999.
    """
    try:
        return time.ToDatetime(datetime.UTC)
    except (ValueError, OverflowError):
        raise invalid_argument(f"{argument}: expected a time in the years 1 to 9999, received another") from None


def of_identification(found: Identification, answers: AnswerPolicy) -> Any:
    """An answer to a walk that was looked for."""
    known = found.person is not None
    return messages.IdentifyResponse(
        outcome=messages.OUTCOME_KNOWN if known else messages.OUTCOME_UNKNOWN,
        person=found.person,
        matches=[_of_match(match) for match in answers.matches(found.matches)],
        threshold=_of_threshold(found.threshold),
        quality=of_quality(found.quality),
        people=found.people,
    )


def of_poor_walk(quality: Quality) -> Any:
    """An answer to a walk that nobody can be recognised by."""
    return messages.IdentifyResponse(outcome=messages.OUTCOME_POOR, quality=of_quality(quality))


def of_verification(found: Verification, answers: AnswerPolicy) -> Any:
    """An answer to a claim."""
    match = answers.matches([Match(found.person, found.distance, found.probability, found.accepted)])
    return messages.VerifyResponse(
        outcome=messages.OUTCOME_KNOWN if found.accepted else messages.OUTCOME_UNKNOWN,
        match=_of_match(match[0]) if match else None,
        threshold=_of_threshold(found.threshold),
        quality=of_quality(found.quality),
    )


def of_person(person: Person) -> Any:
    """Somebody enrolled."""
    message = messages.Person(number=person.id, name=person.name, consent=person.consent, walks=person.walks)
    message.enrolled.FromDatetime(person.enrolled)
    if person.expires is not None:
        message.expires.FromDatetime(person.expires)
    return message


def of_quality(quality: Quality) -> Any:
    """How good a walk is."""
    return messages.Quality(
        frames=quality.frames, tracked=quality.tracked, steadiness=quality.steadiness, fault=quality.fault
    )


def outcome_name(outcome: int) -> str:
    """`known` of OUTCOME_KNOWN, for metrics."""
    return messages.Outcome.Name(outcome).removeprefix("OUTCOME_").lower()


def _of_match(match: Match) -> Any:
    return messages.Match(
        person=match.person, distance=match.distance, probability=match.probability, accepted=match.accepted
    )


def _of_threshold(threshold: Threshold) -> Any:
    return messages.Threshold(
        distance=threshold.distance,
        false_alarms=threshold.false_alarms,
        extrapolated=threshold.extrapolated,
        generated=threshold.generated,
    )
