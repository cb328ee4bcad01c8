"""Of any day one row of a dated history tells, and the database sees to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.infra.ids import new_id

pytestmark = pytest.mark.anyio

Period = tuple[int, int | None]
"""First day, and the first day no longer; days are counted from one."""

FIRST = date(2020, 1, 1)
OPEN = 1_000
#: Of what was replaced on its first day nobody was ever told.
MAY_BE_EMPTY = {"scoring_inputs": False, "tier_assignments": True}
BOTH = pytest.mark.parametrize("table", MAY_BE_EMPTY)


def day(number: int | None) -> date | None:
    return None if number is None else FIRST + timedelta(number)


DECIDED = """
    INSERT INTO decisions (id, customer_id, as_of, cause, rule_set_id, rule_set_version,
        rule_set_hash, score, dimensions, segment, life_cycle_stage, risk_grade, tier_evaluated,
        tier_applied, outcomes, fired, reasons, facts_completeness, snapshot_cipher)
    VALUES (:id, 'C1', DATE '2020-01-01', 'api', 't', 1, repeat('a', 64), 0, '{}', 'base', 'new',
        'A', 'gold', 'gold', '{}', '{}', '[]', 1, '')
"""
VERSION = """
    INSERT INTO rule_set_versions (rule_set_id, version, product_line, document, hash, origin)
    VALUES ('t', 1, 'all', '{}', repeat('a', 64), 'loaded')
"""


@pytest.fixture
async def customer(session: AsyncSession) -> str:
    """A customer without any history."""
    await session.execute(
        text("INSERT INTO customers (customer_id, kind) VALUES ('C1', 'individual')")
    )
    return "C1"


@pytest.fixture
async def decision(session: AsyncSession, customer: str) -> UUID:
    """A decision about the customer."""
    assert customer == "C1"
    id_ = new_id()
    await session.execute(text(VERSION))
    await session.execute(text(DECIDED), {"id": id_})
    return id_


async def store(
    session: AsyncSession, table: str, decision: UUID | None, periods: Sequence[Period]
) -> None:
    """Write a customer's history and let the database judge all of it."""
    for first, last in periods:
        row: dict[str, object] = {
            "customer_id": "C1",
            "valid_from": day(first),
            "valid_to": day(last),
        }
        if table == "tier_assignments":
            row |= {"id": new_id(), "tier": "gold", "source": "evaluated", "decision_id": decision}
        names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        await session.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
    await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


async def is_taken(
    session: AsyncSession, table: str, decision: UUID | None, periods: Sequence[Period]
) -> bool:
    async with session.begin_nested() as savepoint:
        try:
            await store(session, table, decision, periods)
        except IntegrityError:
            return False
        finally:
            await savepoint.rollback()
    return True


def is_history(periods: Sequence[Period], *, may_be_empty: bool) -> bool:
    """Whether each period ends where the next begins, and the last one goes on."""
    served = sorted((first, last or OPEN) for first, last in periods if first != last)
    empty = {first for first, last in periods if first == last}
    follows = all(last == following for (_, last), (following, _) in pairwise(served))
    goes_on = not served or served[-1][1] == OPEN
    beside = empty <= {first for first, _ in served}
    return follows and goes_on and beside and (may_be_empty or not empty)


days = st.integers(0, 6)
periods_in_chains = st.lists(days, unique=True, min_size=1, max_size=6).map(
    lambda found: [*pairwise(sorted(found)), (max(found), None)]
)
any_periods = st.lists(
    days.flatmap(lambda first: st.tuples(st.just(first), st.none() | st.integers(first, 7))),
    max_size=4,
    unique=True,
)


@BOTH
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(periods=any_periods | periods_in_chains.flatmap(st.permutations))
@example(periods=[(0, 2), (1, 2), (2, None)])
@example(periods=[(0, 3), (1, 2), (3, None)])
@example(periods=[(0, 2), (2, None), (3, 4)])
@example(periods=[(0, None), (0, None)])
@example(periods=[(0, 2), (2, 2), (2, None)])
@example(periods=[(0, 2), (1, 1), (2, None)])
@example(periods=[(0, 1), (2, None)])
async def test_a_history_is_taken_exactly_if_one_period_follows_the_other(
    session: AsyncSession, decision: UUID, table: str, periods: list[Period]
) -> None:
    wanted = is_history(periods, may_be_empty=MAY_BE_EMPTY[table])
    assert await is_taken(session, table, decision, periods) == wanted


async def test_a_history_follows_a_customer_to_another_id(
    session: AsyncSession, customer: str
) -> None:
    await store(session, "scoring_inputs", None, [(0, 1), (1, 2), (2, None)])
    new = {"old": customer, "new": "C2"}
    await session.execute(
        text("UPDATE customers SET customer_id = :new WHERE customer_id = :old"), new
    )
    query = text("SELECT count(*) FROM scoring_inputs WHERE customer_id = 'C2'")
    assert await session.scalar(query) == 3
