import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agegait.gallery import Gallery, Identification
    from agegait.recordings.video.live_walk import LiveWalk
    from agegait.recordings.walk import Walk


class LocalAnswers:
    """What a gallery here says of somebody whose walk goes on; the audit trail has changes alone.

    Args:
        gallery: The gallery.
        options: Of `agegait watch`.
    """

    def __init__(self, gallery: "Gallery", options: argparse.Namespace) -> None:
        self._gallery = gallery
        self._options = options
        self._found: Identification | None = None

    def identify(self, live: "LiveWalk", walk: "Walk") -> "Identification":
        """Who it is, by what `live` gave as a walk.

        Raises:
            PoorWalkError: A walk that nobody can be recognised by.
            ValueError: As of `Gallery.identify`.
        """
        del live
        false_alarms, threshold = self._options.false_alarms, self._options.threshold
        self._found = self._gallery.identify(walk, 1, false_alarms, threshold, before=self._found)
        return self._found

    def close(self) -> None:
        """Nothing: they are gone."""
