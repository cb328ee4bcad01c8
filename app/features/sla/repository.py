"""SQL on SLA policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows import SlaEntryRow, SlaPolicyRow, StatutoryFloorRow
from app.domain.sla.policy import Milestone, SlaEntry, StatutoryFloor


async def find_policy_version(session: AsyncSession, *, on: date) -> int | None:
    """The version in force on a business day."""
    return await session.scalar(
        select(SlaPolicyRow.version)
        .where(SlaPolicyRow.valid_from <= on)
        .order_by(SlaPolicyRow.valid_from.desc())
        .limit(1)
    )


async def has_policy(session: AsyncSession) -> bool:
    """Whether any policy was ever stored."""
    return await session.scalar(select(SlaPolicyRow.version).limit(1)) is not None


async def list_entries(session: AsyncSession, *, version: int) -> list[SlaEntry]:
    """A policy's rows."""
    rows = await session.scalars(
        select(SlaEntryRow)
        .where(SlaEntryRow.policy_version == version)
        .order_by(SlaEntryRow.position)
    )
    return [
        SlaEntry(
            position=row.position,
            service_type=row.service_type,
            clock=row.clock,
            tier=row.tier,
            product_line=row.product_line,
            qualifier=row.qualifier,
            response_seconds=row.response_seconds,
            response_days=row.response_days,
            resolution_seconds=row.resolution_seconds,
            resolution_days=row.resolution_days,
            contacts_per_month=row.contacts_per_month,
            milestones=tuple(Milestone(**milestone) for milestone in row.milestones),
            automated_first=row.automated_first,
            note_en=row.note_en,
            note_zh=row.note_zh,
        )
        for row in rows
    ]


async def list_floors(session: AsyncSession) -> list[StatutoryFloor]:
    """The statutory floors."""
    rows = await session.scalars(select(StatutoryFloorRow))
    return [
        StatutoryFloor(
            service_type=row.service_type,
            qualifier=row.qualifier,
            days=row.days,
            day_kind=row.day_kind,
            source=row.source,
            confirmation=row.confirmation,
        )
        for row in rows
    ]


async def save_policy(
    session: AsyncSession,
    *,
    version: int,
    valid_from: date,
    entries: Sequence[SlaEntry],
    floors: Sequence[StatutoryFloor],
) -> None:
    """Store a new policy with its rows."""
    session.add(SlaPolicyRow(version=version, valid_from=valid_from))
    await session.flush()
    session.add_all(SlaEntryRow(policy_version=version, **asdict(entry)) for entry in entries)
    session.add_all(StatutoryFloorRow(**asdict(floor)) for floor in floors)
    await session.flush()
