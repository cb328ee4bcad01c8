"""The list of requests: whose they are, and what waits for whom."""

from __future__ import annotations

import pytest

from app.domain.privacy.roles import Role
from tests.api import Caller
from tests.factories.customers import put_customer
from tests.features.overrides.desk import (
    AGENT,
    BEA,
    CLEO,
    MIA,
    NOAH,
    RITA,
    ROB,
    Overrides,
    problem,
)

pytestmark = pytest.mark.anyio


async def listed(overrides: Overrides, caller: Caller, query: str = "") -> list[str]:
    """The ids of a page."""
    answer = await overrides.send("GET", f"/v1/overrides{query}", caller)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_who_may_list(overrides: Overrides) -> None:
    assert (await overrides.api.call("GET", "/v1/overrides")).status_code == 401
    customer = Caller(Role.CUSTOMER, customer_id="C1")
    for caller in (AGENT, customer, Caller(Role.ADMIN), Caller(Role.INTEGRATION)):
        answer = await overrides.send("GET", "/v1/overrides", caller)
        assert problem(answer) == (403, "forbidden")


async def test_a_row_tells_what_is_asked_and_who_is_waited_for(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    answer = await overrides.send("GET", "/v1/overrides", CLEO)
    assert answer.json()["items"] == [
        {
            "id": asked["id"],
            "bulk": False,
            "customer_id": "C1",
            "states": {"requested": 1},
            "version": 1,
            "tier": "diamond",
            "mode": "pin",
            "reason": "merger",
            "valid_until": asked["valid_until"],
            "requested_by": "mia",
            "requested_at": asked["requested_at"],
            "expires_at": asked["expires_at"],
            "waits_for": ["risk", "business"],
            "meta": {"masked": []},
        }
    ]


async def test_an_officers_inbox_is_what_he_may_decide(overrides: Overrides) -> None:
    await put_customer(overrides.api, "C4", account_manager="rita")
    first, second = await overrides.asked("C1"), await overrides.asked("C2")
    of_rita = await overrides.asked("C4")
    mine = "?status=requested&for=me"
    assert await listed(overrides, RITA, mine) == [second["id"], first["id"]]
    assert await listed(overrides, ROB, mine) == [of_rita["id"], second["id"], first["id"]]
    await overrides.approve(first["id"], RITA)
    assert await listed(overrides, RITA, mine) == [second["id"]]
    assert await listed(overrides, ROB, mine) == [of_rita["id"], second["id"]]
    assert await listed(overrides, BEA, mine) == [of_rita["id"], second["id"], first["id"]]
    await overrides.approve(first["id"], BEA)
    assert await listed(overrides, BEA, mine) == [of_rita["id"], second["id"]]
    assert await listed(overrides, BEA, "?status=active") == [first["id"]]
    # A new version is decided on anew.
    await overrides.approve(second["id"], RITA)
    await overrides.put(second["id"], tier="gold")
    assert await listed(overrides, RITA, mine) == [second["id"]]


async def test_who_lost_his_office_is_waited_for_no_more(overrides: Overrides) -> None:
    asked = await overrides.asked("C3")
    await overrides.approve(asked["id"], RITA)
    await put_customer(overrides.api, "C3", account_manager="rita")
    assert await listed(overrides, ROB, "?for=me") == [asked["id"]]


async def test_a_manager_lists_what_he_asked_for_and_what_concerns_his_customers(
    overrides: Overrides,
) -> None:
    of_mia = await overrides.asked("C1", NOAH)
    await overrides.asked("C3", NOAH)
    by_mia = await overrides.asked("C4")
    assert await listed(overrides, MIA) == [by_mia["id"], of_mia["id"]]
    assert await listed(overrides, MIA, "?for=me") == [by_mia["id"]]
    assert await listed(overrides, MIA, "?customer_id=C1") == [of_mia["id"]]
    assert await listed(overrides, MIA, "?customer_id=C3") == []
    assert len(await listed(overrides, CLEO)) == 3


async def test_a_request_for_many_is_one_entry(overrides: Overrides) -> None:
    asked = (await overrides.ask_bulk(["C1", "C2"])).json()
    answer = await overrides.send("GET", "/v1/overrides?status=requested&for=me", RITA)
    (item,) = answer.json()["items"]
    assert (item["id"], item["customer_id"], item["states"]) == (
        asked["id"],
        None,
        {"requested": 2},
    )


async def test_pages_go_on_where_they_ended_for_their_own_caller(overrides: Overrides) -> None:
    ids = [(await overrides.asked(f"C{number}"))["id"] for number in range(1, 5)]
    page = (await overrides.send("GET", "/v1/overrides?limit=3", CLEO)).json()
    assert [item["id"] for item in page["items"]] == ids[:0:-1]
    cursor = page["next_cursor"]
    rest = (await overrides.send("GET", f"/v1/overrides?limit=3&cursor={cursor}", CLEO)).json()
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == (ids[:1], None)
    for caller, query in ((RITA, ""), (CLEO, "&status=requested")):
        path = f"/v1/overrides?cursor={cursor}{query}"
        assert problem(await overrides.send("GET", path, caller)) == (422, "validation")


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("?status=approved", (422, "validation")),
        ("?for=you", (422, "validation")),
        ("?for_=me", (403, "field-not-permitted")),
        ("?statement=merger", (403, "field-not-permitted")),
        ("?limit=201", (422, "validation")),
    ],
)
async def test_what_there_is_not_is_not_listed_by(
    overrides: Overrides, query: str, refused: tuple[int, str]
) -> None:
    answer = await overrides.send("GET", f"/v1/overrides{query}", CLEO)
    assert problem(answer) == refused
