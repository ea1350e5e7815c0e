import argparse
import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from agegait.cli.names import in_options
from agegait.cli.served_answers import ServedAnswers, check_quality
from agegait.serving.options import client_arguments

if TYPE_CHECKING:
    from agegait.recordings.walk import Walk
    from agegait.serving import GalleryClient
    from agegait.serving.client.gallery_requests import TrackedWalk
    from agegait.serving.client.gallery_results import EnrolledPerson, GalleryIdentification


class ServedVerification(NamedTuple):
    """What `agegait.gallery.Verification` is of a gallery here; no distance where the server does not tell it."""

    person: str
    accepted: bool
    distance: float | None
    probability: float | None
    threshold: Any


class ServedGallery:
    """The gallery of a server, with the methods of `agegait.Gallery` that its service has. Walks are sent as they are.

    Args:
        client: Of the server.
    """

    unwiped = False

    def __init__(self, client: "GalleryClient") -> None:
        self._client = client

    def enrol(
        self, person: str, walks: "Sequence[Walk]", *, consent: str, expires: datetime | None
    ) -> "EnrolledPerson":
        """As `Gallery.enrol`."""
        return self._client.enrol(person, [_sent(walk) for walk in walks], consent=consent, expires=expires)

    def identify(self, walk: "Walk", k: int, false_alarms: float, threshold: float | None) -> "GalleryIdentification":
        """As `Gallery.identify`.

        Raises:
            PoorWalkError: A walk that nobody can be recognised by.
        """
        found = self._client.identify(_sent(walk), k, false_alarms, threshold)
        check_quality(found.quality)
        return found

    def verify(self, person: str, walk: "Walk", false_accepts: float, threshold: float | None) -> ServedVerification:
        """As `Gallery.verify`.

        Raises:
            PoorWalkError: A walk that nobody can be recognised by.
        """
        found = self._client.verify(person, _sent(walk), false_accepts, threshold)
        check_quality(found.quality)
        match = found.match
        return ServedVerification(
            person if match is None else match.person,
            found.accepted,
            match and match.distance,
            match and match.probability,
            found.threshold,
        )

    def forget(self, person: str) -> None:
        """As `Gallery.forget`."""
        self._client.forget(person)

    def people(self) -> "list[EnrolledPerson]":
        """As `Gallery.people`."""
        return self._client.people()

    def follow(self, false_alarms: float, threshold: float | None) -> ServedAnswers:
        """Answers about somebody whose walk goes on, to be closed."""
        from agegait.recordings.video.live_walk import FRAME_RATE, LONGEST

        last = int(LONGEST * FRAME_RATE) + 1
        stream = self._client.watch_walk(
            last + 1,  # it asks when it is told to, and not before
            last=last,
            frame_rate=FRAME_RATE,
            k=1,
            false_alarms=false_alarms,
            threshold=threshold,
        )
        return ServedAnswers(stream)

    def check_follow(self) -> None:
        """Makes sure that walks can be followed.

        Raises:
            ClientError: The server cannot be reached, has no gallery, or the caller may not.
        """
        with self._client.watch_walk() as stream:
            stream.identify()


@contextlib.contextmanager
def served_gallery(options: argparse.Namespace, changes: bool) -> Iterator[ServedGallery]:
    """The gallery of a command's `--server`.

    Args:
        options: The command's.
        changes: Whether the command changes it.

    Raises:
        ValueError: What the server or the way there refused, in the words of the command line.
    """
    import grpc

    from agegait.serving import ClientError, GalleryClient

    uncertain = grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE
    with contextlib.ExitStack() as stack:
        try:
            client = stack.enter_context(GalleryClient(**client_arguments(options)))
            yield ServedGallery(client)
        except ClientError as error:
            said = " ".join(error.details.split("\n"))  # the server's words, in which no line is to pass for ours
            names = options.parser.option_names
            hint = ""
            if changes and error.status in uncertain:
                hint = ". It is not known whether it was done: `agegait people` tells"
            raise ValueError(f"{options.server}: {in_options(said, names)} ({error.status.name}){hint}") from error


def _sent(walk: "Walk") -> "TrackedWalk":
    from agegait.serving.client.gallery_requests import TrackedWalk

    return TrackedWalk(walk.skeleton, walk.tracked, walk.frame_rate)
