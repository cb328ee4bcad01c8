"""Tokens that were found good, remembered so that the next request with one costs a look-up."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Protocol

from app.domain.privacy.roles import Role
from app.infra.auth.keys import VerificationKey

MOST_REMEMBERED: Final = 10_000
"""Tokens of one process; at under a kilobyte each they stay under 10 MB."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """What a token was found to say."""

    issuer: str
    subject: str
    roles: frozenset[Role]
    customer_id: str | None
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Remembered:
    """A good token, the key that says so, and when it is good no more."""

    token: VerifiedToken
    key: VerificationKey
    refused_from: datetime


class RegisterUnavailableError(Exception):
    """A token could not be noted that has to be, so its request does not go on."""


class TokenRegister(Protocol):
    """Where it is noted which roles people show; no request goes on with a token that is not."""

    def has_noted(self, token: VerifiedToken) -> bool:
        """Whether there is nothing left to note of a token."""

    async def note(self, token: VerifiedToken) -> None:
        """Note a token before its request goes on.

        Raises:
            RegisterUnavailableError: it could not be noted, and has to be; the answer is 503.
        """


class NoRegister:
    """Notes nothing: for applications without a database."""

    def has_noted(self, token: VerifiedToken) -> bool:  # noqa: ARG002 - as the register's own.
        """There is nothing to note."""
        return True

    async def note(self, token: VerifiedToken) -> None:
        """Nothing is noted."""


class RememberedTokens:
    """The good tokens of late, by their digest; the one not seen for longest makes room.

    Refused tokens are never kept, so that nobody without a good one takes memory. It belongs to one
    event loop: nothing in it waits, so no two requests are ever in the middle of it.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._found: OrderedDict[bytes, Remembered] = OrderedDict()

    def __len__(self) -> int:
        return len(self._found)

    def find(self, digest: bytes) -> Remembered | None:
        """What is known of the token of that digest."""
        found = self._found.get(digest)
        if found is not None:
            self._found.move_to_end(digest)
        return found

    def remember(self, digest: bytes, remembered: Remembered) -> None:
        """Keep a good token."""
        self._found[digest] = remembered
        self._found.move_to_end(digest)
        if len(self._found) > self._most:
            self._found.popitem(last=False)

    def forget(self, digest: bytes) -> None:
        """Drop a token that is good no more."""
        self._found.pop(digest, None)


def digest_of(token: str) -> bytes:
    """What an ASCII token is known by: whoever reads our memory gets no token out of it."""
    return sha256(token.encode("ascii")).digest()
