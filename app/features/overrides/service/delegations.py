"""Delegation for absence: an officer who is away lets a colleague of his department act for him.

Nobody gives away a key he does not have, nobody acts for two keys of one request, and there are no
chains: who is away himself acts for nobody. While it runs the absent officer does not decide, so
that his key is never in two hands.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from app.domain.errors import Conflict, Forbidden, Invalid, NotFound
from app.domain.privacy.roles import Role
from app.domain.words import EventKind
from app.features.overrides.repository import delegations
from app.features.overrides.repository.delegations import DelegationFilter, StoredDelegation
from app.features.overrides.service.cases import Acting
from app.features.overrides.service.officers import require_officer
from app.infra.database import AsyncSession
from app.infra.ids import new_id
from app.infra.outbox import record_event
from app.infra.people import find_people, find_people_by_subject

__all__ = [
    "MOST_DAYS",
    "Absence",
    "DelegationPage",
    "StoredDelegation",
    "away_on",
    "create_delegation",
    "end_delegation",
    "get_delegation",
    "get_delegator",
    "list_delegations",
]

MOST_DAYS: Final = 92
"""Business days that one delegation may run."""


@dataclass(frozen=True, slots=True)
class Absence:
    """What an absent officer asks for; `valid_to` is the first business day he is back."""

    delegate: str
    valid_from: date
    valid_to: date

    def require_days(self, today: date) -> None:
        """See to it that it begins today or later, and ends.

        Raises:
            Invalid: `delegation-out-of-range`.
        """
        latest = self.valid_from + timedelta(MOST_DAYS)
        if not today <= self.valid_from < self.valid_to <= latest:
            raise Invalid(
                "delegation-out-of-range",
                f"A delegation begins today or later and runs at most {MOST_DAYS} days.",
            )


async def create_delegation(
    session: AsyncSession, *, absence: Absence, acting: Acting
) -> StoredDelegation:
    """Let a colleague act for the caller while he is away.

    Args:
        session: in whose transaction.
        absence: who acts for him, and when.
        acting: the officer who will be away.

    Raises:
        Forbidden: `two-roles`, `not-an-officer`, or `delegate-not-eligible`.
        Invalid: `delegation-out-of-range` or `delegate-unknown`.
        Conflict: `delegation-overlaps` or `delegate-away`.
    """
    absence.require_days(acting.today)
    require_officer(await find_people(session, [acting.digest]), acting)
    issuer = acting.actor.issuer
    known = await find_people_by_subject(session, issuer, [absence.delegate])
    delegate = known.get(absence.delegate)
    if delegate is None:
        raise Invalid("delegate-unknown", "Nobody of that subject has shown a token yet.")
    # Their roles are read again under the lock: a newer token may have been noted meanwhile.
    people = [acting.digest, delegate.digest]
    await delegations.lock_people(session, people)
    present = await find_people(session, people)
    department = require_officer(present, acting).require_department()
    if delegate.digest == acting.digest or present[delegate.digest].department != department:
        raise Forbidden("delegate-not-eligible")
    await _require_present(session, people, absence)
    made = StoredDelegation(
        id=new_id(),
        department=department,
        valid_from=absence.valid_from,
        valid_to=absence.valid_to,
        ended_at=None,
        delegator=acting.digest,
        delegator_subject=acting.actor.subject,
        delegate=delegate.digest,
        delegate_subject=delegate.subject,
    )
    await delegations.insert_delegation(session, made)
    await _tell(session, made, "override-delegated", acting)
    return made


async def _require_present(session: AsyncSession, people: list[str], absence: Absence) -> None:
    absent = await delegations.find_absences(
        session, people, first=absence.valid_from, back=absence.valid_to
    )
    delegator, delegate = people
    if delegator in absent:
        raise Conflict("delegation-overlaps", "A delegation of yours covers some of the days.")
    if delegate in absent:
        raise Conflict("delegate-away", "He is away himself on some of the days.")


async def get_delegation(
    session: AsyncSession, *, delegation_id: UUID, acting: Acting
) -> StoredDelegation:
    """A delegation that the caller gave or was given; compliance reads all.

    Raises:
        NotFound: there is none for him.
    """
    found = await delegations.find_delegation(session, delegation_id)
    if found is None or not _may_see(found, acting):
        raise NotFound("not-found")
    return found


def _may_see(found: StoredDelegation, acting: Acting) -> bool:
    mine = {found.delegator, found.delegate}
    return acting.actor.role is Role.COMPLIANCE or acting.digest in mine


@dataclass(frozen=True, slots=True)
class DelegationPage:
    """Some delegations; `after` is the last of them, None at the end of all."""

    items: list[StoredDelegation]
    after: UUID | None


async def list_delegations(
    session: AsyncSession,
    *,
    running: bool,
    acting: Acting,
    limit: int,
    before: UUID | None = None,
) -> DelegationPage:
    """A page of the delegations that the caller may know of, the newest first.

    Args:
        session: an open session.
        running: only those that run today.
        acting: who lists.
        limit: items of a page.
        before: the last one of the page before.
    """
    wanted = DelegationFilter(
        of=None if acting.actor.role is Role.COMPLIANCE else acting.digest,
        running_on=acting.today if running else None,
    )
    found = await delegations.list_delegations(session, wanted, limit=limit + 1, before=before)
    items = found[:limit]
    return DelegationPage(items, items[-1].id if len(found) > limit else None)


async def end_delegation(
    session: AsyncSession, *, delegation_id: UUID, acting: Acting
) -> StoredDelegation:
    """Take a delegation back, before it begins or while it runs; what was decided stays decided.

    Raises:
        NotFound: there is none for the caller.
        Forbidden: `not-delegator`.
        Conflict: `delegation-ended`.
    """
    found = await delegations.find_delegation(session, delegation_id, lock=True)
    if found is None or not _may_see(found, acting):
        raise NotFound("not-found")
    if found.delegator != acting.digest:
        raise Forbidden("not-delegator")
    if found.ended_at is not None or found.valid_to <= acting.today:
        raise Conflict("delegation-ended", "It was taken back, or is over.")
    await delegations.end_delegation(session, delegation_id, now=acting.now)
    ended = replace(found, ended_at=acting.now)
    await _tell(session, ended, "override-delegation-ended", acting)
    return ended


async def get_delegator(
    session: AsyncSession, *, delegation_id: UUID, delegate: str, on: date
) -> str:
    """Digest of whose key somebody turns by a delegation that runs, and stays until he has.

    Args:
        session: in whose transaction he does.
        delegation_id: the delegation.
        delegate: digest of who wants to act by it.
        on: the business day.

    Raises:
        Conflict: `delegation-not-running`: there is none for him, or not on that day.
    """
    found = await delegations.find_delegation(session, delegation_id, lock=True)
    if found is None or found.delegate != delegate or not found.runs_on(on):
        raise Conflict("delegation-not-running", "There is no delegation to you that runs today.")
    return found.delegator


async def away_on(session: AsyncSession, *, people: Collection[str], on: date) -> set[str]:
    """Those of some people, by their digests, who are away on a business day."""
    return await delegations.find_absences(session, people, first=on, back=on + timedelta(1))


async def _tell(
    session: AsyncSession, delegation: StoredDelegation, kind: EventKind, acting: Acting
) -> None:
    await record_event(
        session,
        kind=kind,
        customer_ids=(),
        payload={
            "delegation_id": str(delegation.id),
            "department": delegation.department,
            "delegator": delegation.delegator,
            "delegate": delegation.delegate,
            "valid_from": delegation.valid_from.isoformat(),
            "valid_to": delegation.valid_to.isoformat(),
        },
        occurred_at=acting.now,
    )
