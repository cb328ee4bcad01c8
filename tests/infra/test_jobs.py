"""Putting jobs in and taking them, by many at once, and what an attempt may still say."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.domain.errors import Conflict, Invalid, NotFound
from app.infra import jobs
from app.infra.database import Database, open_database
from app.infra.ids import new_id
from app.infra.jobs import (
    JobCancelledError,
    JobStoppedError,
    Lease,
    LeaseLostError,
    Order,
)
from app.infra.jobs.lease import Settlement, claim, sweep
from app.infra.jobs.loop import settlement_of
from app.infra.settings import Settings

pytestmark = pytest.mark.anyio

ORDER = Order("note", {"note_id": "1"}, "note:1", "digest", "integration", 3)


@pytest.fixture
async def real(fresh_database_url: str) -> AsyncIterator[Database]:
    """Sessions that commit."""
    async with open_database(fresh_database_url, Settings()) as database:
        yield database


async def put(database: Database, order: Order = ORDER) -> jobs.Job:
    async with database.sessions.begin() as session:
        found = await jobs.find_job(session, await jobs.enqueue(session, order))
    assert found is not None
    return found


async def take(database: Database, seconds: float = 60) -> Lease:
    async with database.sessions.begin() as session:
        lease = await claim(session, ["note"], seconds)
    assert lease is not None
    return lease


async def stands(database: Database) -> tuple[object, ...]:
    async with database.sessions() as session:
        query = text("SELECT state, attempts, epoch, done, total, error_type FROM jobs")
        return tuple((await session.execute(query)).one())


async def test_ten_who_put_in_the_same_at_once_put_in_one(real: Database) -> None:
    found = await asyncio.gather(*(put(real) for _ in range(10)))
    assert len({job.id for job in found}) == 1
    assert await stands(real) == ("queued", 0, 0, 0, None, None)


async def test_ten_who_take_at_once_take_one_each(real: Database) -> None:
    for number in range(7):
        await put(real, Order("note", {}, f"note:{number}", "digest", "integration"))

    async def try_to_take() -> Lease | None:
        async with real.sessions.begin() as session:
            return await claim(session, ["note"], 60)

    taken = [lease for lease in await asyncio.gather(*(try_to_take() for _ in range(10))) if lease]
    assert len(taken) <= 7
    assert Counter(lease.id for lease in taken).most_common(1)[0][1] == 1
    async with real.sessions.begin() as session:
        assert await claim(session, ["another kind"], 60) is None


async def test_a_transaction_of_who_lost_the_lease_rolls_back(real: Database) -> None:
    await put(real)
    first = await take(real, seconds=0)
    second = await take(real)

    async def change_all_the_same() -> None:
        async with real.sessions.begin() as session:
            await session.execute(text("UPDATE jobs SET kind = 'changed'"))
            await first.confirm(session, done=9, total=9)

    with pytest.raises(LeaseLostError):
        await change_all_the_same()
    with pytest.raises(LeaseLostError):
        first.check()
    async with real.sessions.begin() as session:
        assert await first.settle(session, Settlement("dead")) is False
        with pytest.raises(LeaseLostError):
            await first.succeed(session)
        await first.beat(session, 60)
    assert first.is_lost
    async with real.sessions.begin() as session:
        await second.confirm(session, done=1, total=2)
    assert await stands(real) == ("running", 2, 2, 1, 2, None)
    async with real.sessions.begin() as session:
        kinds = list(await session.scalars(text("SELECT kind FROM jobs")))
        await second.succeed(session)
    assert kinds == ["note"]
    assert await stands(real) == ("succeeded", 2, 2, 1, 2, None)


async def test_a_cancel_reaches_whoever_works_on_it_and_wins_over_another_try(
    real: Database,
) -> None:
    job = await put(real)
    lease = await take(real)
    async with real.sessions.begin() as session:
        await jobs.cancel(session, job)
        await lease.confirm(session, done=1, total=None)
    with pytest.raises(JobCancelledError):
        lease.check()
    async with real.sessions.begin() as session:
        await lease.settle(session, Settlement("queued", "conflict", "later", delay=1))
    assert (await stands(real))[0] == "cancelled"
    async with real.sessions.begin() as session:
        again = await jobs.find_job(session, job.id)
        assert again is not None
        await jobs.cancel(session, again)
        await jobs.requeue(session, again)
    assert (await stands(real))[:2] == ("queued", 0)


async def test_spent_attempts_are_dead_and_a_requeue_begins_anew(real: Database) -> None:
    job = await put(real)
    for _ in range(3):
        await take(real, seconds=0)
    async with real.sessions.begin() as session:
        assert await claim(session, ["note"], 60) is None
        await sweep(session)
    assert await stands(real) == ("dead", 3, 3, 0, None, "worker-lost")
    dead = await find(real, job)
    async with real.sessions.begin() as session:
        with pytest.raises(Conflict):
            await jobs.cancel(session, dead)
    async with real.sessions.begin() as session:
        await jobs.requeue(session, dead)
    assert (await find(real, job)).is_live
    # An owner from before stays one from before.
    assert (await take(real)).epoch == 4


async def find(database: Database, job: jobs.Job) -> jobs.Job:
    async with database.sessions() as session:
        found = await jobs.find_job(session, job.id)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [
        (None, 1, ("succeeded", None, 0.0, 0)),
        (JobCancelledError(), 1, ("cancelled", None, 0.0, 0)),
        (JobStoppedError(), 1, ("queued", None, 0.0, 1)),
        (LeaseLostError(), 1, ("queued", None, 0.0, 1)),
        (Invalid("bad", "line 1"), 1, ("dead", "bad", 0.0, 0)),
        (NotFound("gone"), 1, ("dead", "gone", 0.0, 0)),
        (Conflict("busy"), 1, ("queued", "busy", 2.0, 0)),
        (Conflict("busy"), 2, ("queued", "busy", 4.0, 0)),
        (Conflict("busy"), 3, ("dead", "busy", 0.0, 0)),
        (ValueError("secret"), 1, ("queued", "unexpected", 2.0, 0)),
        (KeyboardInterrupt(), 3, ("dead", "unexpected", 0.0, 0)),
    ],
)
async def test_every_end_of_an_attempt_has_its_settlement(
    error: BaseException | None, attempt: int, expected: tuple[object, ...]
) -> None:
    lease = Lease(id=new_id(), kind="note", payload={}, epoch=1, attempt=attempt, max_attempts=3)
    found = settlement_of(lease, error, 2.0)
    assert (found.state, found.error_type, found.delay, found.returned) == expected
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    "change",
    [
        "state = 'done'",
        "state = 'running'",
        "attempts = 4",
        "done = -1",
        "leased_until = now()",
        "finished_at = now()",
    ],
)
async def test_the_database_refuses_what_no_job_can_be(real: Database, change: str) -> None:
    await put(real)
    with pytest.raises(DBAPIError):
        async with real.sessions.begin() as session:
            await session.execute(text(f"UPDATE jobs SET {change}"))
