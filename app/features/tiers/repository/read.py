"""What served customers in the past, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.decision import DecisionRow
from app.db.rows.tier_assignment import TierAssignmentRow


@dataclass(frozen=True, slots=True)
class StoredAssignment:
    """A tier a customer was served by, from a business day to the one before `valid_to`."""

    id: UUID
    tier: str
    source: str
    decision_id: UUID
    override_id: UUID | None
    valid_from: date
    valid_to: date | None


_ASSIGNMENT: Final = (
    TierAssignmentRow.id,
    TierAssignmentRow.tier,
    TierAssignmentRow.source,
    TierAssignmentRow.decision_id,
    TierAssignmentRow.override_id,
    TierAssignmentRow.valid_from,
    TierAssignmentRow.valid_to,
)


async def list_assignments(
    session: AsyncSession,
    customer_id: str,
    *,
    limit: int,
    before: tuple[date, UUID] | None = None,
) -> list[StoredAssignment]:
    """Assignments of a customer, the newest first.

    Args:
        session: an open session.
        customer_id: whose.
        limit: how many at most.
        before: first day and id of the last one of the page before.
    """
    row = TierAssignmentRow
    query = select(*_ASSIGNMENT).where(row.customer_id == customer_id)
    if before is not None:
        query = query.where(tuple_(row.valid_from, row.id) < tuple_(*before))
    query = query.order_by(row.valid_from.desc(), row.id.desc()).limit(limit)
    return [StoredAssignment(*found) for found in await session.execute(query)]


async def find_assignment_on(
    session: AsyncSession, customer_id: str, *, day: date
) -> StoredAssignment | None:
    """The assignment that served at the end of a business day."""
    row = TierAssignmentRow
    query = (
        select(*_ASSIGNMENT)
        .where(
            row.customer_id == customer_id,
            row.valid_from <= day,
            or_(row.valid_to.is_(None), row.valid_to > day),
        )
        .order_by(row.valid_from.desc(), row.id.desc())
        .limit(1)
    )
    found = (await session.execute(query)).first()
    return None if found is None else StoredAssignment(*found)


async def list_reasons(session: AsyncSession, decision_id: UUID) -> list[Mapping[str, Any]]:
    """The reasons of a decision, the weightiest first."""
    query = select(DecisionRow.reasons).where(DecisionRow.id == decision_id)
    return list((await session.scalars(query)).one())
