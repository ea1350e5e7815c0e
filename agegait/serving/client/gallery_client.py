from collections.abc import Sequence
from datetime import datetime

from agegait.serving import gallery_pb2 as messages
from agegait.serving.client import channels, gallery_requests, walks
from agegait.serving.client.answers import SERVING
from agegait.serving.client.gallery_requests import GalleryWalk
from agegait.serving.client.gallery_results import EnrolledPerson, GalleryIdentification, GalleryVerification
from agegait.serving.client.server_client import ServerClient
from agegait.serving.client.walk_stream import WalkStream

GALLERY = "agegait.gallery.v1.Gallery"
"""What the health service calls a server's gallery."""


class GalleryClient(ServerClient):
    """Asks `agegait serve --gallery`: who walks, of people who were enrolled. May be shared by threads.

    Needs neither Keras nor TensorFlow. Takes the arguments of `Client`. Requests that change nothing are sent again as
    those of `Client` are. `enrol` and `forget` are sent once: after an error it is not known whether they were done.

    Example:
        >>> with agegait.serving.GalleryClient("127.0.0.1:8500", token=token) as gallery:
        ...     gallery.enrol("Anna", [first, second], consent="signed form 12")
        ...     gallery.identify(walk).person
        'Anna'
    """

    def enrol(
        self,
        person: str,
        walks: GalleryWalk | Sequence[GalleryWalk],
        *,
        consent: str,
        expires: datetime | None = None,
    ) -> EnrolledPerson:
        """Enrols somebody, or further walks of somebody: all of the walks, or none.

        Args:
            person: Their name.
            walks: One walk or more, `[T, 20, 3]` in metres.
            consent: What is to be noted about their consent: when, how, for what.
            expires: When they are to be deleted, with a time zone; None for never.

        Raises:
            ValueError: Walks of another shape, NaN or infinity, or text that is no Unicode: nothing was sent.
            ClientError: `NameTakenError` for a name that looks like somebody else's, `InvalidRequestError` for walks
                that nobody can be recognised by, others by status.
        """
        request = gallery_requests.enrol_request(person, walks, consent, expires)
        return gallery_requests.person_of(self._connection.call(channels.ENROL, request).person)

    def identify(
        self, walk: GalleryWalk, k: int = 5, false_alarms: float = 0.01, threshold: float | None = None
    ) -> GalleryIdentification:
        """Says who somebody is, or that they are unknown.

        Args:
            walk: `[T, 20, 3]` in metres.
            k: How many of the nearest people to return.
            false_alarms: The share of strangers who may be taken for somebody: 0.01 for one in a hundred.
            threshold: A distance to use instead, in 0..2.

        Raises:
            ValueError: A walk of another shape, NaN or infinity: nothing was sent.
            ClientError: What the server or the way there refused, by status.
        """
        request = gallery_requests.identify_request(walk, k, false_alarms, threshold)
        return gallery_requests.identification(self._connection.call(channels.IDENTIFY, request))

    def verify(
        self, person: str, walk: GalleryWalk, false_accepts: float = 0.01, threshold: float | None = None
    ) -> GalleryVerification:
        """Says whether somebody is who they claim to be.

        Args:
            person: The name claimed.
            walk: `[T, 20, 3]` in metres.
            false_accepts: The share of others who may be taken for this person.
            threshold: A distance to use instead, in 0..2.

        Raises:
            ValueError: A walk of another shape, NaN or infinity: nothing was sent.
            ClientError: `NotFoundError` if nobody has that name, others by status.
        """
        request = gallery_requests.verify_request(person, walk, false_accepts, threshold)
        return gallery_requests.verification(self._connection.call(channels.VERIFY, request))

    def forget(self, person: str) -> None:
        """Deletes somebody for good.

        Raises:
            ValueError: A name that is no Unicode: nothing was sent.
            ClientError: `NotFoundError` if nobody has that name, others by status.
        """
        self._connection.call(channels.FORGET, gallery_requests.forget_request(person))

    def people(self) -> list[EnrolledPerson]:
        """All who are enrolled, in the order of their enrolment.

        Raises:
            ClientError: What the server or the way there refused, by status.
        """
        found, request = [], messages.ListPeopleRequest()
        while True:
            page = self._connection.call(channels.LIST_PEOPLE, request)
            found += [gallery_requests.person_of(person) for person in page.people]
            if page.next <= request.after:
                return found
            request.after = page.next

    def watch_walk(
        self,
        every: int = 15,
        *,
        last: int = 300,
        frame_rate: float | None = None,
        k: int = 5,
        false_alarms: float = 0.01,
        threshold: float | None = None,
    ) -> WalkStream:
        """A walk whose frames come one by one.

        Args:
            every: Frames from one question to the next.
            last: Frames that count, the newest.
            frame_rate: Frames a second; None for the embedder's own.
            k: As of `identify`.
            false_alarms: As of `identify`.
            threshold: As of `identify`.

        Returns:
            The stream of one person's walk; several may go on at once.

        Raises:
            ValueError: A number of frames below 1.

        Example:
            >>> with gallery.watch_walk() as watch:
            ...     for frame in sensor:
            ...         if found := watch.add(frame):
            ...             print(found.outcome, found.person)
        """
        settings = gallery_requests.watch_settings(k, false_alarms, threshold, last)
        return WalkStream(self._connection, every, settings, frame_rate)

    def ready(self) -> bool:
        """Whether the gallery is open and its database answers; a token is not needed for it.

        Raises:
            ClientError: `NotFoundError` for a server without a gallery, others by status.
        """
        return self._connection.call(channels.HEALTH, walks.health_request(GALLERY)).status == SERVING
