"""`GET /v1/tiers/{tier}/sla` answers the response times that were asked for, as data."""

from __future__ import annotations

from typing import Any

import pytest
from dirty_equals import IsStr
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.features.sla.service import install_sla
from app.infra.database import AsyncSession
from tests.api import Api, Caller

pytestmark = pytest.mark.anyio

NOTHING_SET: dict[str, Any] = {
    "response_seconds": None,
    "response_days": None,
    "resolution_seconds": None,
    "resolution_days": None,
    "contacts_per_month": None,
    "milestones": [],
    "automated_first": False,
    "statutory_floor": None,
    "note": None,
}


@pytest.fixture(autouse=True)
async def policy(session: AsyncSession) -> None:
    """The shipped policy."""
    await install_sla(session)
    await session.commit()


async def entries(api: Api, tier: str, language: str = "en") -> dict[str, dict[str, Any]]:
    """The entries of a tier, by service type."""
    headers = {"Accept-Language": language}
    answer = await api.get(f"/v1/tiers/{tier}/sla", Role.AGENT, headers=headers)
    assert answer.status_code == 200
    return {entry["service_type"]: entry for entry in answer.json()["entries"]}


async def test_nobody_reads_promises_without_a_token_or_a_role_that_serves(api: Api) -> None:
    assert (await api.get("/v1/tiers/gold/sla")).status_code == 401
    for role in (Role.ANALYST, Role.RULE_AUTHOR, Role.RULE_PUBLISHER, Role.INTEGRATION):
        assert (await api.get("/v1/tiers/gold/sla", role)).status_code == 403


async def test_a_tier_that_is_not_on_the_ladder_is_not_found(api: Api) -> None:
    assert (await api.get("/v1/tiers/platinum/sla", Role.AGENT)).status_code == 404


async def test_where_no_policy_is_in_force_nothing_is_promised(
    api: Api, session: AsyncSession
) -> None:
    await session.execute(text("UPDATE sla_policies SET valid_from = '2199-01-01'"))
    await session.commit()
    assert (await api.get("/v1/tiers/gold/sla", Role.AGENT)).status_code == 404


async def test_a_tier_is_promised_what_the_document_says(api: Api) -> None:
    answer = await api.get("/v1/tiers/diamond/sla", Caller(Role.CUSTOMER, "C1"))
    assert answer.json() == {
        "tier": "diamond",
        "tier_name": "Diamond",
        "policy_version": 1,
        "entries": [
            {
                **NOTHING_SET,
                "service_type": "basic_question",
                "clock": "elapsed",
                "resolution_seconds": 900,
                "automated_first": True,
                "note": IsStr(regex="A standard solution within 15 minutes.*"),
                "exceptions": [],
            },
            {
                **NOTHING_SET,
                "service_type": "emergency_claim",
                "clock": "elapsed",
                "response_seconds": 1800,
                "milestones": [{"name": "first_survey_and_advance_payment", "seconds": 7200}],
                "note": IsStr(regex="Personal safety.*"),
                "exceptions": [],
            },
            {
                **NOTHING_SET,
                "service_type": "service_request",
                "clock": "elapsed",
                "response_seconds": 14400,
                "note": "Answered by a desk that is staffed around the clock.",
                "exceptions": [],
            },
            {
                **NOTHING_SET,
                "service_type": "complex_business",
                "clock": "business_days",
                "resolution_days": 3,
                "exceptions": [],
            },
            {
                **NOTHING_SET,
                "service_type": "complaint",
                "clock": "elapsed",
                "response_seconds": 86400,
                "statutory_floor": {
                    "days": 15,
                    "day_kind": IsStr(),
                    "source": IsStr(),
                    "confirmation": "to be confirmed by counsel",
                },
                "exceptions": [],
            },
            {
                **NOTHING_SET,
                "service_type": "claim_decision",
                "clock": "calendar_days",
                "resolution_days": 10,
                "statutory_floor": {
                    "days": 30,
                    "day_kind": "calendar_days",
                    "source": IsStr(),
                    "confirmation": "to be confirmed by counsel",
                },
                "exceptions": [
                    {
                        **NOTHING_SET,
                        "service_type": "claim_decision",
                        "clock": "calendar_days",
                        "resolution_days": 5,
                        "statutory_floor": {
                            "days": 5,
                            "day_kind": "calendar_days",
                            "source": IsStr(),
                            "confirmation": "to be confirmed by counsel",
                        },
                        "product_line": "motor",
                        "qualifier": "compulsory_motor",
                    }
                ],
            },
            {
                **NOTHING_SET,
                "service_type": "proactive_contact",
                "clock": "recurring",
                "contacts_per_month": 1,
                "note": IsStr(regex="A service contact, never a sales call.*"),
                "exceptions": [],
            },
        ],
    }


@pytest.mark.parametrize(
    ("tier", "request_target", "complex_days", "claim_days"),
    [
        ("diamond", ("elapsed", 14400, None), 3, 10),
        ("gold", ("business_hours", 28800, None), 5, 20),
        ("standard", ("business_days", None, 2), 10, 30),
    ],
)
async def test_each_tier_has_its_own_targets(
    api: Api,
    tier: str,
    request_target: tuple[str, int | None, int | None],
    complex_days: int,
    claim_days: int,
) -> None:
    found = await entries(api, tier)
    asked = found["service_request"]
    assert (asked["clock"], asked["response_seconds"], asked["response_days"]) == request_target
    assert found["complex_business"]["resolution_days"] == complex_days
    assert found["claim_decision"]["resolution_days"] == claim_days
    assert found["complaint"]["response_seconds"] == 86400
    assert found["claim_decision"]["exceptions"][0]["resolution_days"] == 5


async def test_a_life_policy_change_is_promised_sooner_to_the_standard_tier(api: Api) -> None:
    (exception,) = (await entries(api, "standard"))["complex_business"]["exceptions"]
    assert (exception["product_line"], exception["qualifier"], exception["resolution_days"]) == (
        "life",
        "policy_change",
        5,
    )


async def test_notes_come_in_the_callers_language(api: Api) -> None:
    headers = {"Accept-Language": "zh-CN,zh;q=0.9"}
    answer = await api.get("/v1/tiers/gold/sla", Role.AGENT, headers=headers)
    body = answer.json()
    assert (body["tier_name"], answer.headers["Content-Language"]) == ("黄金", "zh")
    assert body["entries"][0]["note"] == "15分钟内给出标准解决方案；目标是80%由自动化服务解答。"
