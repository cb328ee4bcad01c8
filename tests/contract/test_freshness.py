"""What one process changed, another one's next read shows: nothing is remembered that can age."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.features.sla.service import install_sla
from app.infra.database import Database, open_database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api
from tests.factories.templates import put_templates

pytestmark = pytest.mark.anyio

CUSTOMER = "/v1/customers/C1"


@asynccontextmanager
async def application_over(url: str, settings: Settings) -> AsyncIterator[tuple[Api, Database]]:
    """An application with connections of its own."""
    async with (
        open_database(url, settings) as database,
        open_api(create_app(settings, database), settings) as api,
    ):
        yield api, database


@pytest.fixture
async def both(
    fresh_database_url: str, settings: Settings
) -> AsyncIterator[tuple[Api, Api, Database]]:
    """Two applications over one database, in which commits are commits."""
    async with AsyncExitStack() as stack:
        first, database = await stack.enter_async_context(
            application_over(fresh_database_url, settings)
        )
        second, _ = await stack.enter_async_context(application_over(fresh_database_url, settings))
        async with database.sessions.begin() as session:
            await install_sla(session)
        yield first, second, database


async def put(api: Api, name: str) -> None:
    """Write the customer as the integration does."""
    said = {"kind": "individual", "name": name}
    answer = await api.call("PUT", CUSTOMER, Role.INTEGRATION, json=said)
    assert answer.is_success


async def test_a_profile_is_as_fresh_as_the_last_change_anywhere(
    both: tuple[Api, Api, Database],
) -> None:
    here, there, _ = both
    for name, shown in (("王小明", "王**"), ("李四", "李**"), ("欧阳锋", "欧阳**")):
        await put(here, name)
        for api in (there, here):
            assert (await api.get(CUSTOMER, Role.AGENT)).json()["name"] == shown


async def test_a_tier_is_as_fresh_as_the_last_evaluation_anywhere(
    both: tuple[Api, Api, Database],
) -> None:
    here, there, database = both
    async with database.sessions.begin() as session:
        await put_templates(session)
    await put(here, "王小明")
    assert (await there.get(f"{CUSTOMER}/tier", Role.AGENT)).status_code == 409
    created = await here.call("POST", f"{CUSTOMER}/evaluations", Role.BUSINESS_OFFICER)
    assert created.status_code == 201
    for api in (there, here):
        found = await api.get(f"{CUSTOMER}/tier", Role.AGENT)
        assert (found.status_code, found.json()["tier"]) == (200, "standard")
    async with database.sessions.begin() as session:
        await session.execute(text("UPDATE tier_assignments SET tier = 'gold'"))
    assert (await there.get(f"{CUSTOMER}/tier", Role.AGENT)).json()["tier"] == "gold"


async def test_a_promise_is_as_fresh_as_the_policy(both: tuple[Api, Api, Database]) -> None:
    _, there, database = both

    async def promised() -> int:
        found = await there.get("/v1/tiers/diamond/sla", Role.AGENT)
        entries = {entry["service_type"]: entry for entry in found.json()["entries"]}
        seconds: int = entries["service_request"]["response_seconds"]
        return seconds

    assert [await promised(), await promised()] == [4 * 3600, 4 * 3600]
    change = "UPDATE sla_entries SET response_seconds = :seconds WHERE response_seconds = :before"
    for before, seconds in ((4 * 3600, 60), (60, 4 * 3600)):
        async with database.sessions.begin() as session:
            await session.execute(text(change), {"before": before, "seconds": seconds})
        assert await promised() == seconds


async def test_all_who_ask_about_one_customer_at_once_are_answered_alike(
    both: tuple[Api, Api, Database],
) -> None:
    here, there, database = both
    await put(here, "王小明")
    await there.get(CUSTOMER, Role.AGENT)
    answers = await asyncio.gather(*(there.get(CUSTOMER, Role.AGENT) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    async with database.sessions() as session:
        counted = await session.scalar(
            text("SELECT count(*) FROM audit_events WHERE outcome = 'answered'")
        )
    assert counted == 7
