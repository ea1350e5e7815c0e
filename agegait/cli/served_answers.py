from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agegait.recordings.video.live_walk import LiveWalk
    from agegait.recordings.walk import Walk
    from agegait.serving.client.gallery_results import GalleryIdentification, WalkQuality
    from agegait.serving.client.walk_stream import WalkStream


class ServedAnswers:
    """What a server's gallery says of somebody whose walk goes on. Each frame is sent once.

    Args:
        stream: To the server.
    """

    def __init__(self, stream: "WalkStream") -> None:
        self._stream = stream
        self._began = 0.0
        self._sent = 0

    def identify(self, live: "LiveWalk", walk: "Walk") -> "GalleryIdentification":
        """As `LocalAnswers.identify`.

        Raises:
            PoorWalkError: A walk that nobody can be recognised by.
            ClientError: What the server or the way there refused.
        """
        frames = len(walk.skeleton)
        first = self._sent - live.past
        if live.began != self._began or first < 0:  # or more is missing than is there yet
            self._stream.reset()
            first = 0
        for skeleton, tracked in zip(walk.skeleton[first:], walk.tracked[first:], strict=True):
            self._stream.add(skeleton, tracked)
        self._began, self._sent = live.began, live.past + frames
        found = self._stream.identify()
        check_quality(found.quality)
        return found

    def close(self) -> None:
        """Ends the stream."""
        self._stream.__exit__(None, None, None)


def check_quality(quality: "WalkQuality") -> None:
    """Refuses a walk that a server found to be poor.

    Raises:
        PoorWalkError: It did.
    """
    if quality.fault:
        from agegait.gallery import PoorWalkError, Quality

        raise PoorWalkError("walk", Quality(*quality))
