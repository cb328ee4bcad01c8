"""Approvals at serving processes: two at once decide as one, and one that is killed leaves no half.

The processes share nothing but the database and the keys.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from httpx import Response
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.database import Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, Caller, open_api
from tests.contract.live import a_server
from tests.factories.customers import put_customer
from tests.factories.templates import put_templates
from tests.features.overrides.desk import BEA, WORD, Overrides, told
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

OFFICERS: Final = 50
#: Held up, a request must not be given up by anybody but who kills its process.
UNHURRIED: Final = {
    "TIERING_STATEMENT_TIMEOUT_SECONDS": "600",
    "TIERING_REQUEST_TIMEOUT_SECONDS": "600",
}
#: Whose execution is killed between two statements, and whose while it commits.
UNDONE, DONE = "C1", "C2"
LOCK: Final = 4713
HOLD_UP: Final = (
    f"""CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql
    SET lock_timeout = 0 AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NEW; END $$""",
    f"""CREATE TRIGGER zz_statement AFTER UPDATE ON overrides FOR EACH ROW
    WHEN (NEW.state = 'active' AND NEW.customer_id = '{UNDONE}') EXECUTE FUNCTION hold_up()""",
    f"""CREATE CONSTRAINT TRIGGER zz_commit AFTER UPDATE ON overrides
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.state = 'active' AND NEW.customer_id = '{DONE}') EXECUTE FUNCTION hold_up()""",
)
HELD_UP: Final = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    f" AND objid = {LOCK} AND database = (SELECT oid FROM pg_database"
    " WHERE datname = current_database())"
)


@pytest.fixture
async def overrides(settings: Settings, committed: Database) -> AsyncIterator[Overrides]:
    """The routes in this process."""
    async with committed.sessions.begin() as session:
        await put_templates(session)
    async with open_api(create_app(settings, committed), settings) as api:
        yield Overrides(api)


async def rows(committed: Database, sql: str) -> list[tuple[Any, ...]]:
    """What a query finds."""
    async with committed.sessions() as session:
        return [tuple(row) for row in await session.execute(text(sql))]


EVENTS: Final = "SELECT kind, count(*) FROM outbox_events GROUP BY kind ORDER BY kind"


async def test_of_fifty_final_approvals_at_two_processes_one_executes(
    overrides: Overrides,
    committed: Database,
    settings: Settings,
    fresh_database_url: str,
    tmp_path: Path,
) -> None:
    await put_customer(overrides.api, "C1")
    id_ = await overrides.half_approved("C1")
    officers = [Caller(Role.BUSINESS_OFFICER, subject=f"b{each}") for each in range(OFFICERS)]
    for officer in officers:
        assert (await overrides.get(id_, officer)).status_code == 200
    with ExitStack() as stack:
        served = [
            stack.enter_context(a_server(fresh_database_url, settings, tmp_path / name))
            for name in ("one", "two")
        ]
        async with (
            httpx.AsyncClient(base_url=served[0].base, timeout=PATIENCE_SECONDS) as one,
            httpx.AsyncClient(base_url=served[1].base, timeout=PATIENCE_SECONDS) as two,
        ):
            desks = [Overrides(Api(overrides.api.app, client, settings)) for client in (one, two)]

            async def decide(number: int) -> Response:
                """One officer's word; who is told to come back does."""
                while True:
                    answer = await desks[number % 2].decide(id_, officers[number])
                    if answer.status_code != 503:
                        return answer

            answers = await asyncio.gather(*(decide(number) for number in range(OFFICERS)))
    assert Counter(told(answer) for answer in answers) == {
        "201": 1,
        "already-decided": OFFICERS - 1,
    }
    assert await rows(committed, EVENTS) == [
        ("override-activated", 1),
        ("override-approved", 1),
        ("override-requested", 1),
    ]
    query = "SELECT tier, override_id::text FROM tier_assignments WHERE valid_to IS NULL"
    assert await rows(committed, query) == [("diamond", id_)]


WHAT_STANDS: Final = """
    SELECT o.state,
        (SELECT count(*) FROM override_approvals a WHERE a.request_id = o.request_id),
        (SELECT count(*) FROM decisions d WHERE d.customer_id = o.customer_id),
        (SELECT t.tier FROM tier_assignments t
            WHERE t.customer_id = o.customer_id AND t.valid_to IS NULL),
        (SELECT count(*) FROM outbox_events e WHERE e.customer_ids = ARRAY[o.customer_id]
            AND e.kind = 'override-activated'),
        (SELECT count(*) FROM audit_events u WHERE u.subjects = ARRAY[o.customer_id]
            AND u.outcome = 'changed' AND u.role = 'business_officer')
    FROM overrides o ORDER BY o.customer_id
"""
WAITS: Final = ("requested", 1, 1, "standard", 0, 0)
SERVES: Final = ("active", 2, 2, "diamond", 1, 1)


async def test_an_execution_whose_process_is_killed_happened_whole_or_not_at_all(
    overrides: Overrides,
    committed: Database,
    settings: Settings,
    fresh_database_url: str,
    tmp_path: Path,
) -> None:
    ids = []
    for customer in (UNDONE, DONE):
        await put_customer(overrides.api, customer)
        ids.append(await overrides.half_approved(customer))
    async with committed.sessions.begin() as session:
        for statement in HOLD_UP:
            await session.execute(text(statement))

    async def decide(desk: Overrides, id_: str) -> Response:
        """The second key, always with the same idempotency key."""
        body = {"decision": "approve", "statement": WORD}
        key = {"Idempotency-Key": f"the-key-of-{id_}"}
        return await desk.send("POST", f"/v1/overrides/{id_}/approvals", BEA, body, key)

    with a_server(fresh_database_url, settings, tmp_path / "served", UNHURRIED) as served:
        async with (
            httpx.AsyncClient(base_url=served.base, timeout=PATIENCE_SECONDS) as http,
            committed.sessions.begin() as holding,
        ):
            there = Overrides(Api(overrides.api.app, http, settings))
            await holding.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            deciding = [asyncio.create_task(decide(there, id_)) for id_ in ids]
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await holding.scalar(text(HELD_UP)) != len(deciding):
                    assert not any(one.done() for one in deciding)
            served.kill()
            for answer in await asyncio.gather(*deciding, return_exceptions=True):
                assert isinstance(answer, httpx.TransportError)
    async with asyncio.timeout(PATIENCE_SECONDS):
        # The backend of the one is still about to commit.
        while await rows(committed, WHAT_STANDS) == [WAITS, WAITS]:
            continue
    assert await rows(committed, WHAT_STANDS) == [WAITS, SERVES]
    undone, done = [await decide(overrides, id_) for id_ in ids]
    assert (told(undone), told(done)) == ("201", "201")
    assert "Idempotent-Replayed" not in undone.headers
    assert done.headers["Idempotent-Replayed"] == "true"
    assert (await rows(committed, WHAT_STANDS))[0] == SERVES
