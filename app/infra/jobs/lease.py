"""A worker's hold on one job, and the statements by which it is taken, kept and let go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession


class LeaseLostError(Exception):
    """Another worker may own the job by now: nothing of this one may be stored."""


class JobCancelledError(Exception):
    """Whoever started the job wants it no more."""


class JobStoppedError(Exception):
    """The worker leaves; the job goes on elsewhere."""


# The clock of the moment, not of the transaction, which may have begun long ago.
_SWEEP: Final = text("""
    UPDATE jobs SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'dead' END,
        leased_until = NULL, finished_at = clock_timestamp(), error_type = 'worker-lost',
        error_detail = 'every worker that tried ended without a word; look into their logs'
    WHERE state = 'running' AND leased_until < clock_timestamp()
        AND (attempts >= max_attempts OR cancel_requested)
""")
_CLAIM: Final = text("""
    UPDATE jobs SET state = 'running', attempts = attempts + 1, epoch = epoch + 1,
        leased_until = clock_timestamp() + make_interval(secs => :seconds)
    WHERE id = (
        SELECT id FROM jobs
        WHERE kind = ANY(:kinds) AND attempts < max_attempts AND NOT cancel_requested
            AND (state = 'queued' AND run_after <= clock_timestamp()
                OR state = 'running' AND leased_until < clock_timestamp())
        ORDER BY run_after, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, payload, epoch, attempts, max_attempts
""").bindparams(bindparam("kinds", type_=ARRAY(Text)))
_BEAT: Final = text("""
    UPDATE jobs SET leased_until = clock_timestamp() + make_interval(secs => :seconds)
    WHERE id = :id AND epoch = :epoch AND state = 'running' RETURNING cancel_requested
""")
_CONFIRM: Final = text("""
    UPDATE jobs SET done = :done, total = :total
    WHERE id = :id AND epoch = :epoch AND state = 'running' RETURNING cancel_requested
""")
_SETTLE: Final = text("""
    UPDATE jobs SET state = CASE WHEN cancel_requested AND :state = 'queued' THEN 'cancelled'
            ELSE :state END,
        leased_until = NULL, error_type = :error_type, error_detail = :error_detail,
        attempts = attempts - :returned,
        run_after = clock_timestamp() + make_interval(secs => :delay * (0.5 + random())),
        finished_at = CASE WHEN :state <> 'queued' OR cancel_requested THEN clock_timestamp() END
    WHERE id = :id AND epoch = :epoch AND state = 'running' RETURNING id
""").bindparams(bindparam("state", type_=Text))


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an attempt ends: the job's next state, why, after how long, attempts not counted."""

    state: str
    error_type: str | None = None
    error_detail: str | None = None
    delay: float = 0.0
    returned: int = 0


@dataclass(slots=True)
class Lease:
    """One attempt at a job; the loop sets its flags, the thread that works reads them."""

    id: UUID
    kind: str
    payload: Mapping[str, Any]
    epoch: int
    attempt: int
    max_attempts: int
    is_lost: bool = False
    is_cancelled: bool = False
    is_stopped: bool = False

    def check(self) -> None:
        """Call where stopping leaves nothing half done.

        Raises:
            LeaseLostError: somebody else may own the job.
            JobCancelledError: it is not wanted any more.
            JobStoppedError: the worker is leaving.
        """
        if self.is_lost:
            raise LeaseLostError
        if self.is_cancelled:
            raise JobCancelledError
        if self.is_stopped:
            raise JobStoppedError

    async def confirm(self, session: AsyncSession, *, done: int, total: int | None) -> None:
        """Fence a transaction; call it last, since it holds the job's row until the commit.

        Raises:
            LeaseLostError: the job is no longer this attempt's; the transaction must roll back.
        """
        owner = {"id": self.id, "epoch": self.epoch, "done": done, "total": total}
        cancelled = await session.scalar(_CONFIRM, owner)
        if cancelled is None:
            self.is_lost = True
            raise LeaseLostError
        self.is_cancelled = self.is_cancelled or cancelled

    async def settle(self, session: AsyncSession, settlement: Settlement) -> bool:
        """End the attempt, unless the job is no longer its."""
        values = {name: getattr(settlement, name) for name in Settlement.__dataclass_fields__}
        found = await session.scalar(_SETTLE, {**values, "id": self.id, "epoch": self.epoch})
        return found is not None

    async def succeed(self, session: AsyncSession) -> None:
        """End the job in the transaction of its last effect.

        Raises:
            LeaseLostError: the job is no longer this attempt's; the transaction must roll back.
        """
        if not await self.settle(session, Settlement("succeeded")):
            raise LeaseLostError

    async def beat(self, session: AsyncSession, seconds: float) -> None:
        """Say that the worker lives; learn whether the job is still its, and still wanted."""
        owner = {"id": self.id, "epoch": self.epoch, "seconds": seconds}
        cancelled = await session.scalar(_BEAT, owner)
        self.is_lost = cancelled is None
        self.is_cancelled = bool(cancelled)


async def sweep(session: AsyncSession) -> None:
    """End the jobs whose last worker is gone."""
    await session.execute(_SWEEP)


async def claim(session: AsyncSession, kinds: Sequence[str], seconds: float) -> Lease | None:
    """Take the job that is due longest, if there is one; the attempt counts from here on."""
    row = (await session.execute(_CLAIM, {"kinds": list(kinds), "seconds": seconds})).one_or_none()
    return None if row is None else Lease(*row)
