import enum
import os
from collections.abc import Mapping
from typing import Self

import grpc

from agegait.serving.credentials import read_token_file
from agegait.serving.server.call_gate import CALLER
from agegait.serving.server.followed_file import FollowedFile

GALLERY_SERVICE = "agegait.gallery.v1.Gallery"


class Role(enum.IntEnum):
    """What a caller may do in a gallery; who may manage it may identify too."""

    IDENTIFY = 1
    MANAGE = 2


ANYBODY = "gRPC"
"""Who did what where nobody has to say who they are, for the audit trail."""

Callers = Mapping[tuple[str, str], Role]
"""Roles by the kind of a name, `token` or `certificate`, and the name."""

_NEEDED = {
    f"/{GALLERY_SERVICE}/{method}": role
    for role, methods in (
        (Role.MANAGE, ("Enrol", "Forget", "ListPeople")),
        (Role.IDENTIFY, ("Identify", "Verify", "WatchWalk")),
    )
    for method in methods
}
_KINDS = ("token", "certificate")
_ROLES = {role.name.lower(): role for role in Role}


class GalleryRoles:
    """Who may use a gallery, and what for. May be shared by threads.

    Args:
        callers: The roles; None where anybody may do anything.
    """

    def __init__(self, callers: FollowedFile[Callers] | None = None) -> None:
        self._callers = callers

    @classmethod
    def of_argument(cls, file: str | os.PathLike | None, callers_have_names: bool) -> Self:
        """Those of a server, as `GalleryOptions.roles` has them.

        Args:
            file: As of `from_file`, or None.
            callers_have_names: Whether callers say who they are, by tokens or certificates.

        Raises:
            ValueError: A file where callers have no names, names without a file, or what `from_file` refuses.
        """
        if file is None and callers_have_names:
            raise ValueError(
                "roles: expected with a token_file or client_ca, received none: it says who may identify people, and "
                "who may enrol and forget them."
            )
        if file is not None and not callers_have_names:
            raise ValueError("roles: expected with a token_file or client_ca, received neither of them.")
        return cls() if file is None else cls.from_file(file)

    @classmethod
    def from_file(cls, path: str | os.PathLike) -> Self:
        """The roles in a file, which is followed as it changes.

        Raises:
            ValueError: As of `read_roles`.
        """
        return cls(FollowedFile("roles", read_roles(path), lambda: read_roles(path)))

    def permits(self, path: str, context: grpc.ServicerContext) -> bool:
        """Whether the caller of a call may call a method, given by its whole path; any that is no gallery's."""
        needed = _NEEDED.get(path)
        return needed is None or self._has(needed, context)

    def actor(self, context: grpc.ServicerContext) -> str:
        """Who calls, for the audit trail: the name by which they have their role, and never a token."""
        names = _names(context)
        if self._callers is not None:
            callers = self._callers.entries
            names = sorted(names, key=lambda name: -callers.get(name, 0))
        return " ".join(names[0]) if names else ANYBODY

    def _has(self, role: Role, context: grpc.ServicerContext) -> bool:
        if self._callers is None:
            return True
        callers = self._callers.entries
        return max((callers.get(name, 0) for name in _names(context)), default=0) >= role


def _names(context: grpc.ServicerContext) -> list[tuple[str, str]]:
    """What a caller is called: by the token that was sent, and by the certificate."""
    names = [("token", CALLER.get())] if CALLER.get() else []
    found = context.auth_context()
    for key in ("x509_common_name", "x509_subject_alternative_name"):
        names += [("certificate", name.decode("utf-8", "replace")) for name in found.get(key, ())]
    return names


def read_roles(path: str | os.PathLike) -> Callers:
    """The roles in a file, a line each: `token NAME ROLE` or `certificate NAME ROLE`.

    NAME is that of a token, or a common name or subject alternative name of a caller's certificate. ROLE is `identify`
    or `manage`. Empty lines and lines that start with `#` are left out.

    Raises:
        ValueError: A file that can't be read, or a line that is none of these.
    """
    callers: dict[tuple[str, str], Role] = {}
    for number, line in enumerate(read_token_file("roles", path).splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 3 or words[0] not in _KINDS or words[2] not in _ROLES:
            raise ValueError(
                f"roles: expected `token NAME ROLE` or `certificate NAME ROLE` in line {number}; a role is "
                f"{' or '.join(_ROLES)}."
            )
        name = words[0], words[1]
        if name in callers:
            raise ValueError(f"roles: expected each name once, received the one of line {number} again.")
        callers[name] = _ROLES[words[2]]
    if not callers:
        raise ValueError("roles: expected at least one line such as `token NAME identify`, received none.")
    return callers
