"""`PUT /v1/customers/{id}`: feeds write what they know, over the write path of the imports."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from app.db.rows import CustomerAliasRow
from app.domain.privacy.roles import Role
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.customers import CORPORATE, INDIVIDUAL, put_customer, write

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C1"
FULL: dict[str, Any] = {
    "kind": "individual",
    "name": "欧阳明月",
    "phone": "13812345678",
    "email": "moon@example.com",
    "id_no": "11010519491231002X",
    "birth_date": "1949-12-31",
    "gender": "female",
    "city": "杭州",
    "channel": "agent",
    "account_manager": "manager-1",
    "income": "180000.50",
    "assets": "2000000",
    "occupation": "miner",
    "occupation_risk": "high",
    "credit_score": 730,
    "health_grade": "B",
    "smoker": True,
    "heavy_drinker": False,
    "consent": True,
}


async def put(
    api: Api, body: object, path: str = PATH, caller: Caller | Role | None = Role.INTEGRATION
) -> tuple[int, dict[str, Any]]:
    """One PUT: status and body."""
    answer = await api.call("PUT", path, caller, json=body)
    return answer.status_code, answer.json()


async def row(session: AsyncSession, query: str) -> dict[str, Any]:
    """One row of a query."""
    return dict((await session.execute(text(query))).mappings().one())


async def consents(session: AsyncSession, customer_id: str = "C1") -> dict[str, bool]:
    """Whether each purpose ever consented to holds."""
    query = text(
        "SELECT purpose, bool_or(withdrawn_on IS NULL) FROM consents WHERE customer_id = :id"
        " GROUP BY purpose"
    )
    found = await session.execute(query, {"id": customer_id})
    return {row.purpose: row.bool_or for row in found}


async def test_only_feeds_write(api: Api) -> None:
    assert (await put(api, FULL, caller=None))[0] == 401
    for role in Role:
        if role is not Role.INTEGRATION:
            assert (await put(api, FULL, caller=Caller(role, "C1")))[0] == 403


async def test_a_new_customer_is_stored_encrypted_with_masks_bands_and_history(
    api: Api, session: AsyncSession
) -> None:
    answer = await api.call("PUT", PATH, Role.INTEGRATION, json=FULL)
    assert (answer.status_code, answer.headers["Location"]) == (201, PATH)
    stored = await row(session, "SELECT * FROM customers")
    expected = {
        "customer_id": "C1",
        "kind": "individual",
        "name_masked": "欧阳**",
        "phone_masked": "138****5678",
        "email_masked": "m***@***.com",
        "id_type": "resident_id",
        "id_no_masked": "1****************X",
        "birth_band": "1945-1949",
        "gender": "female",
        "city": "杭州",
        "channel": "agent",
        "account_manager": "manager-1",
        "credit_code": None,
    }
    assert {name: stored[name] for name in expected} == expected
    held = b"".join(value for value in stored.values() if isinstance(value, bytes))
    for clear in (
        "欧阳明月",
        "13812345678",
        "11010519491231002X",
        "180000.50",
        "1949-12-31",
        "miner",
    ):
        assert clear.encode() not in held
        assert clear not in str(stored)
    attributes = await row(session, "SELECT * FROM scoring_inputs")
    dated: dict[str, Any] = {
        "birth_month": date(1949, 12, 1),
        "occupation_risk": "high",
        "income_band": 3,
        "asset_band": 4,
        "credit_score": 730,
        "health_grade": "B",
        "smoker": True,
        "heavy_drinker": False,
        "valid_to": None,
    }
    assert {name: attributes[name] for name in dated} == dated
    assert "miner" not in str(attributes)
    assert len(await consents(session)) == 6


async def test_a_feed_is_answered_what_is_open_and_nothing_else(api: Api) -> None:
    status, body = await put(api, FULL)
    assert status == 201
    told = {name: value for name, value in body.items() if not isinstance(value, dict | list)}
    assert {name: value for name, value in told.items() if value is not None} == {
        "customer_id": "C1",
        "kind": "individual",
    }
    assert set(body["meta"]["masked"]) > {"name", "phone", "income", "smoker", "segment"}


async def test_a_corporate_needs_no_birth_date_and_its_name_is_open(api: Api) -> None:
    status, body = await put(api, CORPORATE)
    assert status == 201
    assert (body["registered_name"], body["credit_code"]) == (
        "杭州示例科技有限公司",
        "91330106MA27XY1234",
    )


async def test_the_same_call_again_changes_nothing(api: Api, session: AsyncSession) -> None:
    await put(api, FULL)
    before = await row(session, "SELECT * FROM customers JOIN scoring_inputs USING (customer_id)")
    assert (await put(api, FULL))[0] == 200
    after = await row(session, "SELECT * FROM customers JOIN scoring_inputs USING (customer_id)")
    assert after == before


async def test_what_is_left_out_stays_and_null_clears(api: Api, session: AsyncSession) -> None:
    await put(api, FULL)
    status, _ = await put(api, {"kind": "individual", "name": "欧阳明", "phone": None})
    assert status == 200
    stored = await row(session, "SELECT * FROM customers")
    assert (stored["phone_cipher"], stored["phone_masked"]) == (None, None)
    assert (stored["email_masked"], stored["city"]) == ("m***@***.com", "杭州")
    assert (await row(session, "SELECT * FROM scoring_inputs"))["credit_score"] == 730


async def test_an_attribute_that_changes_closes_the_old_one_and_keeps_the_past(
    api: Api, session: AsyncSession
) -> None:
    await put(api, FULL)
    await session.execute(text("UPDATE scoring_inputs SET valid_from = '2020-01-01'"))
    await session.commit()
    await put(api, {**INDIVIDUAL, "smoker": False})
    query = text("SELECT smoker, credit_score, valid_to IS NULL FROM scoring_inputs ORDER BY 3")
    assert [tuple(found) for found in await session.execute(query)] == [
        (True, 730, False),
        (False, 730, True),
    ]


async def test_consents_are_what_the_feed_says_now(api: Api, session: AsyncSession) -> None:
    await put(api, {**INDIVIDUAL, "consent": ["behaviour", "credit_data"]})
    assert await consents(session) == {"behaviour": True, "credit_data": True}
    await put(api, {**INDIVIDUAL, "consent": ["behaviour"]})
    assert await consents(session) == {"behaviour": True, "credit_data": False}
    await put(api, INDIVIDUAL)
    assert await consents(session) == {"behaviour": True, "credit_data": False}
    await put(api, {**INDIVIDUAL, "consent": False})
    assert await consents(session) == {"behaviour": False, "credit_data": False}
    await put(api, {**INDIVIDUAL, "consent": True})
    assert set((await consents(session)).values()) == {True}


async def test_a_merged_id_writes_the_survivor(api: Api, session: AsyncSession) -> None:
    await put_customer(api, "C1")
    alias = CustomerAliasRow(alias_id="OLD", customer_id="C1", merged_on=date(2020, 1, 1))
    await write(session, alias)
    status, body = await put(api, {**INDIVIDUAL, "city": "苏州"}, "/v1/customers/OLD")
    assert (status, body["customer_id"]) == (200, "C1")
    assert (await row(session, "SELECT city FROM customers"))["city"] == "苏州"


@pytest.mark.parametrize(
    ("changes", "loc", "rule"),
    [
        ({"kind": "robot"}, ["body", "kind"], "literal_error"),
        ({"name": ""}, ["body", "name"], "string_too_short"),
        ({"name": "王" * 201}, ["body", "name"], "string_too_long"),
        ({"email": "no address"}, ["body", "email"], "string_pattern_mismatch"),
        ({"birth_date": 0}, ["body", "birth_date"], "day_form"),
        ({"birth_date": "1949-12-31T00:00:00"}, ["body", "birth_date"], "day_form"),
        ({"birth_date": "1949-02-30"}, ["body", "birth_date"], "date_from_datetime_parsing"),
        ({"birth_date": "2199-01-01"}, ["body", "birth_date"], "dates-out-of-order"),
        ({"income": "-0.01"}, ["body", "income"], "amount_form"),
        ({"income": "1e3"}, ["body", "income"], "amount_form"),
        ({"income": -1}, ["body", "income"], "greater_than_equal"),
        ({"income": 1e17}, ["body", "income"], "less_than_equal"),
        ({"income": 0.5}, ["body", "income"], "amount_form"),
        ({"credit_score": 299}, ["body", "credit_score"], "greater_than_equal"),
        ({"credit_score": "700"}, ["body", "credit_score"], "int_type"),
        ({"smoker": "yes"}, ["body", "smoker"], "bool_type"),
        ({"health_grade": "F"}, ["body", "health_grade"], "literal_error"),
        ({"credit_code": "91330106MA27XY1234"}, ["body", "credit_code"], "corporate-only"),
        ({"secret-field": "hunter2"}, ["body", "?"], "extra_forbidden"),
        ({"name": "王\u0007小明"}, ["body", "name"], "bad-text"),
        ({"city": "杭\u0000州"}, ["body", "city"], "bad-text"),
        ({"email": "a\u0000@b"}, ["body", "email"], "string_pattern_mismatch"),
        ({"account_manager": "m\u202e1"}, ["body", "account_manager"], "bad-text"),
        ({"name": " "}, ["body", "name"], "blank"),
        ({"phone": " \u3000"}, ["body", "phone"], "blank"),
        ({"city": "   "}, ["body", "city"], "blank"),
        ({"id_no": "  "}, ["body", "id_no"], "blank"),
        ({"occupation": "\u3000"}, ["body", "occupation"], "blank"),
        ({"account_manager": " "}, ["body", "account_manager"], "blank"),
    ],
)
async def test_what_cannot_be_stored_is_refused_by_place_and_rule_without_repeating_it(
    api: Api, session: AsyncSession, changes: dict[str, Any], loc: list[str], rule: str
) -> None:
    answer = await api.call("PUT", PATH, Role.INTEGRATION, json={**INDIVIDUAL, **changes})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")
    assert answer.json()["errors"] == [{"loc": loc, "type": rule}]
    value = str(next(iter(changes.values())))
    told = answer.text.replace(answer.json()["request_id"], "")
    assert value.strip() in {"", "0"} or value not in told
    assert await session.scalar(text("SELECT count(*) FROM customers")) == 0


@pytest.mark.parametrize(("first", "second"), [(INDIVIDUAL, CORPORATE), (CORPORATE, INDIVIDUAL)])
async def test_a_person_stays_a_person_and_a_company_a_company(
    api: Api, session: AsyncSession, first: dict[str, Any], second: dict[str, Any]
) -> None:
    await put(api, first)
    before = await row(session, "SELECT * FROM customers")
    status, body = await put(api, second)
    assert (status, body["type"]) == (409, "/problems/kind-fixed")
    assert body["errors"] == [{"loc": ["body", "kind"], "type": "kind-fixed"}]
    assert await row(session, "SELECT * FROM customers") == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id_type", "passport"),
        ("id_no", "E12345678"),
        ("birth_date", "1980-01-01"),
        ("gender", "male"),
        ("occupation", "teacher"),
        ("occupation_risk", "low"),
        ("health_grade", "A"),
        ("smoker", False),
        ("heavy_drinker", True),
        ("health_habit_score", 50),
        ("career_stage", "peak"),
        ("family_stage", "couple"),
    ],
)
async def test_a_company_has_nothing_that_only_people_have(
    api: Api, name: str, value: object
) -> None:
    status, body = await put(api, {**CORPORATE, name: value})
    assert status == 422
    assert body["errors"] == [{"loc": ["body", name], "type": "individual-only"}]
    assert (await put(api, {**CORPORATE, name: None}))[0] == 201


@pytest.mark.parametrize(
    "content",
    [
        '{"kind": "individual", "name": "A", "name": "B"}',
        '{"kind": "individual", "name": "A", "consent": [{"x": 1, "x": 1}]}',
        '{"kind": "individual", "name": "A", "income": NaN}',
        '{"kind": "individual", "name": "A", "income": -Infinity}',
    ],
)
async def test_a_body_that_says_two_things_or_no_number_is_no_json(
    api: Api, session: AsyncSession, content: str
) -> None:
    headers = {
        "Authorization": f"Bearer {api.token(Caller(Role.INTEGRATION))}",
        "Content-Type": "application/json",
    }
    answer = await api.client.put(PATH, headers=headers, content=content)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"loc": ["body"], "type": "json_invalid"}]
    assert await session.scalar(text("SELECT count(*) FROM customers")) == 0


async def test_a_refused_consent_leaves_nothing(api: Api, session: AsyncSession) -> None:
    status, body = await put(api, {**INDIVIDUAL, "consent": ["everything"]})
    assert status == 422
    assert {tuple(error["loc"][:2]) for error in body["errors"]} == {("body", "consent")}
    assert await session.scalar(text("SELECT count(*) FROM customers")) == 0


async def test_an_id_of_other_characters_is_no_customer(api: Api) -> None:
    assert (await put(api, FULL, "/v1/customers/a%20b"))[0] == 422
    assert (await put(api, FULL, f"/v1/customers/{'x' * 65}"))[0] == 422


@pytest.mark.parametrize("dots", ["%2E", "%2e%2E"])
async def test_an_id_of_dots_is_no_customer(api: Api, session: AsyncSession, dots: str) -> None:
    status, body = await put(api, FULL, f"/v1/customers/{dots}")
    assert (status, body["errors"]) == (422, [{"loc": ["path", "customer_id"], "type": "bad-id"}])
    assert await session.scalar(text("SELECT count(*) FROM customers")) == 0
    assert (await put(api, FULL, "/v1/customers/..."))[0] == 201


async def test_a_body_over_a_megabyte_is_refused(api: Api) -> None:
    status, body = await put(api, {**INDIVIDUAL, "city": "x" * 1_000_001})
    assert (status, body["type"]) == (413, "/problems/body-too-large")
