from collections.abc import Sequence
from datetime import datetime

from agegait.serving import gallery_pb2 as messages
from agegait.serving.client import channels, gallery_requests, walks
from agegait.serving.client.answers import SERVING
from agegait.serving.client.async_server_client import AsyncServerClient
from agegait.serving.client.async_walk_stream import AsyncWalkStream
from agegait.serving.client.gallery_client import GALLERY
from agegait.serving.client.gallery_requests import GalleryWalk
from agegait.serving.client.gallery_results import EnrolledPerson, GalleryIdentification, GalleryVerification


class AsyncGalleryClient(AsyncServerClient):
    """`GalleryClient` for asyncio: the same arguments, methods, results and errors.

    Make it, and use it, inside a running event loop.

    Example:
        >>> async with agegait.serving.AsyncGalleryClient("127.0.0.1:8500", token=token) as gallery:
        ...     found = await gallery.identify(walk)
    """

    async def enrol(
        self,
        person: str,
        walks: GalleryWalk | Sequence[GalleryWalk],
        *,
        consent: str,
        expires: datetime | None = None,
    ) -> EnrolledPerson:
        """As `GalleryClient.enrol`."""
        request = gallery_requests.enrol_request(person, walks, consent, expires)
        return gallery_requests.person_of((await self._connection.call(channels.ENROL, request)).person)

    async def identify(
        self, walk: GalleryWalk, k: int = 5, false_alarms: float = 0.01, threshold: float | None = None
    ) -> GalleryIdentification:
        """As `GalleryClient.identify`."""
        request = gallery_requests.identify_request(walk, k, false_alarms, threshold)
        return gallery_requests.identification(await self._connection.call(channels.IDENTIFY, request))

    async def verify(
        self, person: str, walk: GalleryWalk, false_accepts: float = 0.01, threshold: float | None = None
    ) -> GalleryVerification:
        """As `GalleryClient.verify`."""
        request = gallery_requests.verify_request(person, walk, false_accepts, threshold)
        return gallery_requests.verification(await self._connection.call(channels.VERIFY, request))

    async def forget(self, person: str) -> None:
        """As `GalleryClient.forget`."""
        await self._connection.call(channels.FORGET, gallery_requests.forget_request(person))

    async def people(self) -> list[EnrolledPerson]:
        """As `GalleryClient.people`."""
        found, request = [], messages.ListPeopleRequest()
        while True:
            page = await self._connection.call(channels.LIST_PEOPLE, request)
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
    ) -> AsyncWalkStream:
        """As `GalleryClient.watch_walk`."""
        settings = gallery_requests.watch_settings(k, false_alarms, threshold, last)
        return AsyncWalkStream(self._connection, every, settings, frame_rate)

    async def ready(self) -> bool:
        """As `GalleryClient.ready`."""
        return (await self._connection.call(channels.HEALTH, walks.health_request(GALLERY))).status == SERVING
