"""What one process changed, another one's next read shows: nothing is remembered that can age.

`here` is the application in this process, `there` another process that serves the same database: a
module that remembered something would remember it for both if they were one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.database import Database, open_database
from app.main import create_app
from tests.api import Api, open_api
from tests.contract.conftest import Elsewhere

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(elsewhere: Elsewhere) -> AsyncIterator[Database]:
    """The database of both, in which commits are commits."""
    async with open_database(elsewhere.url, elsewhere.settings) as opened:
        yield opened


@pytest.fixture
async def both(elsewhere: Elsewhere, database: Database) -> AsyncIterator[tuple[Api, Api]]:
    """Clients of this process's application, and of the other process."""
    app = create_app(elsewhere.settings, database)
    async with (
        open_api(app, elsewhere.settings) as here,
        AsyncClient(base_url=elsewhere.served.base) as client,
    ):
        yield here, Api(app, client, elsewhere.settings)


async def put(api: Api, path: str, name: str) -> None:
    """Write the customer as the integration does."""
    said = {"kind": "individual", "name": name}
    answer = await api.call("PUT", path, Role.INTEGRATION, json=said)
    assert answer.is_success, answer.text


async def test_a_profile_is_as_fresh_as_the_last_change_anywhere(both: tuple[Api, Api]) -> None:
    here, there = both
    path = "/v1/customers/FRESH-1"
    for changed_by, name, shown in (
        (here, "王小明", "王**"),
        (there, "李四", "李**"),
        (here, "欧阳锋", "欧阳**"),
        (here, "张三", "张**"),
    ):
        await put(changed_by, path, name)
        for api in (there, here):
            assert (await api.get(path, Role.AGENT)).json()["name"] == shown


async def test_a_tier_is_as_fresh_as_the_last_evaluation_anywhere(
    both: tuple[Api, Api], database: Database
) -> None:
    here, there = both
    path = "/v1/customers/FRESH-2"
    await put(here, path, "王小明")
    assert (await there.get(f"{path}/tier", Role.AGENT)).status_code == 409
    created = await here.call("POST", f"{path}/evaluations", Role.BUSINESS_OFFICER)
    assert created.status_code == 201
    for api in (there, here):
        found = await api.get(f"{path}/tier", Role.AGENT)
        assert (found.status_code, found.json()["tier"]) == (200, "standard")
    change = "UPDATE tier_assignments SET tier = 'gold' WHERE customer_id = 'FRESH-2'"
    async with database.sessions.begin() as session:
        await session.execute(text(change))
    for api in (there, here):
        assert (await api.get(f"{path}/tier", Role.AGENT)).json()["tier"] == "gold"


async def test_a_promise_is_as_fresh_as_the_policy(
    both: tuple[Api, Api], database: Database
) -> None:
    async def promised(api: Api) -> int:
        found = await api.get("/v1/tiers/diamond/sla", Role.AGENT)
        entries = {entry["service_type"]: entry for entry in found.json()["entries"]}
        seconds: int = entries["service_request"]["response_seconds"]
        return seconds

    assert [await promised(api) for api in both * 2] == [4 * 3600] * 4
    change = "UPDATE sla_entries SET response_seconds = :seconds WHERE response_seconds = :before"
    for before, seconds in ((4 * 3600, 61), (61, 4 * 3600)):
        async with database.sessions.begin() as session:
            await session.execute(text(change), {"before": before, "seconds": seconds})
        assert [await promised(api) for api in both] == [seconds] * 2


async def test_all_who_ask_about_one_customer_at_once_are_answered_alike(
    both: tuple[Api, Api], database: Database
) -> None:
    here, there = both
    path = "/v1/customers/FRESH-3"
    await put(here, path, "王小明")
    await there.get(path, Role.AGENT)
    answers = await asyncio.gather(*(there.get(path, Role.AGENT) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    query = "SELECT count(*) FROM audit_events WHERE outcome = 'answered' AND subjects = :subjects"
    async with database.sessions() as session:
        assert await session.scalar(text(query), {"subjects": ["FRESH-3"]}) == 7
