import os
from dataclasses import dataclass

from agegait.serving.server.gallery_roles import read_roles


@dataclass(frozen=True)
class GalleryOptions:
    """A gallery that a server answers for too, by the service `agegait.gallery.v1.Gallery`.

    Attributes:
        url: As of `agegait.Gallery.open`. A gallery in PostgreSQL that does not answer at the start is opened once it
            does.
        model: Its embedder: a model that is served, or `starter`, which comes with agegait. Absent, whichever made the
            gallery's templates; of a gallery without any, the served one, or `starter`.
        roles: File of who may use it: a line each, `token NAME ROLE` or `certificate NAME ROLE`. `identify` may
            identify, verify and watch; `manage` may enrol, forget and list too. Changes count at once. Needed where
            callers have names, by a `token_file` or by `TlsFiles.client_ca`.

    Raises:
        ValueError: A file of roles that can't be read or understood.

    Example:
        >>> gallery = agegait.serving.GalleryOptions("sqlite:///gallery.db", roles="roles")
        >>> agegait.serving.Server("exported", token_file="tokens", gallery=gallery)
    """

    url: str
    model: str | None = None
    roles: str | os.PathLike | None = None

    def __post_init__(self) -> None:
        if self.roles is not None:
            read_roles(self.roles)
