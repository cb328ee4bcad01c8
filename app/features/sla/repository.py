"""SQL on SLA policies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows import SlaEntryRow, SlaPolicyRow, StatutoryFloorRow
from app.domain.sla.policy import Milestone, SlaEntry, StatutoryFloor
from app.infra.lanes import Connection

_ENTRY_FIELDS: Final = [field.name for field in fields(SlaEntry) if field.name != "milestones"]
_FLOOR_FIELDS: Final = [field.name for field in fields(StatutoryFloor)]


# Whole and as text, so that what was read of it before can be known again by it: a policy is some
# thousand characters, and never older than the question.
_POLICIES: Final = """
    SELECT asked.day, policy.version,
        (SELECT json_agg(entry ORDER BY entry.position)::text FROM sla_entries AS entry
            WHERE entry.policy_version = policy.version),
        (SELECT json_agg(floor ORDER BY floor.service_type, floor.qualifier)::text
            FROM statutory_floors AS floor)
    FROM unnest($1::date[]) AS asked (day)
    CROSS JOIN LATERAL (
        SELECT version FROM sla_policies WHERE valid_from <= asked.day
        ORDER BY valid_from DESC LIMIT 1
    ) AS policy
"""


@dataclass(frozen=True, slots=True)
class WrittenPolicy:
    """The policy in force on a day, as the database writes it; equal texts are equal policies."""

    version: int
    entries: str | None
    floors: str | None


async def find_policy(session: AsyncSession, *, on: date) -> WrittenPolicy | None:
    """The policy in force on a business day."""
    connection = await session.connection()
    rows = await connection.exec_driver_sql(_POLICIES, ([on],))
    return next((_policy(row) for row in rows), None)


async def find_policies(connection: Connection, days: Sequence[date]) -> dict[date, WrittenPolicy]:
    """The policies in force on several business days, by day."""
    rows = await connection.fetch(_POLICIES, sorted(set(days)))
    return {row[0]: _policy(row) for row in rows}


def _policy(row: Iterable[Any]) -> WrittenPolicy:
    _day, version, entries, floors = row
    return WrittenPolicy(version, entries, floors)


async def has_policy(session: AsyncSession) -> bool:
    """Whether any policy was ever stored."""
    return await session.scalar(select(SlaPolicyRow.version).limit(1)) is not None


def read_entries(policy: WrittenPolicy) -> list[SlaEntry]:
    """A policy's rows, in the order in which they match."""
    return [
        SlaEntry(
            **{name: row[name] for name in _ENTRY_FIELDS},
            milestones=tuple(Milestone(**milestone) for milestone in row["milestones"]),
        )
        for row in json.loads(policy.entries or "[]")
    ]


def read_floors(policy: WrittenPolicy) -> list[StatutoryFloor]:
    """The statutory floors."""
    return [
        StatutoryFloor(**{name: row[name] for name in _FLOOR_FIELDS})
        for row in json.loads(policy.floors or "[]")
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
