"""What is told of a tier that people decided, of one they are asked for, and of one overdue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.domain.words import OverrideMode
from app.features.benefits.service import install_benefits
from app.features.customers.repository import book
from app.features.customers.repository.book import BookFilter
from app.features.tiers.repository.export import stream_tiers
from app.infra.clock import business_day, utc_now
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.customers import put_customer
from tests.factories.overrides import LONGEST, put_override
from tests.factories.tiers import Stand, write_stand
from tests.features.stock import stocked

pytestmark = pytest.mark.anyio

SELF = Caller(Role.CUSTOMER, "C1")
TODAY = business_day(utc_now(), "Asia/Shanghai")
TOMORROW = TODAY + timedelta(1)
SINCE = (TOMORROW - LONGEST).isoformat()
GAP = {
    "target": "diamond",
    "moves": [{"fact": "policies_in_force", "from": "2", "to": "4", "reaches": "diamond"}],
}
STAND = Stand("C1", gap=GAP)


async def _customers(api: Api, session: AsyncSession) -> None:
    """Two customers, one of whom was evaluated to gold."""
    await put_customer(api, "C1", account_manager="manager-1", phone="13900001111")
    await put_customer(api, "C2")
    await write_stand(session, STAND)


@pytest.fixture(scope="module")
def stock(server_url: str, keys: Path) -> Iterator[str]:
    """A database with these customers."""
    with stocked(server_url, keys, _customers) as url:
        yield url


async def put(
    session: AsyncSession,
    mode: OverrideMode,
    tier: str,
    until: date = TOMORROW,
    state: str = "active",
) -> UUID:
    """An override of the customer, committed."""
    id_ = await put_override(session, "C1", mode=mode, tier=tier, until=until, state=state)
    await session.commit()
    return id_


async def read(api: Api, path: str, caller: Caller | Role = Role.RISK_OFFICER) -> dict[str, Any]:
    """An answer's body."""
    answer = await api.get(path, caller)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def tier_of(api: Api, caller: Caller | Role = Role.RISK_OFFICER) -> dict[str, Any]:
    """The tier, which is answered alike in a list."""
    body = await read(api, "/v1/customers/C1/tier", caller)
    listed = await api.call("POST", "/v1/tier-lookups", caller, json={"customer_ids": ["C1"]})
    assert listed.json()["items"] == [{**body, "found": True}]
    return body


@pytest.mark.parametrize(
    ("mode", "tier", "served", "source"),
    [
        ("pin", "diamond", "diamond", "override"),
        ("pin", "gold", "gold", "override"),
        ("pin", "standard", "standard", "override"),
        ("floor", "diamond", "diamond", "override"),
        ("floor", "gold", "gold", "evaluated"),
        ("floor", "standard", "gold", "evaluated"),
        ("ceiling", "standard", "standard", "override"),
        ("ceiling", "gold", "gold", "evaluated"),
        ("ceiling", "diamond", "gold", "evaluated"),
    ],
)
async def test_the_override_in_force_is_told_with_the_tier_below_it(
    api: Api, session: AsyncSession, mode: OverrideMode, tier: str, served: str, source: str
) -> None:
    id_ = await put(session, mode, tier)
    body = await tier_of(api)
    assert (body["tier"], body["source"], body["evaluated_tier"]) == (served, source, "gold")
    assert body["override"] == {"id": str(id_), "mode": mode, "until": TOMORROW.isoformat()}
    assert body["since"] == (SINCE if source == "override" else "2020-02-03")
    assert body["pending_override"] is None


@pytest.mark.parametrize(
    ("mode", "tier", "lifts"),
    [
        ("pin", "standard", {"gold": []}),
        ("pin", "gold", {"diamond": []}),
        ("pin", "diamond", {}),
        ("ceiling", "gold", {"diamond": []}),
        ("floor", "gold", {"diamond": ["diamond"]}),
    ],
)
async def test_what_no_change_would_reach_is_not_promised(
    api: Api, session: AsyncSession, mode: OverrideMode, tier: str, lifts: dict[str, list[str]]
) -> None:
    await put(session, mode, tier)
    following = (await tier_of(api))["next_tier"]
    reached = [following] if following else []
    assert {item["tier"]: [lift["reaches"] for lift in item["gap"]] for item in reached} == lifts


@pytest.mark.parametrize("until", [TODAY, TODAY - timedelta(3)])
@pytest.mark.parametrize(("mode", "tier"), [("pin", "diamond"), ("ceiling", "standard")])
async def test_one_that_should_have_ended_serves_no_more(
    api: Api, session: AsyncSession, until: date, mode: OverrideMode, tier: str
) -> None:
    await put(session, mode, tier, until)
    body = await tier_of(api)
    assert (body["tier"], body["source"], body["since"]) == ("gold", "evaluated", until.isoformat())
    assert (body["override"], body["evaluated_tier"]) == (None, None)


async def test_one_to_the_tier_held_that_should_have_ended_left_no_break(
    api: Api, session: AsyncSession
) -> None:
    await put(session, "pin", "gold", TODAY)
    body = await tier_of(api)
    assert (body["tier"], body["source"], body["since"]) == ("gold", "evaluated", "2020-02-03")


async def test_a_tier_that_waits_to_fall_shows_again_when_the_override_should_have_ended(
    api: Api, session: AsyncSession
) -> None:
    waiting = date(2020, 11, 30)
    first = date(2020, 10, 31)
    await write_stand(
        session,
        STAND.but(
            source="grace", tier_evaluated="standard", first_lower_on=first, grace_until=waiting
        ),
    )
    await put(session, "pin", "diamond", TODAY)
    assert (await tier_of(api))["source"] == "grace"


async def test_a_tier_that_returned_serves_since_then(api: Api, session: AsyncSession) -> None:
    await session.execute(text("UPDATE scoring_states SET returned_on = '2020-07-08'"))
    await session.commit()
    assert (await tier_of(api))["since"] == "2020-07-08"


async def test_a_request_is_told_to_staff_only(api: Api, session: AsyncSession) -> None:
    id_ = await put(session, "floor", "diamond", state="requested")
    body = await tier_of(api, Role.AGENT)
    assert body["pending_override"] == {"id": str(id_), "mode": "floor", "tier": "diamond"}
    assert (body["tier"], body["override"], body["evaluated_tier"]) == ("gold", None, None)
    for caller in (SELF, Caller(Role.INTEGRATION)):
        withheld = await tier_of(api, caller)
        assert withheld["pending_override"] is None
        assert "pending_override" in withheld["meta"]["masked"]


async def test_who_is_no_staff_is_told_that_people_decided_and_not_what_the_rules_gave(
    api: Api, session: AsyncSession
) -> None:
    await put(session, "pin", "diamond")
    body = await tier_of(api, SELF)
    assert (body["tier"], body["source"], body["override"]["mode"]) == (
        "diamond",
        "override",
        "pin",
    )
    assert body["evaluated_tier"] is None
    assert "evaluated_tier" in body["meta"]["masked"]


async def test_one_may_be_in_force_while_another_is_asked_for(
    api: Api, session: AsyncSession
) -> None:
    active = await put(session, "floor", "diamond")
    pending = await put(session, "pin", "standard", state="requested")
    body = await tier_of(api)
    assert (body["override"]["id"], body["pending_override"]["id"]) == (str(active), str(pending))


async def test_the_explanation_says_that_people_decided_and_until_when(
    api: Api, session: AsyncSession
) -> None:
    await put(session, "pin", "diamond")
    path = "/v1/customers/C1/tier/explanation"
    body = await read(api, path, SELF)
    assert body["text"] == f"The tier is Diamond, since {SINCE}."
    assert body["override"] == (
        "People decided this: on a request, two officers of different departments approved that the"
        f" tier is Diamond. From {TOMORROW.isoformat()} on the rules decide again."
    )
    assert "automated means" not in body["objection"]
    assert "this one was decided by people" in body["basis"]
    assert (body["evaluated"], "evaluated" in body["meta"]["masked"]) == (None, True)
    told = await read(api, path, Role.BUSINESS_OFFICER)
    assert told["evaluated"] == "Without that decision the tier would be Gold."
    assert told["lifts"] == []


async def test_once_it_should_have_ended_the_rules_decided(api: Api, session: AsyncSession) -> None:
    await put(session, "pin", "diamond", TODAY)
    body = await read(api, "/v1/customers/C1/tier/explanation", SELF)
    assert body["override"] is None
    assert "automated means" in body["objection"]
    assert body["text"] == f"The tier is Gold, since {TODAY.isoformat()}."


async def test_the_history_names_the_override(api: Api, session: AsyncSession) -> None:
    id_ = await put(session, "pin", "diamond")
    newest, before = (await read(api, "/v1/customers/C1/tier-history", SELF))["items"]
    assert (newest["tier"], newest["source"], newest["override_id"]) == (
        "diamond",
        "override",
        str(id_),
    )
    assert (before["tier"], before["override_id"]) == ("gold", None)


@pytest.mark.parametrize(
    ("until", "tier", "source", "since"),
    [
        (TOMORROW, "diamond", "override", SINCE),
        (TODAY, "gold", "evaluated", TODAY.isoformat()),
    ],
)
async def test_every_list_and_card_tells_the_tier_that_serves(
    api: Api, session: AsyncSession, until: date, tier: str, source: str, since: str
) -> None:
    await install_benefits(session)
    await put(session, "pin", "diamond", until)
    (item,) = [
        item
        for item in (await read(api, "/v1/customers", Role.AGENT))["items"]
        if item["customer_id"] == "C1"
    ]
    assert (item["tier"], item["tier_source"], item["tier_since"]) == (tier, source, since)
    for asked in ("diamond", "gold", "standard"):
        page = await read(api, f"/v1/customers?tier={asked}", Role.AGENT)
        assert [item["customer_id"] for item in page["items"]] == (["C1"] if asked == tier else [])
        filtered = BookFilter(tier=asked)
        counted = await book.count_customers(session, filtered, today=TODAY, most=9)
        assert counted == len(page["items"])
    profile = await read(api, "/v1/customers/C1", Role.AGENT)
    assert (profile["tier"], profile["tier_source"], profile["tier_since"]) == (tier, source, since)
    found = await api.call(
        "POST",
        "/v1/customers/search",
        Role.AGENT,
        json={"phone": "13900001111"},
        headers={"X-Purpose": "customer_service"},
    )
    assert [item["tier"] for item in found.json()["items"]] == [tier]
    assert (await read(api, "/v1/customers/C1/benefits", SELF))["tier"] == tier
    exported = [row async for part in stream_tiers(session, today=TODAY) for row in part]
    assert [(row.customer_id, row.tier) for row in exported] == [("C1", tier)]
