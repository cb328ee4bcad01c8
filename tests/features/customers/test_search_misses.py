"""Who searches for numbers that are nobody's is stopped, in whatever role and process."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

import pytest
from dirty_equals import IsStr
from httpx import Response
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.features.customers.service import MissesExhaustedError, Searcher, search_customers
from app.infra.clock import utc_now
from app.infra.database import AsyncSession, Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, Caller, open_api
from tests.factories.customers import put_customer

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/search"
PURPOSE = {"X-Purpose": "customer_service"}
PHONE = "13900001111"
ME = Caller(Role.AGENT, subject="me")
EXHAUSTED = (429, "/problems/misses-exhausted")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Few misses."""
    return settings.model_copy(update={"search_misses_per_hour": 3, "search_misses_per_day": 5})


@pytest.fixture(autouse=True)
async def customers(api: Api) -> None:
    """One customer."""
    await put_customer(api, "C1", phone=PHONE)


async def search(api: Api, phone: str, caller: Caller = ME) -> Response:
    """One search."""
    return await api.call("POST", PATH, caller, headers=PURPOSE, json={"phone": phone})


async def miss(api: Api, times: int, caller: Caller = ME) -> None:
    """Searches that find nobody."""
    for number in range(times):
        answer = await search(api, f"1380000{number:04}", caller)
        assert (answer.status_code, answer.json()) == (200, {"items": []})


async def is_refused(api: Api, caller: Caller = ME) -> bool:
    """Whether not even somebody's number is searched for."""
    answer = await search(api, PHONE, caller)
    if answer.status_code == 200:
        return False
    assert (answer.status_code, answer.json()["type"]) == EXHAUSTED
    return True


async def age(session: AsyncSession, by: timedelta) -> None:
    """Let time pass for the searches that are counted."""
    older = text("UPDATE search_attempts SET attempted_at = attempted_at - CAST(:by AS interval)")
    await session.execute(older, {"by": by})
    await session.commit()


async def test_after_so_many_misses_in_an_hour_nothing_is_searched_for(
    api: Api, session: AsyncSession
) -> None:
    await miss(api, 3)
    answers = [await search(api, phone) for phone in (PHONE, "13800009999")]
    for answer in answers:
        assert (answer.status_code, answer.json()) == (
            429,
            {
                "type": "/problems/misses-exhausted",
                "title": "Too many searches found nobody",
                "status": 429,
                "detail": IsStr(),
                "request_id": IsStr(),
            },
        )
        assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    # Nobody else has to pay for it, and an hour later it goes on.
    assert not await is_refused(api, Caller(Role.AGENT, subject="other"))
    await age(session, timedelta(hours=1))
    assert not await is_refused(api)


async def test_hits_are_not_counted_and_leave_one_row_at_most(
    api: Api, session: AsyncSession
) -> None:
    await miss(api, 2)
    for _ in range(6):
        assert not await is_refused(api)
    count = text("SELECT count(*) FILTER (WHERE is_miss), count(*) FROM search_attempts")
    assert tuple((await session.execute(count)).one()) == (2, 3)
    await miss(api, 1)
    assert await is_refused(api)


async def test_a_day_has_a_limit_of_its_own_which_is_told(api: Api, session: AsyncSession) -> None:
    await miss(api, 3)
    await age(session, timedelta(hours=2))
    await miss(api, 2)
    answer = await search(api, PHONE)
    assert (answer.status_code, answer.json()["type"]) == EXHAUSTED
    hours = int(answer.headers["Retry-After"]) / 3600
    assert 21.9 < hours <= 22
    await age(session, timedelta(hours=22))
    assert not await is_refused(api)
    # What counts no longer is gone.
    assert await session.scalar(text("SELECT count(*) FROM search_attempts WHERE is_miss")) == 2


async def test_another_role_is_no_other_actor(api: Api) -> None:
    await miss(api, 2)
    await miss(api, 1, Caller(Role.COMPLIANCE, subject="me"))
    for role in (Role.AGENT, Role.RISK_OFFICER, Role.ACCOUNT_MANAGER):
        assert await is_refused(api, Caller(role, subject="me"))


async def test_another_process_knows_of_it(
    api: Api, database: Database, settings: Settings
) -> None:
    await miss(api, 3)
    async with open_api(create_app(settings, database), settings) as other:
        assert await is_refused(other)


async def test_zero_lifts_a_limit(database: Database, settings: Settings) -> None:
    by_day = settings.model_copy(update={"search_misses_per_hour": 0})
    async with open_api(create_app(by_day, database), by_day) as api:
        await miss(api, 5)
        assert await is_refused(api)
    without = by_day.model_copy(update={"search_misses_per_day": 0})
    async with open_api(create_app(without, database), without) as api:
        await miss(api, 3)


async def test_what_is_no_search_is_no_miss(api: Api, session: AsyncSession) -> None:
    for body in ({}, {"phone": ""}, {"phone": "1", "id_no": "2"}):
        answer = await api.call("POST", PATH, ME, headers=PURPOSE, json=body)
        assert answer.status_code == 422
    assert (await api.call("POST", PATH, ME, json={"phone": "1"})).status_code == 403
    assert await session.scalar(text("SELECT count(*) FROM search_attempts")) == 0


async def test_who_is_refused_is_in_the_audit_and_numbers_are_nowhere(
    api: Api, session: AsyncSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    before = await session.scalar(text("SELECT count(*) FROM audit_events"))
    said = "13712340000"
    for _ in range(4):
        await search(api, said)
    query = text("SELECT * FROM audit_events ORDER BY at, seq OFFSET :before")
    events = [dict(row) for row in (await session.execute(query, {"before": before})).mappings()]
    assert [(event["status"], event["outcome"], event["subjects"]) for event in events] == [
        *[(200, "answered", [])] * 3,
        (429, "denied", []),
    ]
    stored = (await session.execute(text("SELECT * FROM search_attempts"))).all()
    assert len(stored) == 3
    assert said not in str(events) + str(stored) + caplog.text


class TestRaces:
    """Searches at the same time, in real transactions."""

    async def test_of_fifty_at_once_as_many_find_nobody_as_may(
        self, committed: Database, api: Api
    ) -> None:
        vault = api.app.state.vault

        async def attempt(now: datetime) -> bool:
            async with committed.sessions.begin() as session:
                found = await search_customers(
                    session,
                    phone="13800000000",
                    id_no=None,
                    searcher=Searcher("me", now, now.date(), 3, 5),
                    vault=vault,
                )
            return bool(found)

        now = utc_now()
        # A few connections are all there are, and each waits with one for the others.
        gate = asyncio.Semaphore(8)

        async def take_turns(number: int) -> bool:
            async with gate:
                return await attempt(now + timedelta(milliseconds=number % 7))

        outcomes = await asyncio.gather(*map(take_turns, range(50)), return_exceptions=True)
        assert [found for found in outcomes if found is False] == [False] * 3
        refused = [found for found in outcomes if isinstance(found, MissesExhaustedError)]
        assert len(refused) == 47
        assert all(timedelta(0) < found.retry_after <= timedelta(hours=1) for found in refused)
        async with committed.sessions() as session:
            assert await session.scalar(text("SELECT count(*) FROM search_attempts")) == 3

    async def test_who_waits_as_long_as_he_is_told_may_search_again(
        self, committed: Database, api: Api
    ) -> None:
        vault, start = api.app.state.vault, utc_now()

        async def attempt(now: datetime) -> timedelta | None:
            async with committed.sessions.begin() as session:
                try:
                    await search_customers(
                        session,
                        phone="1",
                        id_no=None,
                        searcher=Searcher("me", now, now.date(), 2, 3),
                        vault=vault,
                    )
                except MissesExhaustedError as refused:
                    return refused.retry_after
            return None

        now = start
        waits: list[timedelta] = []
        for _ in range(8):
            now += timedelta(minutes=1)
            wait = await attempt(now)
            if wait is not None:
                waits.append(wait)
                assert await attempt(now + wait - timedelta(seconds=1)) is not None
                now += wait
                assert await attempt(now) is None
        minutes = [round(wait / timedelta(minutes=1)) for wait in waits]
        assert minutes[:2] == [58, 24 * 60 - 61]
