"""`GET /v1/customers/{id}`: one picture of a customer, each field as the role may see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from dirty_equals import IsDatetime
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.clock import business_day, utc_now
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.customers import (
    CORPORATE,
    claim,
    contact,
    policy,
    put_customer,
    service_use,
    survey,
    term,
    write,
)
from tests.factories.tiers import Stand, write_stand
from tests.features.customers.test_put import FULL
from tests.features.stock import stocked

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C1"
SELF = Caller(Role.CUSTOMER, "C1")
MANAGER = Caller(Role.ACCOUNT_MANAGER, subject="manager-1")
TODAY = business_day(utc_now(), "Asia/Shanghai")
LONG_AGO = TODAY - timedelta(days=400)


async def _customers(api: Api, session: AsyncSession) -> None:
    """A customer of whom everything is known, and one of whom nothing is."""
    await put_customer(api, "C1", **FULL, fraud_suspicion=True, driving_score=55)
    await put_customer(api, "C2")
    await write_stand(session, Stand("C1"))
    ended = {"ended_on": date(2021, 1, 1), "ended_how": "lapsed"}
    single = {"premium_kind": "single", "premium": Decimal(50_000)}
    closed = {"closed_on": date(2020, 4, 1), "paid": Decimal("800.25"), "paid_on": date(2020, 4, 1)}
    await write(
        session,
        *(policy("C1", "P1"), policy("C1", "P2"), policy("C1", "P3", "life")),
        *(term("C1", "P1", premium=Decimal("4300.10")), term("C1", "P2", **ended)),
        *(term("C1", "P3"), term("C1", "P3", **single)),
        *(claim("C1", "P1"), claim("C1", "P2", claim_count=3, **closed)),
        contact("C1", LONG_AGO),
        contact("C1", TODAY - timedelta(days=20), kind="complaint"),
        contact("C1", TODAY - timedelta(days=1), initiated_by="insurer"),
        contact("C1", TODAY - timedelta(days=30)),
        *(service_use("C1", TODAY - timedelta(days=9)), service_use("C1", LONG_AGO)),
        *(survey("C1", LONG_AGO, 3), survey("C1", TODAY - timedelta(days=60), 9)),
    )


@pytest.fixture(scope="module")
def stock(server_url: str, keys: Path) -> Iterator[str]:
    """A database with these customers."""
    with stocked(server_url, keys, _customers) as url:
        yield url


async def profile(api: Api, caller: Caller | Role, *, purpose: str | None = None) -> dict[str, Any]:
    """The profile as one caller is answered."""
    headers = {} if purpose is None else {"X-Purpose": purpose}
    answer = await api.get(PATH, caller, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    body: dict[str, Any] = answer.json()
    return body


async def test_nobody_reads_a_profile_without_a_token_or_a_role_that_may(api: Api) -> None:
    assert (await api.get(PATH)).status_code == 401
    for role in (Role.ADMIN, Role.ANALYST, Role.RULE_AUTHOR, Role.RULE_PUBLISHER, Role.INTEGRATION):
        assert (await api.get(PATH, role)).status_code == 403


async def test_a_foreign_and_a_missing_customer_are_the_same(api: Api) -> None:
    headers = {"X-Request-Id": "the-same-request"}
    foreign = await api.get(PATH, Caller(Role.CUSTOMER, "C2"), headers=headers)
    missing = await api.get("/v1/customers/C9", Caller(Role.CUSTOMER, "C2"), headers=headers)
    assert (foreign.status_code, foreign.content) == (404, missing.content)


async def test_a_risk_officer_sees_the_whole_picture(api: Api) -> None:
    day = (TODAY - timedelta(days=20)).isoformat()
    assert await profile(api, Role.RISK_OFFICER) == {
        "meta": {
            "masked": [
                *("name", "phone", "email", "id_no", "birth_date"),
                *("income", "assets", "credit_score", "career_stage", "family_stage"),
                *("health_grade", "health_habit_score", "smoker", "heavy_drinker"),
            ]
        },
        "customer_id": "C1",
        "kind": "individual",
        "registered_name": None,
        "credit_code": None,
        "name": "欧阳**",
        "phone": "138****5678",
        "email": "m***@***.com",
        "id_type": "resident_id",
        "id_no": "1****************X",
        "birth_date": "1945-1949",
        "gender": "female",
        "city": "杭州",
        "channel": "agent",
        "account_manager": "manager-1",
        "income": "120000-200000",
        "assets": "1000000-3000000",
        "credit_score": "700-799",
        "career_stage": None,
        "family_stage": None,
        "health_grade": "A-B",
        "health_habit_score": None,
        "smoker": None,
        "heavy_drinker": None,
        "occupation": "miner",
        "occupation_risk": "high",
        "driving_score": 55,
        "fraud_suspicion": True,
        "opinion_leader": None,
        "updated_at": IsDatetime(iso_string=True),
        "tier": "gold",
        "tier_source": "evaluated",
        "tier_since": "2020-02-03",
        "segment": "mid_market",
        "life_cycle_stage": "stable",
        "labels": ["vip_care"],
        "score": 613,
        "risk_grade": "B",
        "panorama": {
            "as_of": TODAY.isoformat(),
            "lines": [
                {"product_line": "life", "policies_in_force": 1, "yearly_premium": "1200.00"},
                {"product_line": "health", "policies_in_force": 0, "yearly_premium": "0.00"},
                {"product_line": "motor", "policies_in_force": 1, "yearly_premium": "4300.10"},
                {"product_line": "property", "policies_in_force": 0, "yearly_premium": "0.00"},
                {"product_line": "liability", "policies_in_force": 0, "yearly_premium": "0.00"},
            ],
            "claims": 4,
            "open_claims": 1,
            "claims_paid": "800.25",
            "last_claim_on": "2020-03-02",
            "last_contact_on": day,
            "contacts_12m": 2,
            "complaints_12m": 1,
            "service_uses_12m": 1,
            "last_nps": 9,
        },
        "consents": [
            {
                "purpose": purpose,
                "holds": True,
                "given_on": TODAY.isoformat(),
                "withdrawn_on": None,
            }
            for purpose in (
                "health_data",
                "lifestyle_data",
                "credit_data",
                "third_party",
                "behaviour",
                "personalisation",
            )
        ],
    }


async def test_compliance_sees_masked_identity_and_no_value_income_health_or_risk(
    api: Api,
) -> None:
    body = await profile(api, Role.COMPLIANCE)
    assert (body["name"], body["phone"], body["id_no"], body["birth_date"]) == (
        "欧阳**",
        "138****5678",
        "1****************X",
        "1945-1949",
    )
    for name in ("income", "assets", "credit_score", "smoker", "health_grade", "occupation"):
        assert body[name] is None
        assert name in body["meta"]["masked"]
    assert (body["risk_grade"], body["fraud_suspicion"]) == (None, None)
    assert (body["panorama"]["claims"], body["panorama"]["claims_paid"]) == (None, None)
    assert [line["yearly_premium"] for line in body["panorama"]["lines"]] == [None] * 5


async def test_an_account_manager_sees_more_of_his_own_and_contacts_with_a_purpose(
    api: Api,
) -> None:
    own = await profile(api, MANAGER)
    assert (own["name"], own["birth_date"], own["phone"]) == (
        "欧阳明月",
        "1949-12-31",
        "138****5678",
    )
    assert (own["id_no"], own["income"], own["occupation"], own["risk_grade"]) == (
        None,
        "120000-200000",
        "high",
        "low",
    )
    assert own["panorama"]["claims"] == "3+"
    stated = await profile(api, MANAGER, purpose="renewal_advice")
    assert (stated["phone"], stated["email"]) == ("13812345678", "moon@example.com")
    other = await profile(api, Caller(Role.ACCOUNT_MANAGER, subject="x"), purpose="renewal_advice")
    agent = await profile(api, Role.AGENT)
    assert other == agent
    assert (agent["name"], agent["id_no"], agent["income"]) == ("欧阳**", None, None)
    assert agent["panorama"]["lines"][2]["yearly_premium"] == "1000-5000"


async def test_a_customer_sees_what_he_declared_and_not_how_he_is_judged(api: Api) -> None:
    body = await profile(api, SELF)
    shown = {name: value for name, value in body.items() if value is not None}
    lists = {"meta", "panorama", "consents"}
    assert {name: value for name, value in shown.items() if name not in lists} == {
        "customer_id": "C1",
        "kind": "individual",
        "name": "欧阳明月",
        "phone": "138****5678",
        "email": "m***@***.com",
        "id_no": "1****************X",
        "birth_date": "1949-12-31",
        "income": "180000.50",
        "assets": "2000000.00",
        "smoker": True,
        "heavy_drinker": False,
        "tier": "gold",
        "tier_source": "evaluated",
        "tier_since": "2020-02-03",
    }
    assert [line["yearly_premium"] for line in body["panorama"]["lines"]] == [
        *("1200.00", "0.00", "4300.10", "0.00", "0.00"),
    ]


async def test_of_a_corporate_the_name_is_open(api: Api) -> None:
    await put_customer(api, "C3", **CORPORATE)
    answer = await api.get("/v1/customers/C3", Role.AGENT)
    assert (answer.json()["name"], answer.json()["registered_name"]) == (
        "杭州示例科技有限公司",
        "杭州示例科技有限公司",
    )


async def test_an_answer_of_labels_that_is_no_list_is_not_taken_apart(
    api: Api, session: AsyncSession
) -> None:
    await write_stand(session, Stand("C1", evaluated_on=TODAY, labels="vip_care"))
    await session.commit()
    assert (await profile(api, Role.RISK_OFFICER))["labels"] == []


async def test_of_a_customer_nothing_is_known_of_everything_is_null(api: Api) -> None:
    body = (await api.get("/v1/customers/C2", Role.RISK_OFFICER)).json()
    assert (body["tier"], body["segment"], body["labels"], body["score"]) == (None,) * 4
    assert body["panorama"]["last_contact_on"] is None
    assert {consent["holds"] for consent in body["consents"]} == {False}


async def test_what_was_erased_is_shown_masked_to_those_who_could_read_it(
    api: Api, session: AsyncSession
) -> None:
    await session.execute(text("DELETE FROM subject_keys WHERE subject_id = 'C1'"))
    await session.commit()
    body = await profile(api, SELF)
    assert (body["name"], body["birth_date"], body["income"]) == (
        "欧阳**",
        "1945-1949",
        "120000-200000",
    )
    assert {"name", "birth_date", "income"} <= set(body["meta"]["masked"])


async def test_a_value_that_does_not_open_is_shown_masked(api: Api, session: AsyncSession) -> None:
    await session.execute(
        text("UPDATE customers SET name_cipher = phone_cipher WHERE customer_id = 'C1'")
    )
    await session.commit()
    assert (await profile(api, SELF))["name"] == "欧阳**"


async def test_a_masked_read_decrypts_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(api.app.state.vault, "decrypt", refuse)
    for role in (Role.AGENT, Role.COMPLIANCE):
        assert (await profile(api, role))["name"] == "欧阳**"
    # The officers are shown the occupation in clear, which is sealed.
    assert (await api.get(PATH, Role.RISK_OFFICER)).status_code == 500
    assert (await api.get(PATH, SELF)).status_code == 500
