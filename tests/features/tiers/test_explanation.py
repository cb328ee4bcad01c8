"""`GET /v1/customers/{id}/tier/explanation`: reasons by role, and what a customer may do."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.domain.privacy.roles import Role
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.customers import put_customer
from tests.factories.tiers import Stand, write_stand

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C1/tier/explanation"
SELF = Caller(Role.CUSTOMER, "C1")
STAND = Stand(
    "C1",
    reasons=[
        {"code": "V01", "characteristic": "premium_ratio", "points": 55, "lost": 45},
        {"code": "V03", "characteristic": "product_lines", "points": 10, "lost": 20},
        {"code": "R05", "characteristic": "driving", "points": 15, "lost": 15},
        {"code": "P02", "characteristic": "assets", "points": 5, "lost": 10},
    ],
    gap={
        "target": "diamond",
        "moves": [
            {"fact": "annual_premium", "from": "12000", "to": "80000.01", "reaches": "diamond"},
            {"fact": "product_lines", "from": "1", "to": "3", "reaches": "diamond"},
            {"fact": "driving_score", "from": "55", "to": "80", "reaches": "diamond"},
        ],
    },
)


@pytest.fixture(autouse=True)
async def customers(api: Api, session: AsyncSession, templates: None) -> None:  # noqa: ARG001 - they say what reasons mean.
    """Two customers, one of them evaluated."""
    await put_customer(api, "C1", account_manager="manager-1")
    await put_customer(api, "C2")
    await write_stand(session, STAND)


async def explanation(api: Api, caller: Caller | Role, language: str = "en") -> dict[str, Any]:
    """The explanation as one caller is answered."""
    answer = await api.get(PATH, caller, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    assert (answer.headers["Content-Language"], answer.headers["Vary"]) == (
        language,
        "Accept-Language",
    )
    body: dict[str, Any] = answer.json()
    return body


async def test_nobody_is_told_why_without_a_token_a_role_or_being_the_customer(api: Api) -> None:
    assert (await api.get(PATH)).status_code == 401
    assert (await api.get(PATH, Role.ANALYST)).status_code == 403
    assert (await api.get(PATH, Caller(Role.CUSTOMER, "C2"))).status_code == 404
    never = await api.get("/v1/customers/C2/tier/explanation", Role.AGENT)
    assert (never.status_code, never.json()["type"]) == (409, "/problems/not-evaluated")


async def test_a_business_officer_is_told_reasons_and_what_would_lift_the_tier(
    api: Api,
) -> None:
    assert await explanation(api, Role.BUSINESS_OFFICER) == {
        "meta": {
            "masked": ["reasons[].code", "reasons[].text", "reasons[].points", "reasons[].lost"]
        },
        "customer_id": "C1",
        "tier": "gold",
        "tier_name": "Gold",
        "text": "The tier is Gold, since 2020-02-03.",
        "override": None,
        "evaluated": None,
        "basis": (
            "The tier follows from the contracts held, how long and how steadily, and from the"
            " contact with us. Health, lifestyle and suspicions never lower a tier, nor do claims"
            " alone; price and cover do not depend on the tier."
        ),
        "objection": (
            "The tier was decided by automated means. The customer may ask for an explanation,"
            " object, and have a person review it."
        ),
        "segment": "The value segment is mid market.",
        "waiting": None,
        "held_by": None,
        "reasons": [
            {
                "code": "V01",
                "text": "Annual premium against the market average: 45 of 100 points are missing.",
                "points": 55,
                "lost": 45,
            },
            {
                "code": "V03",
                "text": "Product lines held: 20 of 30 points are missing.",
                "points": 10,
                "lost": 20,
            },
            {
                "code": "R05",
                "text": "No driving data shared: 15 of 30 points are missing.",
                "points": 15,
                "lost": 15,
            },
            # Assets are shown to the role as a band: what it was, and not how much.
            {"code": "P02", "text": "Assets", "points": None, "lost": None},
        ],
        "lifts": [
            {
                "fact": "annual_premium",
                "reaches": "diamond",
                "text": "Annual premium from 12,000.00 to 80,000.01 would reach Diamond.",
            },
            {
                "fact": "product_lines",
                "reaches": "diamond",
                "text": "Product lines held from 1 to 3 would reach Diamond.",
            },
            {
                "fact": "driving_score",
                "reaches": "diamond",
                "text": "Driving score from 55 to 80 would reach Diamond.",
            },
        ],
        "no_lift": None,
        "rule_set": (
            "Decided by the rule set All lines (all, version 1), on what was known on 2020-10-31."
        ),
    }


async def test_what_a_role_may_not_see_becomes_general_and_the_list_keeps_its_length(
    api: Api,
) -> None:
    body = await explanation(api, Role.AGENT)
    assert body["reasons"] == [
        {
            "code": "V01",
            "text": "Annual premium against the market average",
            "points": None,
            "lost": None,
        },
        {
            "code": "V03",
            "text": "Product lines held: 20 of 30 points are missing.",
            "points": 10,
            "lost": 20,
        },
        {"code": "GENERAL", "text": "A further characteristic.", "points": None, "lost": None},
        {"code": "GENERAL", "text": "A further characteristic.", "points": None, "lost": None},
    ]
    assert [(lift["fact"], lift["text"]) for lift in body["lifts"]] == [
        ("annual_premium", "Annual premium"),
        ("product_lines", "Product lines held from 1 to 3 would reach Diamond."),
        ("GENERAL", "A further characteristic."),
    ]


async def test_a_band_does_not_tell_which_bin_it_was(api: Api) -> None:
    own = Caller(Role.ACCOUNT_MANAGER, subject="manager-1")
    driving = (await explanation(api, own))["reasons"][2]
    assert driving == {"code": "R04", "text": "Driving record", "points": None, "lost": None}


async def test_a_customer_is_told_what_tiers_follow_from_and_never_to_pay_more(api: Api) -> None:
    body = await explanation(api, SELF, "zh")
    general = {"code": "GENERAL", "text": "其他因素。", "points": None, "lost": None}
    assert body == {
        "meta": {
            "masked": [
                "evaluated",
                "segment",
                "waiting",
                "held_by",
                "reasons[].code",
                "reasons[].text",
                "reasons[].points",
                "reasons[].lost",
                "no_lift",
                "rule_set",
            ]
        },
        "customer_id": "C1",
        "tier": "gold",
        "tier_name": "黄金",
        "text": "当前等级为黄金，自 2020-02-03 起。",
        "override": None,
        "evaluated": None,
        "basis": (
            "等级依据所持保单、持有时间与稳定性以及与我们的互动情况评定。健康、生活习惯及任何怀疑均不会"
            "降低等级，理赔本身也不会；价格与保障不因等级而异。"
        ),
        "objection": "等级由自动化方式评定。客户有权要求说明、提出异议，并要求人工复核。",
        "segment": None,
        "waiting": None,
        "held_by": None,
        "reasons": [general] * 4,
        "lifts": [],
        "no_lift": None,
        "rule_set": None,
    }


async def test_staff_is_told_until_when_a_downgrade_waits_and_what_keeps_it(
    api: Api, session: AsyncSession
) -> None:
    waiting = STAND.but(
        source="grace",
        tier_evaluated="standard",
        first_lower_on=date(2020, 10, 31),
        grace_until=date(2020, 11, 30),
        gap=None,
    )
    await write_stand(session, waiting)
    body = await explanation(api, Role.AGENT)
    assert body["waiting"] == (
        "The rules now give Standard. Gold goes on serving until 2020-11-30; if nothing changes by"
        " then, the tier becomes Standard."
    )
    assert body["held_by"] == "A downgrade is announced before it takes effect."
    assert body["no_lift"] == "No single change would reach a better tier."
    assert (await explanation(api, SELF))["waiting"] is None
