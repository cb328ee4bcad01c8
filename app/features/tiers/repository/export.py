"""Reading the whole book's tiers, in order and a few at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.serving import JOINED, serving_tier

_ROWS_AT_A_TIME: Final = 10_000

# An applied run that found no change of a customer evaluated him all the same.
_TIERS: Final = text(f"""
    SELECT state.customer_id, {serving_tier("CAST(:today AS date)")}, decision.segment,
        decision.score,
        greatest(state.evaluated_at, (
            SELECT max(snapshot_at) FROM reevaluation_runs
            WHERE state = 'completed' AND mode = 'apply' AND as_of >= state.evaluated_on
        )) AS evaluated_at
    FROM scoring_states AS state {JOINED}
    JOIN decisions AS decision ON decision.id = state.decision_id
    WHERE NOT EXISTS (SELECT FROM customer_aliases WHERE alias_id = state.customer_id)
    ORDER BY state.customer_id
""")  # noqa: S608 - all texts are ours.


class ExportedTier(NamedTuple):
    """One customer's tier."""

    customer_id: str
    tier: str
    segment: str
    score: int
    evaluated_at: datetime


async def stream_tiers(
    session: AsyncSession, *, today: date
) -> AsyncIterator[Sequence[ExportedTier]]:
    """Every customer who was ever evaluated and not merged away, by id in byte order."""
    found = await session.stream(
        _TIERS, {"today": today}, execution_options={"yield_per": _ROWS_AT_A_TIME}
    )
    async for part in found.partitions(_ROWS_AT_A_TIME):
        yield [ExportedTier(*row) for row in part]
