"""What no route asks for yet; for the rest see `tests/features/scoring/test_repeated.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.domain.privacy.roles import Role
from app.infra.database import Database
from app.infra.idempotency import OnceRequired
from app.infra.routing import Router
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api

pytestmark = pytest.mark.anyio

router = Router("tests")


@router.post("/v1/things")
async def create_thing(once: OnceRequired) -> dict[str, str]:
    """A thing whose body was streamed, hence a digest of it."""
    earlier = await once.find(b"digest of what was read")
    if earlier is not None:
        return {"id": earlier.resource, **once.headers}
    await once.keep("thing-1", status=202)
    return {"id": "thing-1", "status": str(once.status)}


@pytest.fixture
async def api(settings: Settings, database: Database) -> AsyncIterator[Api]:
    """The application with such a route."""
    app = create_app(settings, database)
    app.include_router(router)
    async with open_api(app, settings) as opened:
        yield opened


async def test_where_a_key_is_required_nothing_is_done_without(api: Api) -> None:
    refused = await api.call("POST", "/v1/things", Role.AGENT)
    assert refused.status_code == 400
    assert refused.json()["type"] == "/problems/idempotency-key-required"


async def test_a_streamed_body_is_known_by_its_digest(api: Api) -> None:
    key = {"Idempotency-Key": "k"}
    first = await api.call("POST", "/v1/things", Role.AGENT, headers=key)
    assert first.json() == {"id": "thing-1", "status": "202"}
    again = await api.call("POST", "/v1/things", Role.AGENT, headers=key)
    assert again.json() == {"id": "thing-1", "Idempotent-Replayed": "true"}
