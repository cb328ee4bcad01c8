"""`GET /v1/facts`: the catalogue, for those who write, publish or judge rules."""

from __future__ import annotations

import pytest

from app.domain.facts.catalogue import CATALOGUE, CONVENTIONS
from app.domain.privacy.roles import Role
from tests.api import Api, Caller

pytestmark = pytest.mark.anyio

READERS = {
    Role.RULE_AUTHOR,
    Role.RULE_PUBLISHER,
    Role.RISK_OFFICER,
    Role.BUSINESS_OFFICER,
    Role.COMPLIANCE,
    Role.ANALYST,
}


async def test_the_catalogue_takes_a_token(api: Api) -> None:
    assert (await api.get("/v1/facts")).status_code == 401


@pytest.mark.parametrize("role", list(Role))
async def test_only_those_who_deal_with_rules_read_it(api: Api, role: Role) -> None:
    answer = await api.get("/v1/facts", Caller(role, "C1"))
    assert answer.status_code == (200 if role in READERS else 403)


async def test_it_lists_every_fact_in_the_catalogues_order(api: Api) -> None:
    answer = await api.get("/v1/facts", Role.ANALYST)
    assert [item["name"] for item in answer.json()["items"]] == list(CATALOGUE)


async def test_an_entry_says_type_range_class_and_meaning(api: Api) -> None:
    answer = await api.get("/v1/facts", Role.RULE_AUTHOR)
    items = {item["name"]: item for item in answer.json()["items"]}
    assert answer.headers["Content-Language"] == "en"
    assert items["premium_ratio"] == {
        "name": "premium_ratio",
        "type": "decimal",
        "scale": 4,
        "unit": "ratio",
        "min": "0.0000",
        "max": "1000000.0000",
        "values": [],
        "nullable": True,
        "class": "value",
        "consent": None,
        "meaning": CATALOGUE["premium_ratio"].meaning,
        "source": "S10",
    }
    assert (items["age"]["min"], items["age"]["max"]) == (0, 120)
    assert items["is_corporate"] == {
        "name": "is_corporate",
        "type": "bool",
        "scale": 0,
        "unit": None,
        "min": None,
        "max": None,
        "values": [],
        "nullable": False,
        "class": "open",
        "consent": None,
        "meaning": "The customer's kind is corporate.",
        "source": "S10, S17",
    }
    assert items["occupation_risk"]["values"] == ["low", "medium", "high"]
    assert items["smoker"]["consent"] == "lifestyle_data"


async def test_what_the_meanings_share_is_said_beside_them(api: Api) -> None:
    for language in ("en", "zh"):
        answer = await api.get("/v1/facts", Role.RULE_AUTHOR, headers={"Accept-Language": language})
        assert answer.json()["conventions"] == [
            {"name": one.name, "meaning": one.meaning if language == "en" else one.meaning_zh}
            for one in CONVENTIONS.values()
        ]


async def test_meanings_come_in_the_language_asked_for(api: Api) -> None:
    answer = await api.get("/v1/facts", Role.COMPLIANCE, headers={"Accept-Language": "zh-CN"})
    assert (answer.headers["Content-Language"], answer.headers["Vary"]) == (
        "zh",
        "Accept-Language",
    )
    assert answer.json()["items"][0]["meaning"] == "客户类型为企业。"
