"""The database is away: no officer gets past the gate, and who needs no database is served."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.database import Database, create_database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, Caller, open_api
from tests.factories.templates import put_templates

pytestmark = pytest.mark.anyio

LADDER = "/v1/tiers"
OFFICES = (Role.RISK_OFFICER, Role.BUSINESS_OFFICER, Role.ACCOUNT_MANAGER, Role.COMPLIANCE)


@pytest.fixture
async def away(settings: Settings) -> AsyncIterator[Api]:
    """The application over a server that is not there."""
    nowhere = create_database("postgresql://nobody@localhost:1/none", settings)
    async with open_api(create_app(settings, nowhere), settings) as opened:
        yield opened
    await nowhere.close()


@pytest.fixture
async def api(committed: Database, settings: Settings) -> AsyncIterator[Api]:
    """The application over a database of the test's own."""
    async with committed.sessions.begin() as session:
        await put_templates(session)
    async with open_api(create_app(settings, committed), settings) as opened:
        yield opened


@pytest.mark.parametrize("role", OFFICES)
async def test_an_officer_is_told_to_come_back(away: Api, role: Role) -> None:
    for path in (LADDER, "/v1/customers/C1/tier", "/v1/unknown"):
        answer = await away.get(path, role)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
        assert answer.headers["Retry-After"] == "2"


@pytest.mark.parametrize("caller", [Caller(Role.CUSTOMER, "C1"), Caller(Role.AGENT)])
async def test_who_needs_no_database_is_answered(away: Api, caller: Caller) -> None:
    assert (await away.get(LADDER, caller)).status_code == 200
    assert (await away.get("/v1/customers/C1/tier", caller)).status_code == 503
    assert (await away.get("/metrics", Role.ADMIN)).status_code == 200


async def test_every_door_notes_who_comes(api: Api, committed: Database) -> None:
    doors = {
        LADDER: Role.RISK_OFFICER,
        "/v1/customers/C1/tier": Role.BUSINESS_OFFICER,
        "/v1/unknown": Role.COMPLIANCE,
        "/v1/customers/C2/tier": Role.AGENT,
    }
    for path, role in doors.items():
        await api.get(path, Caller(role, subject=f"came by {path}"))
    await api.get("/v1/customers/C1/tier", Caller(Role.CUSTOMER, "C1"))
    async with committed.sessions() as session:
        rows = await session.execute(text("SELECT subject, roles FROM actors"))
        noted = {(row.subject, tuple(row.roles)) for row in rows}
    assert noted == {(f"came by {path}", (role.value,)) for path, role in doors.items()}


async def test_the_short_way_is_closed_to_a_token_that_could_not_be_noted(
    api: Api, committed: Database
) -> None:
    """The token is known to be good after the first try, and still nobody is let in by it."""
    officer = Caller(Role.RISK_OFFICER)
    async with committed.sessions.begin() as session:
        await session.execute(text("ALTER TABLE actors RENAME TO actors_gone"))
    for _ in range(3):
        assert (await api.get("/v1/customers/C1/tier", officer)).status_code == 503
    async with committed.sessions.begin() as session:
        await session.execute(text("ALTER TABLE actors_gone RENAME TO actors"))
    assert (await api.get("/v1/customers/C1/tier", officer)).status_code == 404
