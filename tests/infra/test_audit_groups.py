"""Events of reads are committed in groups; who cannot be told that his is stored gets no answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from app.infra.audit import AuditEvent, AuditWriter, Outcome
from app.infra.cipher import MasterKey
from app.infra.database import Database, open_database
from app.infra.lanes import Connection, Lanes
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


class Forgetful:
    """Lanes over which every group is stored and the answer is lost, while they are told so."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self.is_forgetful = False

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """A connection that is cut when it has been used."""
        async with self._lanes.lend() as connection:
            yield connection
            if self.is_forgetful:
                raise ConnectionResetError

    async def close(self) -> None:
        """Nothing is held."""


async def streams(database: Database) -> dict[str, list[int]]:
    """The numbers that each stream has."""
    async with database.sessions() as session:
        rows = await session.execute(
            text("SELECT writer, array_agg(seq ORDER BY seq) FROM audit_events GROUP BY writer")
        )
        return {writer: list(numbers) for writer, numbers in rows}


async def stored(database: Database) -> list[tuple[int, list[str], str]]:
    """Number, subjects and the transaction of each event."""
    async with database.sessions() as session:
        rows = await session.execute(
            text("SELECT seq, subjects, xmin::text FROM audit_events ORDER BY at, seq")
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
    # The lost one would have been the second; no number is missing for it.
    assert list((await streams(database)).values()) == [[1], [1]]


async def test_a_group_of_which_nobody_knows_whether_it_is_stored_leaves_no_gap(
    database: Database,
) -> None:
    lanes = Forgetful(database.lanes)
    writer = AuditWriter(MasterKey(b"k" * 32), lanes)
    for lanes.is_forgetful in (False, True, False, False):
        told = await asyncio.gather(
            *(writer.commit(event()) for _ in range(2)), return_exceptions=True
        )
        expected = ProblemError if lanes.is_forgetful else type(None)
        assert [type(one) for one in told] == [expected] * 2
    assert sorted((await streams(database)).values()) == [[1, 2, 3, 4], [1, 2, 3, 4]]


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
    await writer.commit(event("read"))
    async with database.sessions() as session:
        await writer.record(session, event("undone"))
        await session.rollback()
    async with database.sessions.begin() as session:
        async with session.begin_nested() as within:
            await writer.record(session, event("undone"))
            await within.rollback()
        await writer.record(session, event("done"))
        await writer.record(session, event("done too"))
    await writer.commit(event("read after"))
    found = [subjects for _, subjects, _ in await stored(database)]
    assert found == [["read"], ["done"], ["done too"], ["read after"]]
    # What was undone took no number from a stream that goes on.
    assert sorted((await streams(database)).values()) == [[1], [1], [1, 2]]


async def test_every_process_numbers_a_stream_of_its_own(database: Database) -> None:
    writers = [AuditWriter(MasterKey(b"k" * 32), database.lanes) for _ in range(2)]
    for writer in writers * 2:
        await writer.commit(event())
    assert list((await streams(database)).values()) == [[1, 2], [1, 2]]


async def test_the_event_of_a_change_is_a_stream_of_its_own(
    database: Database, writer: AuditWriter
) -> None:
    async with database.sessions.begin() as session:
        await writer.record(session, event())
        own = await session.scalar(text("SELECT writer = id::text AND seq = 1 FROM audit_events"))
    assert own is True
