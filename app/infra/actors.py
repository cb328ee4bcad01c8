"""The register of actors: every person's roles are those of his newest verified token.

An office that was lost must count no longer, also where a token of before is still good, and also
where another process saw the newer one. So a token that this process has not noted yet is noted
before its request goes on, for whichever door it came to: the newest by `iat` wins, whatever the
order they come in, and of two of one second, both sets of roles do, so that nobody gets rid of a
role that excludes him.

Every member of the staff has a row. A token of role `customer` alone makes none and only updates
one that is there, so that customers cost an index look-up once per token and process.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

import asyncpg

from app.domain.privacy.roles import Role
from app.infra.auth.verified import RegisterUnavailableError, VerifiedToken
from app.infra.batcher import Batcher
from app.infra.database import DATABASE_ERRORS
from app.infra.lanes import Connection, Lanes

log = logging.getLogger(__name__)

MOST_NOTED: Final = 10_000
"""Tokens that a process knows it has noted; as many as it remembers to be good."""
OFFICES: Final = frozenset(
    {
        *(Role.RISK_OFFICER, Role.BUSINESS_OFFICER, Role.ACCOUNT_MANAGER, Role.COMPLIANCE),
        *(Role.RULE_AUTHOR, Role.RULE_PUBLISHER),
    }
)
"""Whoever has one of these acts in overrides or rule sets, and not before his token is noted."""
_OUTSIDERS: Final = frozenset({Role.CUSTOMER})
_PATIENCE_SECONDS: Final = 2.0
_TRIES: Final = 4

#: In the order of their digests, so that two processes that note the same people never wait for
#: each other. A row that says as much already is locked for a moment and not written.
_NOTE: Final = """
    INSERT INTO actors (actor_digest, issuer, subject, roles, issued_at)
    SELECT told.actor_digest, issuer, subject, string_to_array(roles, ','), issued_at
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::boolean[])
        AS told (actor_digest, issuer, subject, roles, issued_at, is_staff)
    WHERE is_staff OR EXISTS (SELECT FROM actors WHERE actors.actor_digest = told.actor_digest)
    ORDER BY told.actor_digest COLLATE "C"
    ON CONFLICT (actor_digest) DO UPDATE SET issued_at = excluded.issued_at,
        roles = CASE WHEN actors.issued_at < excluded.issued_at THEN excluded.roles
            ELSE ARRAY(SELECT DISTINCT role FROM unnest(actors.roles || excluded.roles) AS role
                ORDER BY role) END
    WHERE actors.issued_at < excluded.issued_at
        OR (actors.issued_at = excluded.issued_at AND NOT actors.roles @> excluded.roles)
"""

_Known: TypeAlias = tuple[str, str, frozenset[Role], datetime]


@dataclass(frozen=True, slots=True)
class _Told:
    """What the tokens of one person, seen at about one time, say together."""

    digest: str
    issuer: str
    subject: str
    roles: frozenset[Role]
    issued_at: datetime
    is_staff: bool

    def joined(self, other: _Told) -> _Told:
        """The newer of two; of one second, both."""
        is_staff = self.is_staff or other.is_staff
        if self.issued_at == other.issued_at:
            return replace(self, roles=self.roles | other.roles, is_staff=is_staff)
        newer = max(self, other, key=lambda told: told.issued_at)
        return replace(newer, is_staff=is_staff)


class ActorRegister:
    """Notes whose token says what, once per token; those of one moment go in one statement.

    It belongs to one event loop, like the tokens that are remembered to be good.

    Args:
        lanes: where they are noted, outside of the request's transaction: that somebody showed a
            token stays true if his request fails.
        digest: what stands for an actor, by issuer and subject.
        most: tokens that are known to be noted; the one not seen for longest makes room.
    """

    def __init__(
        self, lanes: Lanes, digest: Callable[[str, str], str], most: int = MOST_NOTED
    ) -> None:
        self._lanes = lanes
        self._digest = digest
        self._most = most
        self._noted: OrderedDict[_Known, None] = OrderedDict()
        self._batcher: Batcher[_Told, None] = Batcher(self._store)

    def __len__(self) -> int:
        return len(self._noted)

    def has_noted(self, token: VerifiedToken) -> bool:
        """Whether this process has noted the token; it waits for nothing."""
        known = (token.issuer, token.subject, token.roles, token.issued_at)
        if known not in self._noted:
            return False
        self._noted.move_to_end(known)
        return True

    async def note(self, token: VerifiedToken) -> None:
        """Note a token before its request goes on.

        Where the database cannot be asked, the request of who has one of the `OFFICES` ends. All
        others go on, since what they may read need not ask the database; the token is noted with
        the next request, and until then counts as not seen.

        Raises:
            RegisterUnavailableError: it could not be noted, and has to be.
        """
        told = _Told(
            digest=self._digest(token.issuer, token.subject),
            issuer=token.issuer,
            subject=token.subject,
            roles=token.roles,
            issued_at=token.issued_at,
            is_staff=not token.roles <= _OUTSIDERS,
        )
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._batcher.ask(told)
        except DATABASE_ERRORS as error:
            log.warning("a token could not be noted", extra={"reason": type(error).__name__})
            if token.roles.isdisjoint(OFFICES):
                return
            raise RegisterUnavailableError from error
        self._noted[(token.issuer, token.subject, token.roles, token.issued_at)] = None
        if len(self._noted) > self._most:
            self._noted.popitem(last=False)

    async def _store(self, told: Sequence[_Told]) -> list[None]:
        people = _by_person(told)
        columns = (
            [one.digest for one in people],
            [one.issuer for one in people],
            [one.subject for one in people],
            [",".join(sorted(one.roles)) for one in people],
            [one.issued_at for one in people],
            [one.is_staff for one in people],
        )
        async with self._lanes.lend() as connection:
            await _write(connection, columns)
        return [None] * len(told)


async def _write(connection: Connection, columns: Sequence[Sequence[object]]) -> None:
    """Note people, again if another process noted one of them for the first time just now.

    Somebody's digest and his id are unique each, and a conflict of the one is looked for before
    that of the other: a row that appears in between is an error, and found by the next try.
    """
    for _ in range(_TRIES - 1):
        try:
            await connection.execute(_NOTE, *columns)
        except asyncpg.UniqueViolationError:
            continue
        return
    await connection.execute(_NOTE, *columns)


def _by_person(told: Iterable[_Told]) -> list[_Told]:
    """One for each person: a statement touches no row twice."""
    people: dict[str, _Told] = {}
    for one in told:
        known = people.get(one.digest)
        people[one.digest] = one if known is None else known.joined(one)
    return list(people.values())
