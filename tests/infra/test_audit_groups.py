"""Events of reads are committed in groups; who cannot be told that his is stored gets no answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from app.infra.audit import AuditEvent, AuditWriter, Outcome
from app.infra.cipher import MasterKey
from app.infra.database import Database, open_database
from app.infra.problems import ProblemError
from app.infra.settings import Settings

pytestmark = pytest.mark.anyio

MANY = 40


@pytest.fixture
async def database(fresh_database_url: str, settings: Settings) -> AsyncIterator[Database]:
    """A database in which commits are commits."""
    async with open_database(fresh_database_url, settings) as opened:
        yield opened


@pytest.fixture
async def writer(database: Database) -> AuditWriter:
    return AuditWriter(MasterKey(b"k" * 32), database.lanes)


def event(customer_id: str = "C1") -> AuditEvent:
    """A read of one customer."""
    return AuditEvent(
        actor_digest="a",
        role="agent",
        purpose=None,
        route="GET /v1/customers/{customer_id}",
        subjects=(customer_id,),
        status=200,
        outcome=Outcome.ANSWERED,
        dispositions='{"name": "partial"}',
        body_hmac=b"h",
    )


async def stored(database: Database) -> list[tuple[int, list[str], str]]:
    """Number, subjects and the transaction of each event."""
    async with database.sessions() as session:
        rows = await session.execute(
            text("SELECT seq, subjects, xmin::text FROM audit_events ORDER BY seq")
        )
        return [(seq, list(subjects), xmin) for seq, subjects, xmin in rows]


async def test_events_of_one_moment_are_one_transaction_and_each_its_own_row(
    database: Database, writer: AuditWriter
) -> None:
    await asyncio.gather(*(writer.commit(event(f"C{number}")) for number in range(MANY)))
    found = await stored(database)
    assert [(seq, subjects) for seq, subjects, _ in found] == [
        (number + 1, [f"C{number}"]) for number in range(MANY)
    ]
    assert len({xmin for _, _, xmin in found}) == 1


async def test_an_event_is_stored_when_its_commit_returns(
    database: Database, writer: AuditWriter
) -> None:
    for number in range(3):
        await writer.commit(event())
        assert len(await stored(database)) == number + 1


async def test_a_lost_connection_is_an_answer_that_is_not_given_and_no_more(
    database: Database, writer: AuditWriter
) -> None:
    await writer.commit(event("before"))
    async with database.sessions.begin() as holding:
        await holding.execute(text("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE"))
        waiting = asyncio.ensure_future(writer.commit(event("lost")))
        ended = 0
        while not ended:
            ended = await holding.scalar(
                text(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
                )
            )
        with pytest.raises(ProblemError, match="unavailable"):
            await waiting
    await writer.commit(event("after"))
    assert [subjects for _, subjects, _ in await stored(database)] == [["before"], ["after"]]


async def test_without_a_database_there_is_no_answer(settings: Settings, tmp_path: object) -> None:
    nowhere = f"postgresql://postgres@/none?host={tmp_path}"
    async with open_database(nowhere, settings) as database:
        writer = AuditWriter(MasterKey(b"k" * 32), database.lanes)
        told = await asyncio.gather(
            *(writer.commit(event()) for _ in range(3)), return_exceptions=True
        )
    assert [type(one) for one in told] == [ProblemError] * 3


async def test_a_change_and_its_event_are_one_transaction(
    database: Database, writer: AuditWriter
) -> None:
    async with database.sessions() as session:
        await writer.record(session, event("undone"))
        await session.rollback()
    async with database.sessions.begin() as session:
        await writer.record(session, event("done"))
    assert [subjects for _, subjects, _ in await stored(database)] == [["done"]]
