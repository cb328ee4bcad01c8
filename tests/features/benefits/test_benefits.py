"""`GET /v1/customers/{id}/benefits`: what the mobile app shows."""

from __future__ import annotations

from typing import Any

import pytest
from dirty_equals import IsPartialDict, IsStr

from app.domain.privacy.roles import Role
from app.features.benefits.service import install_benefits, shipped_benefits
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.customers import put_customer
from tests.factories.tiers import Stand, write_stand

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C1/benefits"
SELF = Caller(Role.CUSTOMER, "C1")
STAND = Stand("C1")


@pytest.fixture(autouse=True)
async def customers(api: Api, session: AsyncSession, templates: None) -> None:  # noqa: ARG001 - decisions name a rule set.
    """Two customers, one of them evaluated, and the shipped catalogue."""
    await install_benefits(session)
    await put_customer(api, "C1")
    await put_customer(api, "C2")
    await write_stand(session, STAND)


async def benefits(api: Api, language: str = "en") -> dict[str, Any]:
    """The customer's benefits as he is answered."""
    answer = await api.get(PATH, SELF, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Language"] == language
    body: dict[str, Any] = answer.json()
    return body


async def test_nobody_reads_benefits_without_a_token_a_role_or_being_the_customer(
    api: Api,
) -> None:
    assert (await api.get(PATH)).status_code == 401
    for role in (Role.COMPLIANCE, Role.RISK_OFFICER, Role.INTEGRATION, Role.ADMIN):
        assert (await api.get(PATH, role)).status_code == 403
    assert (await api.get(PATH, Caller(Role.CUSTOMER, "C2"))).status_code == 404
    never = await api.get("/v1/customers/C2/benefits", Caller(Role.CUSTOMER, "C2"))
    assert (never.status_code, never.json()["type"]) == (409, "/problems/not-evaluated")


async def test_a_customer_reads_what_the_tier_grants_and_what_the_next_would_add(
    api: Api,
) -> None:
    body = await benefits(api)
    assert body == {
        "meta": {"masked": []},
        "customer_id": "C1",
        "tier": "gold",
        "tier_name": "Gold",
        "benefits": body["benefits"],
        "next_tier": {
            "tier": "diamond",
            "tier_name": "Diamond",
            "adds": body["next_tier"]["adds"],
        },
    }
    assert body["benefits"][0] == {
        "code": "planning_review",
        "kind": "adviser",
        "name": "Yearly cover review",
        "text": "A planner goes through your cover with you once a year.",
        "quota": 1,
        "period": "year",
    }
    granted = {
        benefit.code
        for benefit in shipped_benefits()
        if benefit.is_enabled and any(grant.tier == "gold" for grant in benefit.grants)
    }
    assert {item["code"] for item in body["benefits"]} == granted
    # The account manager is new, and there are two reviews a year instead of one.
    adds = {item["code"]: item for item in body["next_tier"]["adds"]}
    assert adds["account_manager"] == IsPartialDict(quota=None, period=None)
    assert adds["planning_review"] == IsPartialDict(quota=2, period="year")


async def test_texts_come_in_the_callers_language(api: Api) -> None:
    body = await benefits(api, "zh")
    assert (body["tier_name"], body["next_tier"]["tier_name"]) == ("黄金", "钻石")
    assert body["benefits"][0] == IsPartialDict(
        name="年度保障检视", text="规划师每年与您一起检视保障。"
    )


async def test_at_the_top_nothing_is_added(api: Api, session: AsyncSession) -> None:
    await write_stand(session, STAND.but(tier="diamond", tier_evaluated="diamond"))
    assert (await benefits(api))["next_tier"] is None


async def test_price_and_cover_are_no_benefits_of_a_tier(api: Api) -> None:
    body = await benefits(api)
    kinds = {item["kind"] for item in (*body["benefits"], *body["next_tier"]["adds"])}
    assert kinds.isdisjoint(
        {"premium_discount", "cover_upgrade", "points", "gift", "referral_reward"}
    )


@pytest.mark.parametrize("caller", [Caller(Role.AGENT), Caller(Role.ACCOUNT_MANAGER), SELF])
async def test_nothing_tells_how_the_customer_is_judged(api: Api, caller: Caller) -> None:
    answer = await api.get(PATH, caller)
    assert set(answer.json()) == {
        "meta",
        "customer_id",
        "tier",
        "tier_name",
        "benefits",
        "next_tier",
    }
    for word in (STAND.segment, STAND.life_cycle_stage, "vip_care", str(STAND.score), "premium"):
        assert word not in answer.text
    assert answer.json()["customer_id"] == IsStr(regex="C1")
