"""SIGKILL while requests are under way: sent again with its key, each has its effect once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.database import Database, open_database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, Caller, open_api
from tests.contract.live import a_server
from tests.factories.book import AS_OF, write_book
from tests.factories.templates import put_templates
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

#: Held up, a request must not be given up by anybody but who kills its process.
UNHURRIED: Final = {
    "TIERING_STATEMENT_TIMEOUT_SECONDS": "600",
    "TIERING_REQUEST_TIMEOUT_SECONDS": "600",
}
OFFICER: Final = Caller(Role.RISK_OFFICER, subject="officer-1")
BODY: Final = {"as_of": AS_OF.isoformat()}
#: Whose request is killed before its commit, and whose while it commits.
UNDONE, DONE = "C00000007", "C00000008"
#: Whoever holds this lock keeps the one in his last statement and the other in his commit.
LOCK: Final = 4711
HOLD_UP: Final = (
    f"""CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql
    SET lock_timeout = 0 AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NEW; END $$""",
    f"""CREATE TRIGGER statement BEFORE INSERT ON audit_events FOR EACH ROW
    WHEN (NEW.subjects = ARRAY['{UNDONE}']) EXECUTE FUNCTION hold_up()""",
    f"""CREATE CONSTRAINT TRIGGER commit AFTER INSERT ON audit_events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.subjects = ARRAY['{DONE}']) EXECUTE FUNCTION hold_up()""",
)
HELD_UP: Final = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    f" AND objid = {LOCK} AND database = (SELECT oid FROM pg_database"
    " WHERE datname = current_database())"
)


@pytest.fixture
async def database(fresh_database_url: str, settings: Settings) -> AsyncIterator[Database]:
    """A small book with the templates in force."""
    async with open_database(fresh_database_url, settings) as opened:
        async with opened.sessions.begin() as session:
            await write_book(session, 10)
            await put_templates(session)
            for statement in HOLD_UP:
                await session.execute(text(statement))
        yield opened


@pytest.fixture
async def api(database: Database, settings: Settings) -> AsyncIterator[Api]:
    """The application in this process, which takes over."""
    async with open_api(create_app(settings, database), settings) as opened:
        yield opened


async def evaluate(api: Api, client: httpx.AsyncClient, customer_id: str) -> httpx.Response:
    """Evaluate a customer, always with the same key."""
    return await client.post(
        f"/v1/customers/{customer_id}/evaluations",
        json=BODY,
        headers={
            "Authorization": f"Bearer {api.token(OFFICER)}",
            "Idempotency-Key": f"the-key-of-{customer_id}",
        },
    )


async def test_a_request_whose_process_is_killed_has_its_effect_once(
    api: Api, database: Database, settings: Settings, fresh_database_url: str, tmp_path: Path
) -> None:
    with a_server(fresh_database_url, settings, tmp_path / "served", UNHURRIED) as served:
        async with (
            httpx.AsyncClient(base_url=served.base, timeout=PATIENCE_SECONDS) as http,
            database.sessions.begin() as holding,
        ):
            await holding.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            requests = [
                asyncio.create_task(evaluate(api, http, customer)) for customer in (UNDONE, DONE)
            ]
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await holding.scalar(text(HELD_UP)) != len(requests):
                    assert not any(request.done() for request in requests)
            served.kill()
            for told in await asyncio.gather(*requests, return_exceptions=True):
                assert isinstance(told, httpx.TransportError)
    undone, done = [await evaluate(api, api.client, customer) for customer in (UNDONE, DONE)]
    assert (undone.status_code, done.status_code) == (201, 201)
    # The one had not happened, the other had and nobody was told.
    assert "Idempotent-Replayed" not in undone.headers
    assert done.headers["Idempotent-Replayed"] == "true"
    for customer in (UNDONE, DONE):
        again = await evaluate(api, api.client, customer)
        assert again.headers["Idempotent-Replayed"] == "true"
    query = (
        "SELECT d.customer_id, count(*), (SELECT count(*) FROM audit_events a WHERE"
        " a.outcome = 'changed' AND a.subjects = ARRAY[d.customer_id])"
        " FROM decisions d GROUP BY d.customer_id ORDER BY d.customer_id"
    )
    async with database.sessions() as session:
        found = await session.execute(text(query))
        assert [tuple(row) for row in found] == [(UNDONE, 1, 1), (DONE, 1, 1)]
