"""Writing assignments and scoring states, one customer at a time or a chunk of the book."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.customer import CustomerRow
from app.db.rows.scoring_state import ScoringStateRow
from app.db.rows.tier_assignment import TierAssignmentRow
from app.domain.tiering.stability import StabilityState
from app.infra.database import raw_connection
from app.infra.ids import new_id


@dataclass(frozen=True, slots=True)
class Held:
    """Where a customer stands: the stability state and the outputs it came with."""

    state: StabilityState
    decision_id: UUID
    outputs_digest: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer stands after an evaluation."""

    customer_id: str
    state: StabilityState
    source: str
    grace_until: date | None
    decision_id: UUID
    evaluated_at: datetime
    outputs_digest: bytes
    segment: str
    life_cycle_stage: str
    labels: tuple[str, ...]


#: The columns of a staged chunk, in the order of its CSV.
STAGED: Final = (
    "customer_id",
    "previous_decision_id",
    "decision_id",
    "assignment_id",
    "tier",
    "source",
    "since",
    "last_downgrade_on",
    "first_lower_on",
    "grace_until",
    "evaluated_on",
    "evaluated_at",
    "outputs_digest",
)

_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS staged_standings (
    customer_id text COLLATE "C" PRIMARY KEY, previous_decision_id uuid, decision_id uuid,
    assignment_id uuid, tier text, source text, since date, last_downgrade_on date,
    first_lower_on date, grace_until date, evaluated_on date, evaluated_at timestamptz,
    outputs_digest bytea
) ON COMMIT DELETE ROWS
"""

_LOCK_NEW = """
SELECT count(*) FROM (
    SELECT FROM customers
    WHERE customer_id IN (
        SELECT customer_id FROM staged_standings WHERE previous_decision_id IS NULL
    )
    ORDER BY customer_id FOR NO KEY UPDATE
) AS locked
"""

_LOCK_KNOWN = """
SELECT count(*) FROM (
    SELECT FROM scoring_states JOIN staged_standings USING (customer_id)
    ORDER BY scoring_states.customer_id FOR NO KEY UPDATE OF scoring_states
) AS locked
"""

_OVERTAKEN = """
DELETE FROM staged_standings AS staged
WHERE NOT EXISTS (SELECT FROM customers WHERE customer_id = staged.customer_id)
    OR previous_decision_id IS DISTINCT FROM (
        SELECT decision_id FROM scoring_states WHERE customer_id = staged.customer_id
    )
RETURNING customer_id
"""

_CLOSE = """
UPDATE tier_assignments AS open SET valid_to = staged.evaluated_on
FROM staged_standings AS staged
WHERE open.customer_id = staged.customer_id AND open.valid_to IS NULL
    AND (open.tier, open.source) IS DISTINCT FROM (staged.tier, staged.source)
"""

_OPEN = """
INSERT INTO tier_assignments (id, customer_id, tier, source, decision_id, valid_from)
SELECT assignment_id, customer_id, tier, source, decision_id, evaluated_on
FROM staged_standings AS staged
WHERE NOT EXISTS (
    SELECT FROM tier_assignments AS open
    WHERE open.customer_id = staged.customer_id AND open.valid_to IS NULL
)
"""

# What a rule set gives no labels for has none.
_LABELS = """ARRAY(SELECT jsonb_array_elements_text(
    CASE WHEN jsonb_typeof(decision.outcomes -> 'labels') = 'array'
        THEN decision.outcomes -> 'labels' ELSE '[]' END
))"""

_MOVE_STATES = f"""
UPDATE scoring_states AS state SET
    decision_id = staged.decision_id, tier = staged.tier, since = staged.since,
    last_downgrade_on = staged.last_downgrade_on, first_lower_on = staged.first_lower_on,
    grace_until = staged.grace_until, evaluated_on = staged.evaluated_on,
    evaluated_at = staged.evaluated_at, outputs_digest = staged.outputs_digest,
    segment = decision.segment, life_cycle_stage = decision.life_cycle_stage, labels = {_LABELS}
FROM staged_standings AS staged JOIN decisions AS decision ON decision.id = staged.decision_id
WHERE state.customer_id = staged.customer_id
"""  # noqa: S608 - both texts are ours.

_ADD_STATES = f"""
INSERT INTO scoring_states (
    customer_id, decision_id, tier, since, last_downgrade_on, first_lower_on, grace_until,
    evaluated_on, evaluated_at, outputs_digest, segment, life_cycle_stage, labels
)
SELECT staged.customer_id, staged.decision_id, staged.tier, staged.since,
    staged.last_downgrade_on, staged.first_lower_on, staged.grace_until, staged.evaluated_on,
    staged.evaluated_at, staged.outputs_digest, decision.segment, decision.life_cycle_stage,
    {_LABELS}
FROM staged_standings AS staged JOIN decisions AS decision ON decision.id = staged.decision_id
WHERE staged.previous_decision_id IS NULL
"""  # noqa: S608 - both texts are ours.


async def lock_customer(session: AsyncSession, customer_id: str) -> bool:
    """Let one evaluation of a customer run at a time; False if there is no such customer."""
    query = select(CustomerRow.customer_id).where(CustomerRow.customer_id == customer_id)
    return await session.scalar(query.with_for_update(key_share=True)) is not None


async def lock_held(session: AsyncSession, customer_id: str) -> Held | None:
    """Where a customer stands, with a row lock, or None before the first evaluation."""
    row = ScoringStateRow
    query = select(
        row.tier,
        row.since,
        row.last_downgrade_on,
        row.first_lower_on,
        row.evaluated_on,
        row.decision_id,
        row.outputs_digest,
    ).where(row.customer_id == customer_id)
    found = (await session.execute(query.with_for_update(key_share=True))).first()
    if found is None:
        return None
    return Held(StabilityState(*found[:5]), found.decision_id, found.outputs_digest)


async def save_standing(session: AsyncSession, standing: Standing) -> None:
    """Store where a customer stands now."""
    state = standing.state
    columns = {
        "decision_id": standing.decision_id,
        "tier": state.tier,
        "since": state.since,
        "last_downgrade_on": state.last_downgrade_on,
        "first_lower_on": state.first_lower_on,
        "grace_until": standing.grace_until,
        "evaluated_on": state.evaluated_on,
        "evaluated_at": standing.evaluated_at,
        "outputs_digest": standing.outputs_digest,
        "segment": standing.segment,
        "life_cycle_stage": standing.life_cycle_stage,
        "labels": list(standing.labels),
    }
    await session.execute(
        upsert(ScoringStateRow)
        .values(customer_id=standing.customer_id, **columns)
        .on_conflict_do_update(index_elements=[ScoringStateRow.customer_id], set_=columns)
    )


async def replace_assignment(session: AsyncSession, standing: Standing) -> None:
    """Close the open assignment and open the next, if tier or source changed."""
    row = TierAssignmentRow
    is_open = (row.customer_id == standing.customer_id, row.valid_to.is_(None))
    found = (await session.execute(select(row.tier, row.source).where(*is_open))).first()
    if found is not None and (found.tier, found.source) == (standing.state.tier, standing.source):
        return
    day = standing.state.evaluated_on
    await session.execute(update(row).where(*is_open).values(valid_to=day))
    await session.execute(
        insert(row).values(
            id=new_id(),
            customer_id=standing.customer_id,
            tier=standing.state.tier,
            source=standing.source,
            decision_id=standing.decision_id,
            valid_from=day,
        )
    )


async def stage(session: AsyncSession, csv: bytes) -> None:
    r"""Copy a chunk of standings into the session's staging table.

    Args:
        session: a session with an open transaction.
        csv: rows with the columns of `STAGED`, no header; empty is null, bytes as `\x…`.
    """
    await session.execute(text(_STAGE))
    connection = await raw_connection(session)
    await connection.copy_to_table(
        "staged_standings", source=io.BytesIO(csv), columns=STAGED, format="csv"
    )
    # A few thousand rows against a million: without figures PostgreSQL would read the million.
    await session.execute(text("ANALYZE staged_standings"))


async def drop_overtaken(session: AsyncSession) -> list[str]:
    """Lock the staged customers; unstage and name those evaluated or gone since they were read."""
    await session.execute(text(_LOCK_NEW))
    await session.execute(text(_LOCK_KNOWN))
    return list(await session.scalars(text(_OVERTAKEN)))


async def apply_staged(session: AsyncSession) -> None:
    """Write the staged standings; their decisions must be stored."""
    for statement in (_CLOSE, _OPEN, _MOVE_STATES, _ADD_STATES):
        await session.execute(text(statement))
