import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from agegait.serving.credentials import DEFAULT_HOLDER, bearer, parse_tokens, read_token_file
from agegait.serving.server.followed_file import FollowedFile

MIN_LENGTH = 16
"""Characters that a server's token has at least: what is shorter can be guessed over the network."""


class Tokens:
    """The tokens that callers may send, and who holds each.

    Only digests are kept. May be shared by threads. Tokens from a file follow the file: it is read again when a caller
    comes and a second has passed. A file that can't be read or holds a mistake changes nothing: the tokens that were
    good stay, and the mistake is logged once.

    Args:
        holders: The tokens' holders, by token.
        read: Reads the holders again; absent, they never change.
        file: What they come from, if it is a file.

    Attributes:
        file: As given.

    Raises:
        ValueError: No token, one that no header can carry, or one that is too short.

    Example:
        >>> Tokens.single("5e884898da28047151d0e56f8dc62927").caller("Bearer 5e884898da28047151d0e56f8dc62927")
        'default'
    """

    def __init__(
        self,
        holders: Mapping[str, str],
        read: Callable[[], Mapping[str, str]] | None = None,
        file: Path | None = None,
    ) -> None:
        self.file = file
        self._followed = FollowedFile("tokens", _digests(holders), None if read is None else lambda: _digests(read()))

    @classmethod
    def of_arguments(cls, token: str | None, token_file: str | os.PathLike | None) -> Self | None:
        """Those that a server was given, by either argument; None without.

        Raises:
            ValueError: Both arguments, or what `single` and `from_file` refuse.
        """
        if token is not None and token_file is not None:
            raise ValueError("token: expected either token or token_file, received both.")
        if token_file is not None:
            return cls.from_file(token_file)
        return None if token is None else cls.single(token)

    @classmethod
    def single(cls, token: str) -> Self:
        """One token, whose holder is called `default`.

        Raises:
            ValueError: A token that no header can carry, or one that is too short.
        """
        return cls({token: DEFAULT_HOLDER})

    @classmethod
    def from_file(cls, path: str | os.PathLike) -> Self:
        """The tokens in a file, a line each: `name: token`, or a token alone, whose holder is called `default`.

        Empty lines and lines that start with `#` are left out. A name may have several tokens, so that a new one can be
        handed out before the old one goes.

        Raises:
            ValueError: A file that can't be read, holds no token, a token twice, or a line that is none of these.
        """
        file = Path(path)

        def read() -> dict[str, str]:
            holders: dict[str, str] = {}
            for number, name, token in parse_tokens("token_file", read_token_file("token_file", file)):
                if token in holders:
                    raise ValueError(f"token_file: expected each token once, received the one of line {number} again.")
                if len(token) < MIN_LENGTH:
                    raise ValueError(
                        f"token_file: expected tokens of at least {MIN_LENGTH} characters, received {len(token)} in "
                        f"line {number}."
                    )
                holders[token] = name
            return holders

        return cls(read(), read, file)

    def caller(self, authorization: str) -> str | None:
        """Who sends an `authorization` header.

        Args:
            authorization: `Bearer <token>`; the scheme's case does not matter.

        Returns:
            The name of the token's holder; None where the header carries no token that is known.
        """
        scheme, _, token = authorization.strip().partition(" ")
        digest = _digest(token.strip())
        found = None
        # All of them are compared, and digests are of one length, so that the time taken tells nothing of any token.
        for known, name in self._followed.entries.items():
            if hmac.compare_digest(known, digest):
                found = name
        return found if scheme.lower() == "bearer" else None


def _digests(holders: Mapping[str, str]) -> dict[bytes, str]:
    if not holders:
        raise ValueError("token: expected at least one token, received none.")
    for token in holders:
        bearer(token)
        if len(token) < MIN_LENGTH:
            raise ValueError(f"token: expected at least {MIN_LENGTH} characters, received {len(token)}.")
    return {_digest(token): name for token, name in holders.items()}


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
