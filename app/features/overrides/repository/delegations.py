"""Delegations for absence, read and written; triggers refuse what must not be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.db.rows.actor import ActorRow
from app.db.rows.override_approval import OverrideDelegationRow
from app.domain.words import Department


@dataclass(frozen=True, slots=True)
class StoredDelegation:
    """Who is away, and who acts for him; people by digest and by subject."""

    id: UUID
    department: Department
    valid_from: date
    valid_to: date
    ended_at: datetime | None
    delegator: str
    delegator_subject: str
    delegate: str
    delegate_subject: str

    def runs_on(self, day: date) -> bool:
        """Whether he acts on that business day; the last one is the day before `valid_to`."""
        return self.ended_at is None and self.valid_from <= day < self.valid_to


@dataclass(frozen=True, slots=True)
class DelegationFilter:
    """Which delegations: of somebody, given or taken, or of everybody; running on a day, or all."""

    of: str | None = None
    running_on: date | None = None


def _stored() -> Select[UUID, Any, date, date, datetime | None, str, str, str, str]:
    row = OverrideDelegationRow
    absent, acting = aliased(ActorRow), aliased(ActorRow)
    return (
        select(
            row.id,
            row.department,
            row.valid_from,
            row.valid_to,
            row.ended_at,
            row.delegator,
            absent.subject,
            row.delegate,
            acting.subject,
        )
        .join(absent, absent.actor_digest == row.delegator)
        .join(acting, acting.actor_digest == row.delegate)
    )


async def lock_people(session: AsyncSession, digests: Collection[str]) -> None:
    """Let one delegation of, or to, these people be made at a time."""
    row = ActorRow
    query = select(row.actor_digest).where(row.actor_digest.in_(digests)).order_by(row.actor_digest)
    await session.execute(query.with_for_update(key_share=True))


async def find_absences(
    session: AsyncSession, people: Collection[str], *, first: date, back: date
) -> set[str]:
    """Those of some people who are away on some of the days, of which `back` is the first not."""
    row = OverrideDelegationRow
    query = select(row.delegator).where(
        row.delegator.in_(people),
        row.ended_at.is_(None),
        row.valid_from < back,
        row.valid_to > first,
    )
    return set(await session.scalars(query))


async def insert_delegation(session: AsyncSession, delegation: StoredDelegation) -> None:
    """Store a delegation."""
    await session.execute(
        insert(OverrideDelegationRow).values(
            id=delegation.id,
            delegator=delegation.delegator,
            delegate=delegation.delegate,
            department=delegation.department,
            valid_from=delegation.valid_from,
            valid_to=delegation.valid_to,
        )
    )


async def find_delegation(
    session: AsyncSession, delegation_id: UUID, *, lock: bool = False
) -> StoredDelegation | None:
    """One delegation, if need be kept from others until the transaction ends."""
    row = OverrideDelegationRow
    if lock:
        await session.execute(
            select(row.id).where(row.id == delegation_id).with_for_update(key_share=True)
        )
    found = (await session.execute(_stored().where(row.id == delegation_id))).first()
    return None if found is None else StoredDelegation(*found)


async def list_delegations(
    session: AsyncSession, wanted: DelegationFilter, *, limit: int, before: UUID | None
) -> list[StoredDelegation]:
    """Delegations, the newest first."""
    row = OverrideDelegationRow
    query = _stored().order_by(row.id.desc()).limit(limit)
    if wanted.of is not None:
        query = query.where(or_(row.delegator == wanted.of, row.delegate == wanted.of))
    if wanted.running_on is not None:
        day = wanted.running_on
        query = query.where(row.ended_at.is_(None), row.valid_from <= day, row.valid_to > day)
    if before is not None:
        query = query.where(row.id < before)
    return [StoredDelegation(*found) for found in await session.execute(query)]


async def end_delegation(session: AsyncSession, delegation_id: UUID, *, now: datetime) -> None:
    """Take a delegation back; what was decided by it stays decided."""
    row = OverrideDelegationRow
    at = func.coalesce(row.ended_at, now)
    await session.execute(update(row).where(row.id == delegation_id).values(ended_at=at))
