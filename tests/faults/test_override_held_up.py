"""Two steps that meet at their worst moment, since one of them is held up there.

The first is kept waiting in the middle of its transaction, by a trigger that waits for a lock of
the test's; the second begins and has to wait for the first, or comes through; then both go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.features.reevaluation.service import run
from app.infra.database import Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Caller, open_api
from tests.factories.customers import CORPORATE, policy, put_customer, term, write
from tests.factories.templates import put_templates
from tests.features.overrides.desk import BEA, NOAH, RITA, ROB, Overrides, today, told
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

#: Whoever inserts or updates a row that is held up waits for this lock.
LOCK: Final = 4712
HOLD_UP: Final = f"""CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql
    SET lock_timeout = 0 AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NEW; END $$"""
IN_DATABASE: Final = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
HELD_UP: Final = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    f" AND objid = {LOCK} AND {IN_DATABASE}"
)
#: Waiting for a row is waiting for the transaction that holds it.
WAITING: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND wait_event IN ('transactionid', 'tuple')"
)
COMPANY: Final = {key: value for key, value in CORPORATE.items() if key != "credit_code"}

Step = Callable[[], Awaitable[Any]]


@pytest.fixture
async def overrides(
    settings: Settings, committed: Database, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Overrides]:
    """The routes over a pool; no request fails for want of the database."""
    async with committed.sessions.begin() as session:
        await put_templates(session)
        await session.execute(text(HOLD_UP))
    with caplog.at_level(logging.WARNING):
        async with open_api(create_app(settings, committed), settings) as api:
            await put_customer(api, "C1", **COMPANY)
            yield Overrides(api)
    assert [record for record in caplog.records if record.message == "request failed"] == []


@asynccontextmanager
async def held_up(committed: Database, event: str) -> AsyncIterator[None]:
    """Hold up who does something to a table until the block is left.

    Args:
        committed: the database.
        event: when, as `AFTER INSERT ON decisions`.
    """
    async with committed.sessions.begin() as session:
        await session.execute(text(f"CREATE TRIGGER zz_held_up {event} EXECUTE FUNCTION hold_up()"))
    async with committed.sessions.begin() as holding:
        await holding.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))

        yield
    async with committed.sessions.begin() as session:
        await session.execute(text(f"DROP TRIGGER zz_held_up ON {event.split()[3]}"))


async def until(committed: Database, question: str, least: int, step: asyncio.Future[Any]) -> None:
    """Wait until something is counted so often; the step must not end meanwhile."""
    async with asyncio.timeout(PATIENCE_SECONDS), committed.sessions() as looking:
        while await looking.scalar(text(question)) < least:
            assert not step.done(), step
            await looking.rollback()


async def meet(committed: Database, event: str, first: Step, second: Step) -> tuple[Any, Any]:
    """What both steps come to, where the second meets the first while it is held up."""
    async with held_up(committed, event):
        held = asyncio.ensure_future(first())
        await until(committed, HELD_UP, 1, held)
        met = asyncio.ensure_future(second())
        await until(committed, WAITING, 1, met)
    return await held, await met


async def capped(overrides: Overrides, customer_id: str) -> str:
    """A company whose tier a ceiling will replace at its next evaluation; the override's id."""
    done = await overrides.activated(customer_id, mode="ceiling", tier="gold")
    assert (await overrides.tier(customer_id))["source"] == "evaluated"
    await put_customer(overrides.api, customer_id, **CORPORATE)
    id_: str = done["id"]
    return id_


OVERRIDING: Final = (
    "BEFORE INSERT ON tier_assignments FOR EACH ROW WHEN (NEW.override_id IS NOT NULL)"
)
ACTIVATED: Final = "AFTER UPDATE ON overrides FOR EACH ROW WHEN (NEW.state = 'active')"


async def test_an_evaluation_by_an_override_meets_its_revocation(
    overrides: Overrides, committed: Database
) -> None:
    id_ = await capped(overrides, "C1")
    evaluated, revoked = await meet(
        committed,
        OVERRIDING,
        lambda: overrides.evaluate("C1"),
        lambda: overrides.revoke(id_, ROB),
    )
    assert (evaluated.status_code, revoked.status_code) == (201, 200)
    tier = await overrides.tier("C1")
    assert (tier["tier"], tier["source"], tier["override"]) == ("diamond", "evaluated", None)


async def test_a_run_over_the_book_meets_a_revocation(
    overrides: Overrides, committed: Database, settings: Settings, fresh_database_url: str
) -> None:
    id_ = await capped(overrides, "C1")
    summary, revoked = await meet(
        committed,
        OVERRIDING,
        lambda: run(fresh_database_url, settings, as_of=today(), apply=True),
        lambda: overrides.revoke(id_, ROB),
    )
    assert (summary.tally.changed, revoked.status_code) == (1, 200)
    tier = await overrides.tier("C1")
    assert (tier["tier"], tier["source"], tier["override"]) == ("diamond", "evaluated", None)


async def test_a_run_over_the_book_meets_the_execution_of_what_replaces(
    overrides: Overrides, committed: Database, settings: Settings, fresh_database_url: str
) -> None:
    await overrides.activated("C1", mode="ceiling", tier="gold")
    id_ = await overrides.half_approved("C1")
    await put_customer(overrides.api, "C1", **CORPORATE)
    summary, approved = await meet(
        committed,
        OVERRIDING,
        lambda: run(fresh_database_url, settings, as_of=today(), apply=True),
        lambda: overrides.decide(id_, BEA),
    )
    # What both officers read is true no more by what the run saw, and what served goes on.
    assert (summary.tally.changed, told(approved)) == (1, "decision-stale")
    tier = await overrides.tier("C1")
    assert (tier["tier"], tier["override"]["mode"]) == ("gold", "ceiling")


async def test_the_run_leaves_alone_whom_an_override_begins_to_serve_meanwhile(
    overrides: Overrides, committed: Database, settings: Settings, fresh_database_url: str
) -> None:
    id_ = await overrides.half_approved("C1", tier="gold")
    async with committed.sessions() as session:
        await write(session, policy("C1", "P1"), term("C1", "P1"))
    approved, summary = await meet(
        committed,
        OVERRIDING,
        lambda: overrides.decide(id_, BEA),
        lambda: run(fresh_database_url, settings, as_of=today(), apply=True),
    )
    assert (told(approved), summary.tally.overtaken) == ("201", 1)
    tier = await overrides.tier("C1")
    assert (tier["tier"], tier["override"]["id"]) == ("gold", id_)


async def test_who_becomes_account_manager_while_it_is_decided_waits_for_the_decision(
    overrides: Overrides, committed: Database
) -> None:
    id_ = await overrides.half_approved("C1")
    approved, changed = await meet(
        committed,
        ACTIVATED,
        lambda: overrides.decide(id_, BEA),
        lambda: put_customer(overrides.api, "C1", **COMPANY, account_manager="rita"),
    )
    assert (told(approved), changed) == ("201", None)


async def test_who_has_become_account_manager_by_the_time_it_is_decided_does_not_count(
    overrides: Overrides, committed: Database
) -> None:
    id_ = await overrides.half_approved("C1")
    _, approved = await meet(
        committed,
        "AFTER UPDATE ON customers FOR EACH ROW",
        lambda: put_customer(overrides.api, "C1", **COMPANY, account_manager="rita"),
        lambda: overrides.decide(id_, BEA),
    )
    assert (told(approved), approved.json()["waits_for"]) == ("201", ["risk"])


async def delegated(overrides: Overrides, *people: Caller) -> str:
    """A delegation that runs, of the first to the second; its id."""
    absent, acting = people
    # He has to have shown a token.
    await overrides.tier("C1", acting)
    body = {
        "delegate": acting.subject,
        "valid_from": today().isoformat(),
        "valid_to": (today() + timedelta(7)).isoformat(),
    }
    made = await overrides.send("POST", "/v1/override-delegations", absent, body)
    assert made.status_code == 201, made.text
    id_: str = made.json()["id"]
    return id_


async def test_a_delegation_that_was_taken_back_meanwhile_is_none(
    overrides: Overrides, committed: Database
) -> None:
    asked = await overrides.asked("C1")
    delegation_id = await delegated(overrides, RITA, ROB)
    await overrides.get(asked["id"], ROB)
    ended, approved = await meet(
        committed,
        "AFTER UPDATE ON override_delegations FOR EACH ROW",
        lambda: overrides.send("POST", f"/v1/override-delegations/{delegation_id}/end", RITA),
        lambda: overrides.decide(asked["id"], ROB, delegation_id=delegation_id),
    )
    assert (told(ended), told(approved)) == ("200", "delegation-not-running")


async def test_a_delegation_is_not_taken_back_while_it_is_acted_by(
    overrides: Overrides, committed: Database
) -> None:
    asked = await overrides.asked("C1")
    delegation_id = await delegated(overrides, RITA, ROB)
    await overrides.get(asked["id"], ROB)
    approved, ended = await meet(
        committed,
        "AFTER INSERT ON override_approvals FOR EACH ROW",
        lambda: overrides.decide(asked["id"], ROB, delegation_id=delegation_id),
        lambda: overrides.send("POST", f"/v1/override-delegations/{delegation_id}/end", RITA),
    )
    assert (told(approved), told(ended)) == ("201", "200")


async def test_a_merge_meets_the_execution_of_what_replaces(
    overrides: Overrides, committed: Database
) -> None:
    await put_customer(overrides.api, "C2", **COMPANY)
    await overrides.activated("C1", tier="gold")
    id_ = await overrides.half_approved("C1")
    merge = {"into": "C2"}
    async with committed.sessions.begin() as holding:
        await holding.execute(
            text("SELECT FROM override_requests WHERE id = :id FOR UPDATE"), {"id": id_}
        )
        approving = asyncio.ensure_future(overrides.decide(id_, BEA))
        await until(committed, WAITING, 1, approving)
        merging = asyncio.ensure_future(
            overrides.send("POST", "/v1/customers/C1/merge", Caller(Role.INTEGRATION), merge)
        )
        await until(committed, WAITING, 2, merging)
    assert (told(await approving), told(await merging)) == ("201", "200")
    async with committed.sessions() as session:
        found = await session.execute(
            text("SELECT state, closed_because FROM overrides ORDER BY id")
        )
        assert [tuple(row) for row in found] == [("ended", "superseded"), ("ended", "merge")]


async def test_who_may_not_know_of_a_request_waits_for_nobody_in_it(
    overrides: Overrides, committed: Database
) -> None:
    asked = await overrides.asked("C1")
    async with committed.sessions.begin() as holding:
        await holding.execute(text("SELECT FROM override_requests FOR UPDATE"))
        assert told(await overrides.put(asked["id"], NOAH)) == "not-found"


async def test_a_run_over_the_book_meets_a_merge(
    overrides: Overrides, committed: Database, settings: Settings, fresh_database_url: str
) -> None:
    await put_customer(overrides.api, "C2", **COMPANY)
    for customer in ("C1", "C2"):
        await overrides.evaluate(customer)
    await put_customer(overrides.api, "C1", **CORPORATE)
    summary, merged = await meet(
        committed,
        "BEFORE INSERT ON decisions FOR EACH ROW",
        lambda: run(fresh_database_url, settings, as_of=today(), apply=True),
        lambda: overrides.send(
            "POST", "/v1/customers/C1/merge", Caller(Role.INTEGRATION), {"into": "C2"}
        ),
    )
    assert (summary.tally.changed, told(merged)) == (1, "200")
