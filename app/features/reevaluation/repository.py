"""SQL of the runs: their rows, and the lock that lets one run at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.reevaluation_run import ReevaluationRunRow

#: Any constant will do; it only has to be the same wherever runs are started.
ADVISORY_LOCK: Final = 7_430_120

#: Where every customer stands, for the snapshot of the book.
STATES_QUERY: Final = (
    "SELECT customer_id, decision_id::text AS decision_id, tier, since, last_downgrade_on,"
    " first_lower_on, evaluated_on, outputs_digest FROM scoring_states"
)

#: Whose tier an override may replace; few, and mostly nobody's.
OVERRIDES_QUERY: Final = (
    "SELECT customer_id, id::text AS id, mode, tier, valid_until AS until"
    " FROM overrides WHERE state = 'active'"
)


@asynccontextmanager
async def only_run(session: AsyncSession) -> AsyncIterator[bool]:
    """Whether this is the only run, until the block is left.

    The lock lives as long as the session's transaction, which sees and writes nothing, so that it
    holds back neither other transactions nor vacuum.
    """
    await session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    taken = await session.scalar(
        text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK}
    )
    yield bool(taken)


async def read_clock(session: AsyncSession) -> datetime:
    """The present instant by the clock that also stamps the runs."""
    return (await session.execute(select(func.now()))).scalar_one()


async def fail_abandoned(session: AsyncSession) -> None:
    """Close the rows of runs that were killed; whoever holds the lock knows that none lives."""
    row = ReevaluationRunRow
    await session.execute(
        update(row).where(row.state == "running").values(state="failed", finished_at=func.now())
    )


async def insert_run(
    session: AsyncSession,
    *,
    run_id: UUID,
    as_of: date,
    mode: str,
    total: int,
    snapshot_at: datetime,
) -> None:
    """Store a run that begins."""
    await session.execute(
        insert(ReevaluationRunRow).values(
            id=run_id,
            as_of=as_of,
            mode=mode,
            state="running",
            snapshot_at=snapshot_at,
            customers_total=total,
            customers_done=0,
            customers_changed=0,
            summary={},
        )
    )


async def update_run(session: AsyncSession, *, run_id: UUID, done: int, changed: int) -> None:
    """Store how far a run has come."""
    row = ReevaluationRunRow
    await session.execute(
        update(row).where(row.id == run_id).values(customers_done=done, customers_changed=changed)
    )


async def finish_run(
    session: AsyncSession,
    *,
    run_id: UUID,
    state: str,
    summary: Mapping[str, Any],
) -> None:
    """Store how a run ended."""
    row = ReevaluationRunRow
    await session.execute(
        update(row)
        .where(row.id == run_id)
        .values(state=state, finished_at=func.now(), summary=dict(summary))
    )
