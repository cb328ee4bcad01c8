"""Jobs that are put in by the clock: once per tick, whoever of the workers sees it first.

The time of the next tick and its job are stored together, so no tick is done twice; ticks that
nobody was there for are made up for by one job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.infra.jobs.queue import BY_THE_CLOCK, Order, enqueue

_INSTALL: Final = text("""
    INSERT INTO schedules (kind, every_seconds, next_due)
    VALUES (:kind, :every_seconds, clock_timestamp())
    ON CONFLICT (kind) DO UPDATE SET every_seconds = excluded.every_seconds,
        next_due = least(schedules.next_due,
            clock_timestamp() + make_interval(secs => excluded.every_seconds))
""")
# The clock of the moment, so that a tick is never one of the future; those missed are passed over.
_TICK: Final = text("""
    UPDATE schedules SET next_due = next_due + make_interval(secs => every_seconds * (
        floor(extract(epoch FROM clock_timestamp() - next_due) / every_seconds) + 1))
    WHERE kind IN (
        SELECT kind FROM schedules WHERE kind = ANY(:kinds) AND next_due <= clock_timestamp()
        FOR UPDATE SKIP LOCKED)
    RETURNING kind
""").bindparams(bindparam("kinds", type_=ARRAY(Text)))


@dataclass(frozen=True, slots=True)
class Schedule:
    """A kind of job, and how many seconds lie between one and the next."""

    kind: str
    every_seconds: int


async def install_schedules(session: AsyncSession, schedules: Sequence[Schedule]) -> None:
    """Say what the clock puts in; a new schedule is due at once, an old one keeps its step."""
    for schedule in schedules:
        values = {"kind": schedule.kind, "every_seconds": schedule.every_seconds}
        await session.execute(_INSTALL, values)


async def enqueue_due(session: AsyncSession, kinds: Sequence[str]) -> None:
    """Put in the jobs whose time has come, each with the time of its next in one transaction."""
    for kind in await session.scalars(_TICK, {"kinds": list(kinds)}):
        order = Order(
            kind=kind,
            payload={},
            dedupe_key=f"{BY_THE_CLOCK}:{kind}",
            requested_by=BY_THE_CLOCK,
            requested_role=BY_THE_CLOCK,
        )
        await enqueue(session, order)
