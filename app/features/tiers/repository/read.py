"""Where customers stand, for those who ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.tier_assignment import TierAssignmentRow


@dataclass(frozen=True, slots=True)
class StoredTier:
    """The tier that serves, the state and the decision behind it, and what happened since.

    `run_at` and `run_as_of` are of the newest completed applied run that read the book after the
    newest decision and was not back-dated for this customer: it found nothing else to decide.
    `in_force_*` name the rule set that would decide today, and `newer_lines` the lines whose own
    came into force since, for a customer of whom the decision does not say which line he held last.
    """

    tier: str
    source: str
    since: date
    last_downgrade_on: date | None
    first_lower_on: date | None
    grace_until: date | None
    evaluated_on: date
    evaluated_at: datetime
    decision_id: UUID
    as_of: date
    score: int
    segment: str
    life_cycle_stage: str
    risk_grade: str
    review_cycle: str | None
    tier_evaluated: str
    rule_set_id: str
    rule_set_version: int
    rule_set_hash: str
    reasons: Sequence[Mapping[str, Any]]
    gap: Mapping[str, Any] | None
    run_at: datetime | None
    run_as_of: date | None
    in_force_id: str | None
    in_force_version: int | None
    newer_lines: Sequence[str]


# The preferred line is the one `tiering.selection` would prefer. A customer without premium in
# force goes by the line last held: the line of the rule set that decided, unless that was `all`.
# Then the line had no rule set of its own, and what came into force since may be for it.
_TIER: Final = text("""
    SELECT assignment.tier, assignment.source, state.since, state.last_downgrade_on,
        state.first_lower_on, state.grace_until, state.evaluated_on, state.evaluated_at,
        decision.id AS decision_id, decision.as_of, decision.score, decision.segment,
        decision.life_cycle_stage, decision.risk_grade,
        decision.outcomes ->> 'review_cycle' AS review_cycle, decision.tier_evaluated,
        decision.rule_set_id, decision.rule_set_version, decision.rule_set_hash,
        decision.reasons, decision.gap,
        run.snapshot_at AS run_at, run.as_of AS run_as_of,
        in_force.rule_set_id AS in_force_id, in_force.version AS in_force_version,
        coalesce(newer.lines, '{}') AS newer_lines
    FROM scoring_states AS state
    JOIN customers AS customer USING (customer_id)
    JOIN tier_assignments AS assignment
        ON assignment.customer_id = state.customer_id AND assignment.valid_to IS NULL
    JOIN decisions AS decision ON decision.id = state.decision_id
    JOIN rule_set_versions AS deciding
        ON deciding.rule_set_id = decision.rule_set_id
        AND deciding.version = decision.rule_set_version
    LEFT JOIN LATERAL (
        SELECT snapshot_at, as_of FROM reevaluation_runs
        WHERE state = 'completed' AND mode = 'apply'
            AND snapshot_at > state.evaluated_at AND as_of >= state.evaluated_on
        ORDER BY snapshot_at DESC LIMIT 1
    ) AS run ON true
    LEFT JOIN LATERAL (
        SELECT rule_set_id, version FROM rule_set_activations
        WHERE valid @> CAST(:today AS date) AND product_line IN ('all',
            CASE WHEN customer.kind = 'corporate' THEN 'corporate'
                ELSE coalesce(decision.primary_line, deciding.product_line) END)
        ORDER BY product_line = 'all' LIMIT 1
    ) AS in_force ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(product_line) AS lines FROM rule_set_activations
        WHERE valid @> CAST(:today AS date) AND product_line NOT IN ('all', 'corporate')
            AND NOT (valid @> decision.as_of AND created_at <= decision.recorded_at)
            AND customer.kind <> 'corporate'
            AND decision.primary_line IS NULL AND deciding.product_line = 'all'
    ) AS newer ON true
    WHERE state.customer_id = :customer_id
""")


async def find_tier(session: AsyncSession, customer_id: str, *, today: date) -> StoredTier | None:
    """Where a customer stands, None before the first evaluation."""
    given = {"customer_id": customer_id, "today": today}
    found = (await session.execute(_TIER, given)).mappings().first()
    return None if found is None else StoredTier(**found)


@dataclass(frozen=True, slots=True)
class StoredAssignment:
    """A tier a customer was served by, from a business day to the one before `valid_to`."""

    id: UUID
    tier: str
    source: str
    decision_id: UUID
    valid_from: date
    valid_to: date | None


_ASSIGNMENT: Final = (
    TierAssignmentRow.id,
    TierAssignmentRow.tier,
    TierAssignmentRow.source,
    TierAssignmentRow.decision_id,
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
