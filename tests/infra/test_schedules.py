"""Jobs that the clock puts in: one per tick, with one job for all the ticks that were missed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.infra.database import AsyncSession, Database
from app.infra.jobs import Schedule, remove_ended
from app.infra.jobs.schedule import enqueue_due, install_schedules
from app.worker import HOUSEKEEPING

pytestmark = pytest.mark.anyio

HOURLY = Schedule("tidy", 3600)
KINDS = [HOURLY.kind]


async def jobs(session: AsyncSession) -> list[tuple[Any, ...]]:
    query = text("SELECT kind, state, requested_by FROM jobs ORDER BY id")
    return [tuple(row) for row in await session.execute(query)]


async def until_due(session: AsyncSession) -> timedelta:
    query = text("SELECT next_due - clock_timestamp() FROM schedules")
    found: timedelta = (await session.execute(query)).scalar_one()
    return found


async def postpone(session: AsyncSession, seconds: float) -> None:
    """Move the next tick."""
    query = text("UPDATE schedules SET next_due = clock_timestamp() + make_interval(secs => :s)")
    await session.execute(query, {"s": seconds})


async def test_a_new_schedule_is_due_at_once_and_then_after_its_time(session: AsyncSession) -> None:
    await install_schedules(session, [HOURLY])
    await enqueue_due(session, KINDS)
    await enqueue_due(session, KINDS)
    assert await jobs(session) == [("tidy", "queued", "schedule")]
    assert timedelta(minutes=59) < await until_due(session) <= timedelta(hours=1)


async def test_all_the_ticks_that_were_missed_are_one_job_and_the_step_is_kept(
    session: AsyncSession,
) -> None:
    await install_schedules(session, [HOURLY])
    await postpone(session, -3600 * 5.5)
    await enqueue_due(session, KINDS)
    assert len(await jobs(session)) == 1
    assert timedelta(minutes=29) < await until_due(session) <= timedelta(minutes=30)


async def test_a_job_that_still_goes_on_is_not_put_in_again(session: AsyncSession) -> None:
    await install_schedules(session, [HOURLY])
    await enqueue_due(session, KINDS)
    await postpone(session, -1)
    await enqueue_due(session, KINDS)
    assert len(await jobs(session)) == 1
    await session.execute(text("UPDATE jobs SET state = 'cancelled', finished_at = now()"))
    await postpone(session, -1)
    await enqueue_due(session, KINDS)
    assert [state for _, state, _ in await jobs(session)] == ["cancelled", "queued"]


async def test_who_does_not_do_a_kind_does_not_put_it_in(session: AsyncSession) -> None:
    await install_schedules(session, [HOURLY])
    await enqueue_due(session, ["other"])
    assert await jobs(session) == []


async def test_a_shorter_time_holds_at_once_and_a_restart_moves_no_tick(
    session: AsyncSession,
) -> None:
    await install_schedules(session, [HOURLY])
    await postpone(session, 1800)
    await install_schedules(session, [HOURLY])
    assert timedelta(minutes=29) < await until_due(session) <= timedelta(minutes=30)
    await install_schedules(session, [Schedule(HOURLY.kind, 60)])
    assert await until_due(session) <= timedelta(minutes=1)


async def test_of_workers_at_once_one_puts_it_in(committed: Database) -> None:
    async with committed.sessions.begin() as session:
        await install_schedules(session, [HOURLY])

    async def tick() -> None:
        async with committed.sessions.begin() as session:
            await enqueue_due(session, KINDS)

    await asyncio.gather(*(tick() for _ in range(8)))
    async with committed.sessions() as session:
        assert len(await jobs(session)) == 1


async def test_jobs_that_ended_long_ago_are_removed(session: AsyncSession) -> None:
    await install_schedules(session, [Schedule(HOUSEKEEPING, 60)])
    await enqueue_due(session, [HOUSEKEEPING])
    ended = "UPDATE jobs SET state = 'cancelled', finished_at = now() - make_interval(days => :d)"
    await remove_ended(session, days=90)
    assert len(await jobs(session)) == 1
    await session.execute(text(ended), {"d": 89})
    await remove_ended(session, days=90)
    assert len(await jobs(session)) == 1
    await session.execute(text(ended), {"d": 91})
    await remove_ended(session, days=90)
    assert await jobs(session) == []


async def test_what_the_clock_put_in_and_went_well_is_removed_after_a_day(
    session: AsyncSession,
) -> None:
    await install_schedules(session, [Schedule(HOUSEKEEPING, 60)])
    await enqueue_due(session, [HOUSEKEEPING])
    ended = "UPDATE jobs SET state = :s, finished_at = now() - make_interval(hours => :h)"
    for state, hours, left in (("succeeded", 23, 1), ("dead", 25, 1), ("succeeded", 25, 0)):
        await session.execute(text(ended), {"s": state, "h": hours})
        await remove_ended(session, days=90)
        assert len(await jobs(session)) == left, (state, hours)
