"""Writing assignments and scoring states of a chunk of the book."""

from __future__ import annotations

import io
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.tiers.repository.returning import Return, give_back
from app.infra.database import raw_connection

#: The columns of a staged chunk, in the order of its CSV.
STAGED: Final = (
    "customer_id",
    "previous_decision_id",
    "decision_id",
    "assignment_id",
    "tier",
    "tier_applied",
    "source",
    "override_id",
    "active_override_id",
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
    assignment_id uuid, tier text, tier_applied text, source text, override_id uuid,
    active_override_id uuid, since date, last_downgrade_on date, first_lower_on date,
    grace_until date, evaluated_on date, evaluated_at timestamptz, outputs_digest bytea
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
    OR active_override_id IS DISTINCT FROM (
        SELECT id FROM overrides WHERE customer_id = staged.customer_id AND state = 'active'
    )
RETURNING customer_id
"""

_OVERDUE = """
SELECT open.customer_id, open.tier, greatest(open.valid_from, active.valid_until)
FROM overrides AS active
JOIN staged_standings AS staged ON staged.customer_id = active.customer_id
JOIN tier_assignments AS open
    ON open.customer_id = active.customer_id AND open.valid_to IS NULL
        AND open.override_id = active.id
WHERE active.state = 'active' AND active.valid_until < staged.evaluated_on
"""

# Where a tier serves again that an override had replaced, it begins to serve now.
_CLOSE = """
WITH closed AS (
    UPDATE tier_assignments AS open SET valid_to = staged.evaluated_on
    FROM staged_standings AS staged
    WHERE open.customer_id = staged.customer_id AND open.valid_to IS NULL
        AND (open.tier, open.source, open.override_id)
            IS DISTINCT FROM (staged.tier_applied, staged.source, staged.override_id)
    RETURNING open.customer_id, open.tier AS tier_before, open.source AS source_before,
        staged.tier_applied, staged.source, staged.evaluated_on
)
UPDATE scoring_states AS state SET returned_on = closed.evaluated_on
FROM closed
WHERE state.customer_id = closed.customer_id AND closed.source_before = 'override'
    AND closed.source <> 'override' AND closed.tier_before <> closed.tier_applied
"""

_OPEN = """
INSERT INTO tier_assignments (
    id, customer_id, tier, source, override_id, decision_id, valid_from
)
SELECT assignment_id, customer_id, tier_applied, source, override_id, decision_id, evaluated_on
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
    """Lock the staged customers; unstage and name those who moved on since they were read.

    They were evaluated, left, or an override of theirs began or ended.
    """
    await session.execute(text(_LOCK_NEW))
    await session.execute(text(_LOCK_KNOWN))
    return list(await session.scalars(text(_OVERTAKEN)))


async def apply_staged(session: AsyncSession) -> None:
    """Write the staged standings; their decisions must be stored."""
    overdue = [Return(*row) for row in await session.execute(text(_OVERDUE))]
    if overdue:
        await give_back(session, overdue)
    for statement in (_CLOSE, _OPEN, _MOVE_STATES, _ADD_STATES):
        await session.execute(text(statement))
