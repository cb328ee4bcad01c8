"""`POST /v1/tier-lookups`: many tiers, each as when it is asked for alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.db.rows import CustomerAliasRow
from app.domain.privacy.roles import Role
from app.infra.clock import utc_now
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.customers import policy, put_customer, term, write
from tests.factories.tiers import Stand, write_stand
from tests.features.stock import stocked

pytestmark = pytest.mark.anyio

PATH = "/v1/tier-lookups"
SELF = Caller(Role.CUSTOMER, "C1")
MANAGER = Caller(Role.ACCOUNT_MANAGER, subject="manager-1")
NOW = utc_now().replace(microsecond=0)


async def _customers(api: Api, session: AsyncSession) -> None:
    """Two evaluated customers of two managers, one never evaluated, and an old id of the first."""
    await put_customer(api, "C1", account_manager="manager-1")
    await put_customer(api, "C2", account_manager="manager-2")
    await put_customer(api, "C3")
    await put_customer(api, "OLD")
    await write(
        session, CustomerAliasRow(alias_id="OLD", customer_id="C1", merged_on=date(2020, 5, 1))
    )
    await write_stand(session, Stand("C1", evaluated_at=NOW))
    await write_stand(session, Stand("C2", evaluated_at=NOW, tier="diamond", risk_grade="E"))


@pytest.fixture(scope="module")
def stock(server_url: str, keys: Path) -> Iterator[str]:
    """A database with these customers."""
    with stocked(server_url, keys, _customers) as url:
        yield url


async def look_up(api: Api, caller: Caller | Role, *customer_ids: str) -> list[dict[str, Any]]:
    """What is answered for ids."""
    answer = await api.call("POST", PATH, caller, json={"customer_ids": list(customer_ids)})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert list(body) == ["items"]
    items: list[dict[str, Any]] = body["items"]
    return items


async def test_nobody_looks_tiers_up_without_a_token(api: Api) -> None:
    assert (await api.call("POST", PATH, json={"customer_ids": ["C1"]})).status_code == 401


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ANALYST, Role.RULE_AUTHOR, Role.RULE_PUBLISHER])
async def test_roles_that_see_no_customer_data_are_refused(api: Api, role: Role) -> None:
    for customer_ids in (["C1"], ["a b"]):
        answer = await api.call("POST", PATH, role, json={"customer_ids": customer_ids})
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("asked", "place", "rule"),
    [
        ({}, ["body", "customer_ids"], "missing"),
        ({"customer_ids": []}, ["body", "customer_ids"], "too_short"),
        ({"customer_ids": ["C1"] * 201}, ["body", "customer_ids"], "too_long"),
        ({"customer_ids": "C1"}, ["body", "customer_ids"], "list_type"),
        ({"customer_ids": ["a b"]}, ["body", "customer_ids", 0], "string_pattern_mismatch"),
        ({"customer_ids": ["C1", ".."]}, ["body", "customer_ids", 1], "bad-id"),
        ({"customer_ids": ["C1", None]}, ["body", "customer_ids", 1], "string_type"),
        ({"customer_ids": ["C1"], "x": 1}, ["body", "?"], "extra_forbidden"),
    ],
)
async def test_what_is_no_list_of_ids_is_refused(
    api: Api, asked: dict[str, Any], place: list[object], rule: str
) -> None:
    answer = await api.call("POST", PATH, Role.AGENT, json=asked)
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"loc": place, "type": rule}],
    )


@pytest.mark.parametrize(
    "caller", [Role.AGENT, Role.RISK_OFFICER, Role.COMPLIANCE, Role.INTEGRATION, MANAGER, SELF]
)
async def test_each_is_answered_as_when_he_is_asked_for_alone(
    api: Api, caller: Caller | Role
) -> None:
    asked: list[str] = ["C2", "C1", "C1"] if caller is not SELF else ["C1", "C1"]
    alone = [(await api.get(f"/v1/customers/{one}/tier", caller)).json() for one in asked]
    assert await look_up(api, caller, *asked) == [{**one, "found": True} for one in alone]


async def test_the_relation_to_each_customer_counts_for_him_alone(api: Api) -> None:
    own, other = await look_up(api, MANAGER, "C1", "C2")
    assert (own["risk_grade"], other["risk_grade"]) == ("low", None)


async def test_ids_are_answered_in_the_order_asked_found_or_not(api: Api) -> None:
    found = await look_up(api, Role.AGENT, "NOBODY", "OLD", "C3", "C2", "c1")
    assert [found[0], found[2], found[4]] == [
        {"customer_id": "NOBODY", "found": False},
        {"customer_id": "C3", "found": True, "tier": None},
        {"customer_id": "c1", "found": False},
    ]
    assert [(item["customer_id"], item["tier"]) for item in (found[1], found[3])] == [
        ("C1", "gold"),
        ("C2", "diamond"),
    ]


@pytest.mark.parametrize("claimed", ["C1", "OLD"])
async def test_a_customer_finds_himself_by_any_of_his_ids_and_nobody_else(
    api: Api, claimed: str
) -> None:
    found = await look_up(api, Caller(Role.CUSTOMER, claimed), "C2", "OLD", "C1", "C3", "NOBODY")
    assert [item["found"] for item in found] == [False, True, True, False, False]
    assert [item for item in found if not item["found"]] == [
        {"customer_id": one, "found": False} for one in ("C2", "C3", "NOBODY")
    ]


async def test_a_customer_without_a_record_finds_nobody(api: Api) -> None:
    found = await look_up(api, Caller(Role.CUSTOMER, "NOBODY"), "C1", "NOBODY")
    assert [item["found"] for item in found] == [False, False]


async def test_a_rule_set_for_the_line_last_held_makes_stale_here_too(
    api: Api, session: AsyncSession
) -> None:
    await write(
        session,
        policy("C1", "P1"),
        term("C1", "P1", term_start=date(2019, 1, 1), term_end=date(2020, 1, 1)),
    )
    await session.execute(
        text(
            "UPDATE rule_set_activations SET valid = '[2020-11-05,)', created_at = now()"
            " WHERE product_line = 'motor'"
        )
    )
    await session.commit()
    await write_stand(session, Stand("C1", evaluated_at=NOW, primary_line=None))
    await write_stand(session, Stand("C2", evaluated_at=NOW, primary_line=None))
    alone = [
        (await api.get(f"/v1/customers/{one}/tier", Role.AGENT)).json() for one in ("C1", "C2")
    ]
    found = await look_up(api, Role.AGENT, "C1", "C2")
    assert [item["stale"] for item in found] == [item["stale"] for item in alone] == [True, False]


async def test_two_hundred_are_one_look_of_a_few_statements(
    api: Api, session: AsyncSession
) -> None:
    asked = ["C2", "OLD", "C1", *(f"NOBODY-{number}" for number in range(197))]
    before = await session.scalar(text("SELECT count(*) FROM audit_events"))
    await look_up(api, Role.INTEGRATION, *asked)
    query = text(
        "SELECT route, role, status, outcome, subjects FROM audit_events"
        " ORDER BY at, seq OFFSET :before"
    )
    events = [tuple(row) for row in await session.execute(query, {"before": before})]
    subjects = ["C2", "C1", *asked[3:]]
    assert events == [("POST /v1/tier-lookups", "integration", 200, "answered", subjects)]
