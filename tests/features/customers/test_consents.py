"""`/v1/customers/{id}/consents`: what may be done with a customer's data, by his word."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.clock import business_day, utc_now
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.customers import put_customer

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C1/consents"
SELF = Caller(Role.CUSTOMER, "C1")
TODAY = business_day(utc_now(), "Asia/Shanghai")
READERS = {
    Role.AGENT,
    Role.ACCOUNT_MANAGER,
    Role.RISK_OFFICER,
    Role.BUSINESS_OFFICER,
    Role.COMPLIANCE,
}
HEALTH: dict[str, Any] = {
    "purpose": "health_data",
    "given_on": "2020-01-31",
    "basis": "consent",
    "text_version": "v3",
    "withdrawn_on": None,
}
CREDIT: dict[str, Any] = {**HEALTH, "purpose": "credit_data", "text_version": None}


@pytest.fixture(autouse=True)
async def customers(api: Api) -> None:
    """Two customers who consented to nothing."""
    await put_customer(api, "C1")
    await put_customer(api, "C2")


async def put(api: Api, *items: dict[str, Any]) -> dict[str, Any]:
    """What is answered to all consents."""
    answer = await api.call("PUT", PATH, Role.INTEGRATION, json={"items": list(items)})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_nobody_reads_or_writes_them_without_a_token(api: Api) -> None:
    assert (await api.get(PATH)).status_code == 401
    assert (await api.call("PUT", PATH, json={"items": []})).status_code == 401


async def test_staff_and_the_customer_read_and_a_feed_writes(api: Api) -> None:
    for role in {*Role} - {Role.CUSTOMER}:
        expected = 200 if role in READERS else 403
        assert (await api.get(PATH, role)).status_code == expected, role
        expected = 200 if role is Role.INTEGRATION else 403
        answer = await api.call("PUT", PATH, role, json={"items": []})
        assert answer.status_code == expected, role
    assert (await api.get(PATH, SELF)).status_code == 200
    assert (await api.call("PUT", PATH, SELF, json={"items": []})).status_code == 403


async def test_a_foreign_and_a_missing_customer_are_the_same(api: Api) -> None:
    headers = {"X-Request-Id": "the-same-request"}
    foreign = await api.get("/v1/customers/C2/consents", SELF, headers=headers)
    missing = await api.get("/v1/customers/C3/consents", SELF, headers=headers)
    assert (foreign.status_code, foreign.content) == (404, missing.content)
    path = "/v1/customers/C3/consents"
    assert (await api.call("PUT", path, Role.INTEGRATION, json={"items": []})).status_code == 404


async def test_what_was_said_is_read_by_the_customer_too(api: Api) -> None:
    written = await put(api, HEALTH, CREDIT)
    assert written == {
        "customer_id": "C1",
        "items": [{**CREDIT, "holds": True}, {**HEALTH, "holds": True}],
    }
    assert (await api.get(PATH, SELF)).json() == written
    assert await put(api, HEALTH, CREDIT) == written


async def test_a_purpose_not_listed_is_withdrawn_today_and_its_text_stays(api: Api) -> None:
    await put(api, HEALTH, CREDIT)
    assert (await put(api, CREDIT))["items"] == [
        {**CREDIT, "holds": True},
        {**HEALTH, "holds": False, "withdrawn_on": TODAY.isoformat()},
    ]
    again = {**HEALTH, "given_on": TODAY.isoformat(), "text_version": "v4"}
    items = (await put(api, again))["items"]
    assert [(item["text_version"], item["holds"]) for item in items] == [
        (None, False),
        ("v4", True),
        ("v3", False),
    ]


async def test_one_of_days_to_come_does_not_hold_yet(api: Api) -> None:
    tomorrow = {**HEALTH, "given_on": (TODAY + timedelta(days=1)).isoformat()}
    assert (await put(api, tomorrow))["items"] == [{**tomorrow, "holds": False}]


@pytest.mark.parametrize(
    ("item", "place", "rule"),
    [
        ({**HEALTH, "purpose": "anything"}, "purpose", "literal_error"),
        ({**HEALTH, "given_on": "31.1.2020"}, "given_on", "day_form"),
        ({**HEALTH, "given_on": "1800-01-01"}, "given_on", "greater_than_equal"),
        ({**HEALTH, "basis": " "}, "basis", "blank"),
        ({**HEALTH, "text_version": "x" * 65}, "text_version", "string_too_long"),
        ({**HEALTH, "more": 1}, "?", "extra_forbidden"),
    ],
)
async def test_what_is_no_consent_is_refused_by_its_place(
    api: Api, session: AsyncSession, item: dict[str, Any], place: str, rule: str
) -> None:
    answer = await api.call("PUT", PATH, Role.INTEGRATION, json={"items": [CREDIT, item]})
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"loc": ["body", "items", 1, place], "type": rule}],
    )
    assert await session.scalar(text("SELECT count(*) FROM consents")) == 0


async def test_what_contradicts_itself_is_refused_and_nothing_of_it_stored(
    api: Api, session: AsyncSession
) -> None:
    backwards = {**HEALTH, "withdrawn_on": "2019-01-01"}
    other = {**CREDIT, "text_version": "other"}
    for items, row in (([CREDIT, backwards], 1), ([CREDIT, other], 0)):
        answer = await api.call("PUT", PATH, Role.INTEGRATION, json={"items": items})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["loc"][:3] == ["body", "items", row]
    assert await session.scalar(text("SELECT count(*) FROM consents")) == 0


async def test_a_change_is_in_the_audit_as_one(api: Api, session: AsyncSession) -> None:
    await put(api, HEALTH)
    query = text("SELECT outcome, subjects FROM audit_events ORDER BY at DESC, seq DESC LIMIT 1")
    assert tuple((await session.execute(query)).one()) == ("changed", ["C1"])
    stored = await session.execute(text("SELECT purpose, given_on FROM consents"))
    assert [tuple(row) for row in stored] == [("health_data", date(2020, 1, 31))]


async def test_with_the_tag_of_the_last_writing_nothing_newer_is_replaced(api: Api) -> None:
    def write(tag: str, *items: dict[str, Any]) -> Any:  # noqa: ANN401 - a call that is awaited.
        sent = {"items": list(items)}
        return api.call("PUT", PATH, Role.INTEGRATION, headers={"If-Match": tag}, json=sent)

    first = await write("*", HEALTH)
    tag = first.headers["ETag"]
    second = await write(tag, HEALTH, CREDIT)
    assert (second.status_code, second.headers["ETag"] != tag) == (200, True)
    late = await write(tag, HEALTH)
    assert (late.status_code, late.json()["type"]) == (412, "/problems/precondition-failed")
    assert len((await api.get(PATH, Role.AGENT)).json()["items"]) == 2
    again = await write(second.headers["ETag"], HEALTH, CREDIT)
    assert again.headers["ETag"] == second.headers["ETag"]
