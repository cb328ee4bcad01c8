"""Steps of one request taken at the same time: whatever wins, two keys of eligible people decide.

Everything here really commits, over a pool, as the service runs; a race is run again and again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from httpx import Response
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.features.overrides.service import Tick, keep_time
from app.infra.clock import utc_now
from app.infra.database import Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Caller, open_api
from tests.factories.customers import put_customer
from tests.factories.templates import put_templates
from tests.features.overrides.desk import (
    BEA,
    RITA,
    ROB,
    Overrides,
    problem,
)

pytestmark = pytest.mark.anyio

#: How often each race is run; each time by other requests.
ROUNDS: Final = 8
OFFICERS: Final = 50
PATIENCE_SECONDS: Final = 60
DEADLOCK: Final = "40P01"

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
    """Calls that begin together."""
    return list(await asyncio.gather(*(definite(call) for call in calls)))


def told(answer: Response) -> str:
    """The status of what was granted, the slug of what was refused."""
    return str(answer.status_code) if answer.is_success else problem(answer)[1]


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


async def one_key_left(overrides: Overrides, customer_id: str, **changed: object) -> str:
    """A request of which risk has approved and Bea has read; its id."""
    if changed.pop("new", True):
        await put_customer(overrides.api, customer_id)
    asked = await overrides.asked(customer_id, **changed)
    id_: str = asked["id"]
    assert (await overrides.approve(id_, RITA)).status_code == 201
    assert (await overrides.get(id_, BEA)).status_code == 200
    return id_


async def test_of_fifty_final_approvals_one_executes(
    overrides: Overrides, committed: Database
) -> None:
    id_ = await one_key_left(overrides, "C1")
    officers = [Caller(Role.BUSINESS_OFFICER, subject=f"b{each}") for each in range(OFFICERS)]
    for officer in officers:
        assert (await overrides.get(id_, officer)).status_code == 200
    [decided_before] = await rows(committed, "SELECT count(*) FROM decisions")
    answers = await at_once(
        *(lambda officer=officer: overrides.decide(id_, officer) for officer in officers)
    )
    assert Counter(told(answer) for answer in answers) == {
        "201": 1,
        "already-decided": OFFICERS - 1,
    }
    assert (await rows(committed, "SELECT count(*) FROM decisions")) == [(decided_before[0] + 1,)]
    assert await rows(
        committed,
        "SELECT tier, source, override_id::text FROM tier_assignments WHERE valid_to IS NULL",
    ) == [("diamond", "override", id_)]
    assert await rows(
        committed, "SELECT department, count(*) FROM override_approvals GROUP BY 1 ORDER BY 1"
    ) == [("business", 1), ("risk", 1)]
    assert await kinds(committed, id_) == {
        "override-requested": 1,
        "override-approved": 1,
        "override-activated": 1,
    }


async def test_what_serves_is_what_was_approved_whoever_edits_meanwhile(
    overrides: Overrides,
) -> None:
    seen: Counter[tuple[str, ...]] = Counter()
    for each in range(ROUNDS):
        id_ = await one_key_left(overrides, f"C{each}")
        edited, approved = await at_once(
            lambda id_=id_: overrides.put(id_, tier="gold"),
            lambda id_=id_: overrides.decide(id_, BEA),
        )
        seen[told(edited), told(approved)] += 1
        found = (await overrides.get(id_, RITA)).json()
        tier = (await overrides.tier(f"C{each}"))["tier"]
        assert (found["status"], found["tier"], tier) in {
            ("active", "diamond", "diamond"),
            ("requested", "gold", "standard"),
        }
    assert set(seen) <= {("already-decided", "201"), ("200", "read-first")}


async def test_a_request_is_withdrawn_or_approved(
    overrides: Overrides, committed: Database
) -> None:
    for each in range(ROUNDS):
        id_ = await one_key_left(overrides, f"C{each}")
        withdrawn, approved = await at_once(
            lambda id_=id_: overrides.withdraw(id_), lambda id_=id_: overrides.decide(id_, BEA)
        )
        ends = {
            ("200", "already-decided"): ("withdrawn", "standard"),
            ("already-decided", "201"): ("active", "diamond"),
        }
        status = (await overrides.get(id_, RITA)).json()["status"]
        tier = (await overrides.tier(f"C{each}"))["tier"]
        assert ends[told(withdrawn), told(approved)] == (status, tier)
        assert sum((await kinds(committed, id_)).values()) == 3


async def test_a_request_expires_or_is_approved(overrides: Overrides, committed: Database) -> None:
    for each in range(ROUNDS):
        id_ = await one_key_left(overrides, f"C{each}")
        steps, [approved] = await asyncio.gather(
            tick(overrides, committed, hours=73),
            at_once(lambda id_=id_: overrides.decide(id_, BEA)),
        )
        status = (await overrides.get(id_, RITA)).json()["status"]
        # The clock leaves alone what somebody acts in.
        assert (told(approved), steps, status) in {
            ("already-decided", 1, "expired"),
            ("201", 0, "active"),
        }


async def test_what_serves_is_revoked_or_ends(overrides: Overrides, committed: Database) -> None:
    for each in range(ROUNDS):
        await put_customer(overrides.api, f"C{each}")
        done = await overrides.activated(f"C{each}")
        steps, [revoked] = await asyncio.gather(
            tick(overrides, committed, days=31),
            at_once(lambda id_=done["id"]: overrides.revoke(id_, ROB)),
        )
        found = (await overrides.get(done["id"], RITA)).json()
        assert (told(revoked), steps, found["status"]) in {
            ("not-active", 1, "ended"),
            ("200", 0, "revoked"),
        }
        tier = await overrides.tier(f"C{each}")
        assert (tier["tier"], tier["override"]) == ("standard", None)
        open_ones = (
            "SELECT count(*) FROM tier_assignments WHERE customer_id = :id AND valid_to IS NULL"
        )
        assert await rows(committed, open_ones, id=f"C{each}") == [(1,)]
