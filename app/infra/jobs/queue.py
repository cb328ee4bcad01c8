"""Putting jobs in, looking at them, cancelling and requeueing them: the callers' side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.job import JobRow, JobState
from app.domain.errors import Conflict
from app.infra.ids import new_id

#: Who stands as the requester of a job that nobody asked for.
BY_THE_CLOCK: Final = "schedule"
#: What a new job is told on; a hint only, since workers also look by themselves.
CHANNEL: Final = "tiering_jobs"

_INSERT: Final = text("""
    INSERT INTO jobs (id, kind, state, payload, dedupe_key, max_attempts, requested_by,
        requested_role)
    VALUES (:id, :kind, 'queued', cast(:payload AS jsonb), :dedupe_key, :max_attempts,
        :requested_by, :requested_role)
    ON CONFLICT (dedupe_key) WHERE state IN ('queued', 'running') DO NOTHING
""")
_LIVE: Final = text(
    "SELECT id FROM jobs WHERE dedupe_key = :dedupe_key AND state IN ('queued', 'running')"
)
_NOTIFY: Final = text(f"SELECT pg_notify('{CHANNEL}', '')")
_CANCEL: Final = text("""
    UPDATE jobs SET cancel_requested = true,
        state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
        finished_at = CASE state WHEN 'queued' THEN clock_timestamp() END
    WHERE id = :id AND state IN ('queued', 'running') RETURNING id
""")
#: What the clock puts in each minute and what then went well is of no interest the day after.
_REMOVE_ENDED: Final = text("""
    DELETE FROM jobs WHERE finished_at < clock_timestamp() - make_interval(days =>
        CASE WHEN requested_by = :clock AND state = 'succeeded' THEN 1 ELSE :days END)
""")
_REQUEUE: Final = text("""
    UPDATE jobs SET state = 'queued', attempts = 0, cancel_requested = false, finished_at = NULL,
        error_type = NULL, error_detail = NULL, run_after = clock_timestamp()
    WHERE id = :id AND state IN ('dead', 'cancelled') RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Order:
    """A job to be put in.

    Args:
        kind: what is to be done.
        payload: ids of what it is about; never data.
        dedupe_key: what no two live jobs may be about.
        requested_by: digest of the actor.
        requested_role: his role.
        max_attempts: attempts after which it is dead.
    """

    kind: str
    payload: Mapping[str, str]
    dedupe_key: str
    requested_by: str
    requested_role: str
    max_attempts: int = 5


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands."""

    id: UUID
    kind: str
    state: JobState
    payload: Mapping[str, Any]
    done: int
    total: int | None
    error_type: str | None
    error_detail: str | None
    attempts: int
    max_attempts: int
    cancel_requested: bool
    requested_by: str
    requested_role: str
    recorded_at: datetime
    finished_at: datetime | None

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.state in {"queued", "running"}


_COLUMNS: Final = [getattr(JobRow, name) for name in Job.__dataclass_fields__]


async def enqueue(session: AsyncSession, order: Order) -> UUID:
    """Put a job in, in the caller's transaction; the live one about the same thing, if there is."""
    values = {name: getattr(order, name) for name in Order.__dataclass_fields__}
    values |= {"id": new_id(), "payload": json.dumps(dict(order.payload))}
    await session.execute(_INSERT, values)
    await session.execute(_NOTIFY)
    found: UUID | None = await session.scalar(_LIVE, {"dedupe_key": order.dedupe_key})
    if found is None:
        # The other one ended between the two statements.
        return await enqueue(session, order)
    return found


async def remove_ended(session: AsyncSession, *, days: int) -> None:
    """Remove the jobs that ended some days ago; what they did stays.

    Those of the clock that went well are removed after a day.
    """
    await session.execute(_REMOVE_ENDED, {"days": days, "clock": BY_THE_CLOCK})


async def find_job(session: AsyncSession, job_id: UUID) -> Job | None:
    """The job of an id."""
    row = (await session.execute(select(*_COLUMNS).where(JobRow.id == job_id))).one_or_none()
    return None if row is None else Job(*row)


async def find_jobs_about(session: AsyncSession, dedupe_key: str) -> Sequence[Job]:
    """The jobs about one thing, newest first."""
    about = select(*_COLUMNS).where(JobRow.dedupe_key == dedupe_key).order_by(JobRow.id.desc())
    return [Job(*row) for row in await session.execute(about)]


async def cancel(session: AsyncSession, job: Job) -> None:
    """Let a job not begin, or stop where that leaves nothing half done; twice is as once.

    Raises:
        Conflict: it has ended otherwise.
    """
    found = await session.scalar(_CANCEL, {"id": job.id})
    if found is None and job.state != "cancelled":
        raise Conflict("job-ended", "the job has ended; there is nothing to cancel")


async def requeue(session: AsyncSession, job: Job) -> None:
    """Let a job that is dead or was cancelled begin anew.

    Raises:
        Conflict: it is neither.
    """
    if await session.scalar(_REQUEUE, {"id": job.id}) is None:
        raise Conflict("job-not-dead", "only a job that is dead or was cancelled is requeued")
    await session.execute(_NOTIFY)
