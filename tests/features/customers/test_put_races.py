"""PUTs of one customer at the same time, in real transactions."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.database import Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api
from tests.factories.customers import CORPORATE, INDIVIDUAL

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/NEW"


@pytest.fixture
async def api(settings: Settings, committed: Database) -> AsyncIterator[Api]:
    """The application over it."""
    async with open_api(create_app(settings, committed), settings) as opened:
        yield opened


async def test_of_many_first_records_of_one_customer_one_is_new(api: Api) -> None:
    bodies = [{**INDIVIDUAL, "city": f"城{number}"} for number in range(8)]
    answers = await asyncio.gather(
        *(api.call("PUT", PATH, Role.INTEGRATION, json=body) for body in bodies)
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 7}
    (new,) = [answer for answer in answers if answer.status_code == 201]
    assert new.headers["Location"] == PATH
    assert sum("Location" in answer.headers for answer in answers) == 1


async def test_a_person_and_a_company_of_one_id_are_not_both_stored(
    api: Api, committed: Database
) -> None:
    bodies = [INDIVIDUAL, CORPORATE] * 3
    answers = await asyncio.gather(
        *(api.call("PUT", PATH, Role.INTEGRATION, json=body) for body in bodies)
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 2, 409: 3}
    async with committed.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM customers")) == 1


async def test_what_is_refused_leaves_the_id_new(api: Api, committed: Database) -> None:
    refused = {**INDIVIDUAL, "birth_date": "2199-01-01"}
    answers = await asyncio.gather(
        *(
            api.call("PUT", PATH, Role.INTEGRATION, json=body)
            for body in (refused, INDIVIDUAL, refused, INDIVIDUAL)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {422: 2, 201: 1, 200: 1}
    answer = await api.call("PUT", "/v1/customers/NOBODY", Role.INTEGRATION, json=refused)
    assert answer.status_code == 422
    async with committed.sessions() as session:
        keys = await session.scalars(text("SELECT subject_id FROM subject_keys"))
        assert list(keys) == ["NEW"]
