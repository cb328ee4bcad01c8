"""`If-Match` on a customer: nobody's change is overwritten unseen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.database import Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C1"
WANG: dict[str, Any] = {"kind": "individual", "name": "王伟", "phone": "13812345678"}


@pytest.fixture
async def api(settings: Settings, committed: Database) -> AsyncIterator[Api]:
    """The application over it."""
    async with open_api(create_app(settings, committed), settings) as opened:
        yield opened


async def put(api: Api, tag: str | None = None, **change: object) -> Response:
    """One PUT, conditional with a tag."""
    headers = {} if tag is None else {"If-Match": tag}
    body = WANG | change
    return await api.call("PUT", PATH, Role.INTEGRATION, headers=headers, json=body)


def is_refused(answer: Response) -> bool:
    """Whether it was refused for its condition."""
    kind = answer.json().get("type")
    return (answer.status_code, kind) == (412, "/problems/precondition-failed")


async def test_the_version_that_was_written_last_can_be_changed_and_an_older_one_not(
    api: Api,
) -> None:
    first = (await put(api)).headers["ETag"]
    changed = await put(api, first, phone="13812345679")
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first
    assert is_refused(await put(api, first, phone="13800000000"))
    current = changed.headers["ETag"]
    assert (await put(api, f'"other", {current}')).status_code == 200
    assert (await put(api, "*")).status_code == 200
    assert (await put(api)).status_code == 200


async def test_what_changes_nothing_keeps_the_version(api: Api) -> None:
    first, again = [(await put(api)).headers["ETag"] for _ in range(2)]
    assert first == again


@pytest.mark.parametrize("change", [{"name": "王芳"}, {"smoker": True}, {"consent": True}])
async def test_every_change_is_a_new_version_though_its_caller_sees_it_masked(
    api: Api, change: dict[str, object]
) -> None:
    first = (await put(api)).headers["ETag"]
    assert (await put(api, None, **change)).headers["ETag"] != first
    assert is_refused(await put(api, first))


@pytest.mark.parametrize("tag", ["", '"', "nonsense", 'W/"x"', "," * 100])
async def test_what_names_no_version_of_the_record_is_refused(api: Api, tag: str) -> None:
    assert is_refused(await put(api, tag))
    current = (await put(api)).headers["ETag"]
    assert is_refused(await put(api, tag))
    assert is_refused(await put(api, f"W/{current}"))


async def test_a_customer_that_is_not_there_is_at_no_version(api: Api, committed: Database) -> None:
    assert is_refused(await put(api, "*"))
    async with committed.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM customers")) == 0


async def test_of_two_changes_of_one_version_one_is_made(api: Api) -> None:
    first = (await put(api)).headers["ETag"]
    phones = [f"1381234000{number}" for number in range(5)]
    answers = await asyncio.gather(*(put(api, first, phone=phone) for phone in phones))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
