"""The register of actors: the newest token says which roles somebody has, whatever the order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import reduce

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.actors import ActorRegister
from app.infra.auth.verified import RegisterUnavailableError, VerifiedToken
from app.infra.database import AsyncSession, Database
from app.infra.lanes import Connection, Lanes
from app.infra.people import find_people, find_people_by_subject

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ISSUER = "https://issuer.example"
RISK, BUSINESS, AGENT, CUSTOMER = (
    Role.RISK_OFFICER,
    Role.BUSINESS_OFFICER,
    Role.AGENT,
    Role.CUSTOMER,
)


def token(*roles: Role, at: int = 0, subject: str = "ann") -> VerifiedToken:
    """A good token, issued that many seconds after noon."""
    issued_at = NOON + timedelta(seconds=at)
    customer_id = subject if CUSTOMER in roles else None
    return VerifiedToken(
        ISSUER, subject, frozenset(roles), customer_id, issued_at, issued_at + timedelta(hours=1)
    )


def digest(issuer: str, subject: str) -> str:
    """What stands for a person in these tests."""
    return f"{issuer}|{subject}"


def register(lanes: Lanes, most: int = 100) -> ActorRegister:
    """The register of a process that has just begun."""
    return ActorRegister(lanes, digest, most)


async def _roles(session: AsyncSession, subject: str = "ann") -> set[str] | None:
    found = await find_people_by_subject(session, ISSUER, [subject])
    return set(found[subject].roles) if subject in found else None


class Away:
    """Lanes to a database that is not there, until it is."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self.is_away = True
        self.asked = 0

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """A connection, or none."""
        self.asked += 1
        if self.is_away:
            raise ConnectionRefusedError
        async with self._lanes.lend() as connection:
            yield connection

    async def close(self) -> None:
        """Nothing is held."""


async def test_a_person_is_found_with_the_roles_of_his_token(
    database: Database, session: AsyncSession
) -> None:
    noting = register(database.lanes)
    assert not noting.has_noted(token(RISK))
    await noting.note(token(RISK))
    assert noting.has_noted(token(RISK))
    person = (await find_people(session, [digest(ISSUER, "ann"), "unknown"]))[digest(ISSUER, "ann")]
    assert (person.subject, person.department) == ("ann", "risk")
    assert set(person.roles) == {"risk_officer"}
    assert await find_people(session, []) == {}
    assert await find_people_by_subject(session, ISSUER, []) == {}
    assert await find_people_by_subject(session, "another", ["ann"]) == {}


async def test_the_newest_token_wins_and_an_older_one_says_nothing(
    database: Database, session: AsyncSession
) -> None:
    noting = register(database.lanes)
    await noting.note(token(RISK, BUSINESS, at=1))
    await noting.note(token(RISK, at=0))
    assert await _roles(session) == {"risk_officer", "business_officer"}
    await noting.note(token(RISK, at=2))
    assert await _roles(session) == {"risk_officer"}


async def test_who_lost_his_office_is_known_by_any_newer_token(
    database: Database, session: AsyncSession
) -> None:
    for role in (AGENT, CUSTOMER):
        noting = register(database.lanes)
        await noting.note(token(RISK, subject=role))
        await noting.note(token(role, at=1, subject=role))
        await noting.note(token(RISK, subject=role))
        assert await _roles(session, role) == {role}


async def test_an_office_that_was_lost_before_anybody_saw_it_is_lost(
    database: Database, session: AsyncSession
) -> None:
    await register(database.lanes).note(token(AGENT, at=1))
    await register(database.lanes).note(token(RISK, at=0))
    assert await _roles(session) == {"agent"}


async def test_a_customer_makes_no_row(database: Database, session: AsyncSession) -> None:
    noting = register(database.lanes)
    await noting.note(token(CUSTOMER, subject="C1"))
    assert noting.has_noted(token(CUSTOMER, subject="C1"))
    assert await _roles(session, "C1") is None


@pytest.mark.parametrize("turn", [1, -1])
async def test_of_two_tokens_of_one_second_both_count(
    database: Database, session: AsyncSession, turn: int
) -> None:
    noting = register(database.lanes)
    for role in (RISK, BUSINESS)[::turn]:
        await noting.note(token(role))
    assert await _roles(session) == {"risk_officer", "business_officer"}


_ROLES = st.frozensets(st.sampled_from([RISK, BUSINESS, AGENT, Role.ACCOUNT_MANAGER]), min_size=1)
_TOKENS = st.lists(st.tuples(_ROLES, st.integers(0, 3)), min_size=1, max_size=8)


def expected(told: Sequence[tuple[frozenset[Role], int]]) -> frozenset[str]:
    """All roles of the newest second."""
    newest = max(at for _, at in told)
    return reduce(frozenset.union, (roles for roles, at in told if at == newest), frozenset())


async def test_whatever_the_order_and_the_process_the_newest_counts(
    committed: Database,
) -> None:
    loop = asyncio.get_running_loop()
    people = iter(range(10_000))

    async def story(told: list[tuple[frozenset[Role], int]], *, at_once: bool) -> set[str]:
        subject = f"person-{next(people)}"
        processes = [register(committed.lanes) for _ in range(2)]
        notes = [
            processes[place % 2].note(token(*roles, at=at, subject=subject))
            for place, (roles, at) in enumerate(told)
        ]
        if at_once:
            await asyncio.gather(*notes)
        else:
            for note in notes:
                await note
        async with committed.sessions() as session:
            return await _roles(session, subject) or set()

    @settings(max_examples=60, deadline=None)
    @given(told=_TOKENS, at_once=st.booleans())
    def law(*, told: list[tuple[frozenset[Role], int]], at_once: bool) -> None:
        future = asyncio.run_coroutine_threadsafe(story(told, at_once=at_once), loop)
        assert future.result(30) == expected(told)

    await asyncio.to_thread(law)


async def test_two_processes_that_note_the_same_people_do_not_wait_for_each_other(
    committed: Database,
) -> None:
    people = [f"person-{number}" for number in range(40)]
    processes = [register(committed.lanes) for _ in range(2)]
    for second in range(5):
        await asyncio.gather(
            *(
                process.note(token(RISK, at=second, subject=subject))
                for process, order in zip(processes, (people, people[::-1]), strict=True)
                for subject in order
            )
        )
    async with committed.sessions() as session:
        counted = await session.scalar(
            text("SELECT count(*) FROM actors WHERE issued_at = :at"),
            {"at": NOON + timedelta(seconds=4)},
        )
    assert counted == len(people)


async def test_a_process_that_begins_anew_finds_what_was_noted(committed: Database) -> None:
    await register(committed.lanes).note(token(RISK, at=5))
    begun = register(committed.lanes)
    assert not begun.has_noted(token(RISK, at=5))
    await begun.note(token(RISK, BUSINESS, at=4))
    async with committed.sessions() as session:
        assert await _roles(session) == {"risk_officer"}


async def test_a_token_that_is_noted_is_not_written_again(committed: Database) -> None:
    await register(committed.lanes).note(token(RISK))
    async with committed.sessions() as session:
        before = await session.scalar(text("SELECT xmin::text FROM actors"))
        version = await session.scalar(text("SELECT ctid::text FROM actors"))
    await register(committed.lanes).note(token(RISK))
    async with committed.sessions() as session:
        assert await session.scalar(text("SELECT ctid::text FROM actors")) == version
        assert await session.scalar(text("SELECT xmin::text FROM actors")) == before


async def test_without_the_database_an_officer_waits_and_a_customer_goes_on(
    database: Database, session: AsyncSession
) -> None:
    lanes = Away(database.lanes)
    noting = register(lanes)
    for role in (RISK, BUSINESS, Role.ACCOUNT_MANAGER, Role.COMPLIANCE):
        with pytest.raises(RegisterUnavailableError):
            await noting.note(token(AGENT, role))
    for role in (CUSTOMER, AGENT, Role.ADMIN):
        await noting.note(token(role))
        assert not noting.has_noted(token(role))
    assert lanes.asked == 7
    lanes.is_away = False
    await noting.note(token(RISK))
    assert await _roles(session) == {"risk_officer"}


async def test_a_flood_of_tokens_is_noted_in_bounds(committed: Database) -> None:
    noting = register(committed.lanes, most=10)
    flood = [token(CUSTOMER, subject=f"C{number}") for number in range(300)]
    await noting.note(token(RISK))
    await asyncio.gather(*(noting.note(one) for one in flood))
    assert len(noting) == 10
    assert not noting.has_noted(token(RISK))
    async with committed.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM actors")) == 1


async def test_what_is_in_use_is_kept(database: Database) -> None:
    noting = register(database.lanes, most=2)
    await noting.note(token(RISK))
    await noting.note(token(AGENT, subject="bob"))
    assert noting.has_noted(token(RISK))
    await noting.note(token(AGENT, subject="cid"))
    assert noting.has_noted(token(RISK))
    assert not noting.has_noted(token(AGENT, subject="bob"))


async def test_nobody_sets_a_newer_token_back(committed: Database) -> None:
    await register(committed.lanes).note(token(RISK, at=1))
    async with committed.lanes.lend() as connection:
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await connection.execute("UPDATE actors SET issued_at = $1", NOON)
    assert refused.value.constraint_name == "ck_actors_newest"
