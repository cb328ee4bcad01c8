"""All connections are lent: who needs one is told to come back, and who needs none is served."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.domain.privacy.roles import Role
from app.infra.database import Database, create_database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api
from tests.factories.templates import put_templates

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C1"


@pytest.fixture
async def database(fresh_database_url: str, settings: Settings) -> AsyncIterator[Database]:
    """A pool of one connection."""
    one = settings.model_copy(update={"pool_size": 1})
    opened = create_database(fresh_database_url, one)
    async with opened.sessions.begin() as session:
        await put_templates(session)
    yield opened
    await opened.close()


@pytest.fixture
async def api(database: Database, settings: Settings) -> AsyncIterator[Api]:
    """The application over that pool."""
    async with open_api(create_app(settings, database), settings) as opened:
        yield opened


async def test_who_gets_no_connection_is_told_when_to_come_back(
    api: Api, database: Database
) -> None:
    said = {"kind": "individual", "name": "王小明"}
    async with database.engine.connect():
        refused = await api.call("PUT", PATH, Role.INTEGRATION, json=said)
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
    assert refused.headers["Retry-After"] == "2"
    assert "王小明" not in refused.text
    accepted = await api.call("PUT", PATH, Role.INTEGRATION, json=said)
    assert accepted.status_code == 201
    # Hot reads and their audit have connections of their own, once a token is known.
    assert (await api.get(PATH, Role.AGENT)).status_code == 200
    async with database.engine.connect():
        assert (await api.get(PATH, Role.AGENT)).status_code == 200
