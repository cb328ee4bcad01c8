"""`GET /v1/customers/{id}/tier-history`: every tier with the days it served on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from dirty_equals import IsStr

from app.domain.privacy.roles import Role
from app.infra.clock import business_day, utc_now
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.customers import put_customer
from tests.factories.tiers import Stand, write_stand
from tests.features.stock import stocked

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C1/tier-history"
SELF = Caller(Role.CUSTOMER, "C1")
DAYS = [date(2020, month, 1) for month in (1, 2, 3, 4, 5)]
TIERS = ["standard", "gold", "diamond", "gold", "standard"]
#: A customer who moved on the first of each month.
HISTORY = [
    Stand("C1", tier=tier, tier_evaluated=tier, since=day, evaluated_on=day)
    for tier, day in zip(TIERS, DAYS, strict=True)
]


async def _customers(api: Api, session: AsyncSession) -> None:
    """The one who moved, and one without a tier."""
    await put_customer(api, "C1")
    await put_customer(api, "C2")
    for stand in HISTORY:
        await write_stand(session, stand)


@pytest.fixture(scope="module")
def stock(server_url: str, keys: Path) -> Iterator[str]:
    """A database with these customers."""
    with stocked(server_url, keys, _customers) as url:
        yield url


async def page(api: Api, query: str = "", caller: Caller | Role = Role.AGENT) -> dict[str, Any]:
    """One page."""
    answer = await api.get(PATH + query, caller)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_nobody_learns_a_history_without_a_token_a_role_or_being_the_customer(
    api: Api,
) -> None:
    assert (await api.get(PATH)).status_code == 401
    assert (await api.get(PATH, Role.ADMIN)).status_code == 403
    assert (await api.get(PATH, Caller(Role.CUSTOMER, "C2"))).status_code == 404
    assert (await api.get("/v1/customers/C3/tier-history", Role.AGENT)).status_code == 404


async def test_the_history_tells_each_tier_and_its_days_the_newest_first(api: Api) -> None:
    body = await page(api, caller=SELF)
    assert body == {
        "meta": {"masked": []},
        "customer_id": "C1",
        "items": [
            {
                "tier": tier,
                "display_name": {"en": IsStr(), "zh": IsStr()},
                "source": "evaluated",
                "valid_from": f"2020-0{month}-01",
                "valid_to": None if month == 5 else f"2020-0{month + 1}-01",
                "decision_id": str(HISTORY[month - 1].decision_id),
                "override_id": None,
            }
            for month, tier in zip((5, 4, 3, 2, 1), reversed(TIERS), strict=True)
        ],
        "next_cursor": None,
    }


async def test_a_customer_without_a_tier_has_an_empty_history(api: Api) -> None:
    answer = await api.get("/v1/customers/C2/tier-history", Role.AGENT)
    assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 200])
async def test_pages_joined_are_the_whole_history(api: Api, limit: int) -> None:
    whole = (await page(api))["items"]
    found: list[Any] = []
    cursor = None
    pages = 0
    while pages == 0 or cursor is not None:
        query = f"?limit={limit}" + ("" if cursor is None else f"&cursor={cursor}")
        body = await page(api, query)
        found += body["items"]
        cursor = body["next_cursor"]
        pages += 1
    assert found == whole
    assert pages == -(-len(whole) // limit)


async def test_nobody_goes_on_with_anothers_cursor(api: Api) -> None:
    cursor = (await page(api, "?limit=1"))["next_cursor"]
    for caller in (Role.COMPLIANCE, SELF, Caller(Role.AGENT, subject="another")):
        answer = await api.get(f"{PATH}?cursor={cursor}", caller)
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"loc": ["query", "cursor"], "type": "cursor_invalid"}]


@pytest.mark.parametrize(
    ("day", "tiers"),
    [
        ("2019-12-31", []),
        ("2020-01-01", ["standard"]),
        ("2020-01-31", ["standard"]),
        ("2020-03-01", ["diamond"]),
        ("2020-11-22", ["standard"]),
    ],
)
async def test_of_a_day_there_is_the_tier_that_served(api: Api, day: str, tiers: list[str]) -> None:
    body = await page(api, f"?as_of={day}")
    assert [item["tier"] for item in body["items"]] == tiers
    assert body["next_cursor"] is None


async def test_a_tier_replaced_on_its_first_day_never_served(
    api: Api, session: AsyncSession
) -> None:
    replaced = HISTORY[-1].but(tier="gold", tier_evaluated="gold")
    await write_stand(session, replaced)
    served = (await page(api, "?as_of=2020-05-01"))["items"]
    assert [item["tier"] for item in served] == ["gold"]
    newest = (await page(api, "?limit=2"))["items"]
    assert [(item["valid_from"], item["valid_to"]) for item in newest] == [
        ("2020-05-01", None),
        ("2020-05-01", "2020-05-01"),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0",
        "?limit=201",
        "?as_of=2020-13-01",
        "?as_of=1750000000",
        "?as_of=2020-01-01T00:00:00",
        "?as_of=1899-12-31",
        "?as_of=9999-12-31",
        "?cursor=%20",
        "?cursor=%00",
        "?tier=gold",
    ],
)
async def test_a_query_that_cannot_be_meant_is_refused_without_repeating_it(
    api: Api, query: str
) -> None:
    answer = await api.get(PATH + query, Role.AGENT)
    assert answer.status_code == 422
    assert query.partition("=")[2] not in answer.json()["errors"]


async def test_what_serves_on_a_day_to_come_is_not_told(api: Api) -> None:
    tomorrow = business_day(utc_now(), "Asia/Shanghai") + timedelta(1)
    answer = await api.get(f"{PATH}?as_of={tomorrow}", Role.AGENT)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/future-day")
    assert answer.json()["errors"] == [{"loc": ["query", "as_of"], "type": "future-date"}]
