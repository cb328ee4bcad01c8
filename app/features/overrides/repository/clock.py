"""What of the requests and overrides is due."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.override import OverrideRow
from app.db.rows.override_request import OverrideRequestRow


async def list_expired(session: AsyncSession, *, now: datetime) -> list[UUID]:
    """Requests that wait though their time is over."""
    return await _waiting(session, OverrideRequestRow.expires_at <= now)


async def list_to_remind(session: AsyncSession, *, before: datetime) -> list[UUID]:
    """Requests that wait, expire before some instant, and of which nobody was reminded."""
    row = OverrideRequestRow
    return await _waiting(session, row.expires_at <= before, row.reminded_at.is_(None))


async def _waiting(session: AsyncSession, *conditions: ColumnElement[bool]) -> list[UUID]:
    row = OverrideRow
    query = (
        select(OverrideRequestRow.id)
        .where(
            *conditions,
            OverrideRequestRow.id.in_(select(row.request_id).where(row.state == "requested")),
        )
        .order_by(OverrideRequestRow.id)
    )
    return list(await session.scalars(query))


async def list_over(session: AsyncSession, *, today: date) -> list[UUID]:
    """Requests of overrides that serve though their validity is over."""
    row = OverrideRow
    query = select(row.request_id).where(row.state == "active", row.valid_until <= today)
    return list(await session.scalars(query.distinct().order_by(row.request_id)))


async def list_ending(session: AsyncSession, *, before: date) -> list[UUID]:
    """Requests of overrides that serve, end by some day, and were not announced."""
    row = OverrideRow
    query = select(row.request_id).where(
        row.state == "active", row.valid_until <= before, row.reminded_at.is_(None)
    )
    return list(await session.scalars(query.distinct().order_by(row.request_id)))


async def note_reminder(session: AsyncSession, request_id: UUID, *, now: datetime) -> bool:
    """Note that the officers of a request were reminded; False if they were before."""
    row = OverrideRequestRow
    waits = select(OverrideRow.request_id).where(OverrideRow.state == "requested")
    noted = await session.scalars(
        update(row)
        .where(row.id == request_id, row.reminded_at.is_(None), row.id.in_(waits))
        .values(reminded_at=now)
        .returning(row.id)
    )
    return noted.one_or_none() is not None


async def note_announcements(
    session: AsyncSession, request_id: UUID, *, before: date, now: datetime
) -> set[UUID]:
    """Note which overrides' near end was announced now."""
    row = OverrideRow
    noted = await session.scalars(
        update(row)
        .where(
            row.request_id == request_id,
            row.state == "active",
            row.valid_until <= before,
            row.reminded_at.is_(None),
        )
        .values(reminded_at=now)
        .returning(row.id)
    )
    return set(noted)
