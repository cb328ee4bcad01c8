"""Steps of one request taken at the same time: whatever wins, two keys of eligible people decide.

Everything here really commits, over a pool, as the service runs; a race is run again and again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, Final

import pytest
from httpx import Response
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.features.overrides.service import Tick, keep_time
from app.features.reevaluation.service import run
from app.infra.clock import utc_now
from app.infra.database import Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Caller, open_api
from tests.factories.customers import policy, put_customer, term, write
from tests.factories.templates import put_templates
from tests.features.overrides.desk import BEA, MIA, NOAH, RITA, ROB, Overrides, today, told

pytestmark = pytest.mark.anyio

#: How often each race is run; each time by other requests.
ROUNDS: Final = 8
OFFICERS: Final = 50
ZOE: Final = Caller(Role.ACCOUNT_MANAGER, subject="zoe")
DEADLOCK: Final = "40P01"

_TIMES = count()

Call = Callable[[], Awaitable[Response]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As many connections as the races want, and no quota."""
    return settings.model_copy(update={"pool_size": 40, "costly_rate_limit_per_minute": 0})


@pytest.fixture
async def overrides(
    settings: Settings, committed: Database, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Overrides]:
    """The routes over a pool; no race of a test may end in a deadlock or an error of ours."""
    async with committed.sessions.begin() as session:
        await put_templates(session)
    with caplog.at_level(logging.WARNING):
        async with open_api(create_app(settings, committed), settings) as api:
            yield Overrides(api)
    failed = [record for record in caplog.records if record.message == "request failed"]
    assert [record for record in failed if record.__dict__["status"] == 500] == []
    assert [record for record in failed if sqlstate(record) == DEADLOCK] == []


def sqlstate(record: logging.LogRecord) -> str | None:
    """What the database said where a request failed for it."""
    error = None if record.exc_info is None else record.exc_info[1]
    state: str | None = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state


async def definite(call: Call) -> Response:
    """An answer that is no "not now"; who is told to come back does."""
    while True:
        answer = await call()
        if answer.status_code != 503:
            return answer


async def at_once(*calls: Call) -> list[Response]:
    """Calls that begin together, every second time from the last to the first."""
    order = 1 if next(_TIMES) % 2 else -1
    begun = [asyncio.ensure_future(definite(call)) for call in calls[::order]]
    return list(await asyncio.gather(*begun[::order]))


async def tick(overrides: Overrides, committed: Database, *, hours: int = 0, days: int = 0) -> int:
    """Let the clock look, some time from now; how many steps it took."""
    state = overrides.api.app.state
    at = utc_now() + timedelta(days, hours=hours)
    return (await keep_time(Tick(committed, state.vault, state.audit, at, at.date()))).steps


async def rows(committed: Database, sql: str, **values: object) -> list[tuple[Any, ...]]:
    """What a query finds."""
    async with committed.sessions() as session:
        return [tuple(row) for row in await session.execute(text(sql), values)]


async def kinds(committed: Database, request_id: str) -> Counter[str]:
    """What was told of a request."""
    sql = "SELECT kind FROM outbox_events WHERE payload->>'request_id' = :id"
    return Counter(kind for (kind,) in await rows(committed, sql, id=request_id))


@pytest.fixture
async def customers(overrides: Overrides) -> list[str]:
    """One customer for each round."""
    ids = [f"C{each}" for each in range(ROUNDS)]
    for id_ in ids:
        await put_customer(overrides.api, id_)
    return ids


async def test_of_fifty_final_approvals_one_executes(
    overrides: Overrides, committed: Database
) -> None:
    await put_customer(overrides.api, "C1")
    id_ = await overrides.half_approved("C1")
    officers = [Caller(Role.BUSINESS_OFFICER, subject=f"b{each}") for each in range(OFFICERS)]
    for officer in officers:
        assert (await overrides.get(id_, officer)).status_code == 200
    [(decisions,)] = await rows(committed, "SELECT count(*) FROM decisions")
    answers = await at_once(*(partial(overrides.decide, id_, officer) for officer in officers))
    assert Counter(told(answer) for answer in answers) == {
        "201": 1,
        "already-decided": OFFICERS - 1,
    }
    assert await rows(committed, "SELECT count(*) FROM decisions") == [(decisions + 1,)]
    query = "SELECT tier, source, override_id::text FROM tier_assignments WHERE valid_to IS NULL"
    assert await rows(committed, query) == [("diamond", "override", id_)]
    query = "SELECT department, count(*) FROM override_approvals GROUP BY 1 ORDER BY 1"
    assert await rows(committed, query) == [("business", 1), ("risk", 1)]
    assert await kinds(committed, id_) == {
        "override-requested": 1,
        "override-approved": 1,
        "override-activated": 1,
    }


async def test_what_serves_is_what_was_approved_whoever_edits_meanwhile(
    overrides: Overrides, customers: list[str]
) -> None:
    for customer in customers:
        id_ = await overrides.half_approved(customer)
        edited, approved = await at_once(
            partial(overrides.put, id_, tier="gold"), partial(overrides.decide, id_, BEA)
        )
        found = (await overrides.get(id_, RITA)).json()
        tier = (await overrides.tier(customer))["tier"]
        ends = {
            ("already-decided", "201"): ("active", "diamond", "diamond"),
            ("200", "read-first"): ("requested", "gold", "standard"),
        }
        assert ends[told(edited), told(approved)] == (found["status"], found["tier"], tier)


async def test_a_request_is_withdrawn_or_approved(
    overrides: Overrides, committed: Database, customers: list[str]
) -> None:
    for customer in customers:
        id_ = await overrides.half_approved(customer)
        withdrawn, approved = await at_once(
            partial(overrides.withdraw, id_), partial(overrides.decide, id_, BEA)
        )
        ends = {
            ("200", "already-decided"): ("withdrawn", "standard"),
            ("already-decided", "201"): ("active", "diamond"),
        }
        status = (await overrides.get(id_, RITA)).json()["status"]
        tier = (await overrides.tier(customer))["tier"]
        assert ends[told(withdrawn), told(approved)] == (status, tier)
        assert sum((await kinds(committed, id_)).values()) == 3


async def test_a_request_expires_or_is_approved(
    overrides: Overrides, committed: Database, customers: list[str]
) -> None:
    for customer in customers:
        id_ = await overrides.half_approved(customer)
        steps, [approved] = await asyncio.gather(
            tick(overrides, committed, hours=73), at_once(partial(overrides.decide, id_, BEA))
        )
        status = (await overrides.get(id_, RITA)).json()["status"]
        # The clock leaves alone what somebody acts in.
        assert (told(approved), steps, status) in {
            ("already-decided", 1, "expired"),
            ("201", 0, "active"),
        }


async def test_what_serves_is_revoked_or_ends(
    overrides: Overrides, committed: Database, customers: list[str]
) -> None:
    for customer in customers:
        done = await overrides.activated(customer)
        steps, [revoked] = await asyncio.gather(
            tick(overrides, committed, days=31), at_once(partial(overrides.revoke, done["id"], ROB))
        )
        found = (await overrides.get(done["id"], RITA)).json()
        assert (told(revoked), steps, found["status"]) in {
            ("not-active", 1, "ended"),
            ("200", 0, "revoked"),
        }
        tier = await overrides.tier(customer)
        assert (tier["tier"], tier["override"]) == ("standard", None)
        query = "SELECT count(*) FROM tier_assignments WHERE customer_id = :id AND valid_to IS NULL"
        assert await rows(committed, query, id=customer) == [(1,)]


async def test_of_many_requests_for_one_customer_one_waits(
    overrides: Overrides, committed: Database, customers: list[str]
) -> None:
    for customer in customers:
        answers = await at_once(
            *(partial(overrides.ask, customer, asker) for asker in (MIA, NOAH, ZOE) * 2)
        )
        assert Counter(told(answer) for answer in answers) == {"201": 1, "override-pending": 5}
        query = "SELECT state FROM overrides WHERE customer_id = :id"
        assert await rows(committed, query, id=customer) == [("requested",)]


async def test_of_requests_that_share_a_customer_one_waits_and_nothing_is_left_of_the_others(
    overrides: Overrides, committed: Database, customers: list[str]
) -> None:
    for shared in customers:
        # Each names them in another order, and all lock them in the same one.
        answers = await at_once(
            partial(overrides.ask_bulk, customers, MIA),
            partial(overrides.ask_bulk, customers[::-1], NOAH),
            partial(overrides.ask, shared, ZOE),
        )
        counted = Counter(told(answer) for answer in answers)
        assert counted == {"201": 1, "override-pending": 2}
        [granted] = [answer for answer in answers if answer.is_success]
        query = "SELECT count(*) FROM overrides WHERE state = 'requested'"
        asked_for = len(granted.json()["overrides"])
        assert await rows(committed, query) == [(asked_for,)]
        asker = (MIA, NOAH, ZOE)[answers.index(granted)]
        assert (await overrides.withdraw(granted.json()["id"], asker)).status_code == 200


async def test_an_approval_and_evaluations_take_turns(
    overrides: Overrides, committed: Database, customers: list[str]
) -> None:
    for customer in customers:
        id_ = await overrides.half_approved(customer)
        answers = await at_once(
            partial(overrides.evaluate, customer),
            partial(overrides.decide, id_, BEA),
            partial(overrides.evaluate, customer, ROB),
        )
        assert [told(answer) for answer in answers] == ["201"] * 3
        tier = await overrides.tier(customer)
        assert (tier["tier"], tier["override"]["id"]) == ("diamond", id_)
        query = "SELECT count(*) FROM tier_assignments WHERE customer_id = :id AND valid_to IS NULL"
        assert await rows(committed, query, id=customer) == [(1,)]


async def test_approvals_while_the_book_is_evaluated_hold(
    overrides: Overrides,
    committed: Database,
    customers: list[str],
    settings: Settings,
    fresh_database_url: str,
) -> None:
    ids = [await overrides.half_approved(customer) for customer in customers]
    # So that the run has everybody to write.
    async with committed.sessions() as session:
        for customer in customers:
            number = f"P-{customer}"
            await write(session, policy(customer, number), term(customer, number))
    running = asyncio.create_task(run(fresh_database_url, settings, as_of=today(), apply=True))
    answers = await at_once(*(partial(overrides.decide, id_, BEA) for id_ in ids))
    await running
    assert [told(answer) for answer in answers] == ["201"] * ROUNDS
    for customer, id_ in zip(customers, ids, strict=True):
        tier = await overrides.tier(customer)
        assert (tier["tier"], tier["override"]["id"]) == ("diamond", id_)


async def test_a_bulk_execution_and_steps_in_what_it_replaces_all_come_to_an_end(
    overrides: Overrides, committed: Database, customers: list[str]
) -> None:
    served = [(await overrides.activated(customer))["id"] for customer in customers]
    asked = (await overrides.ask_bulk(customers[::-1], NOAH, tier="gold")).json()
    assert (await overrides.approve(asked["id"], RITA)).status_code == 201
    await overrides.get(asked["id"], BEA)
    *others, executed = await at_once(
        *(partial(overrides.revoke, id_, ROB) for id_ in served),
        *(partial(overrides.evaluate, customer) for customer in customers),
        partial(overrides.decide, asked["id"], BEA),
    )
    assert told(executed) == "201"
    assert {told(answer) for answer in others} <= {"200", "201", "not-active"}
    query = "SELECT request_id::text, count(*) FROM overrides WHERE state = 'active' GROUP BY 1"
    assert await rows(committed, query) == [(asked["id"], ROUNDS)]
    for customer in customers:
        assert (await overrides.tier(customer))["tier"] == "gold"
