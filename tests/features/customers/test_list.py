"""`GET /v1/customers`: whom a role may leaf through, and by what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.db.rows import CustomerAliasRow
from app.domain import words
from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.matrix import MATRIX, Cell, Matrix
from app.domain.privacy.roles import Relation, Role
from app.features.customers.schemas.book import BookQuery
from app.features.customers.service import book
from app.infra.clock import utc_now
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.customers import CORPORATE, policy, put_customer, term, write
from tests.factories.tiers import Stand, write_stand
from tests.features.stock import stocked

pytestmark = pytest.mark.anyio

PATH = "/v1/customers"
TODAY = utc_now().date()
MANAGER = Caller(Role.ACCOUNT_MANAGER, subject="manager-1")
LISTERS = [
    Role.AGENT,
    Role.ACCOUNT_MANAGER,
    Role.RISK_OFFICER,
    Role.BUSINESS_OFFICER,
    Role.COMPLIANCE,
]


async def _customers(api: Api, session: AsyncSession) -> None:
    """Four customers who differ in everything that is filtered by, and an old id of the first."""
    await put_customer(api, "C1", account_manager="manager-1", phone="13900001111")
    await put_customer(api, "C2", account_manager="manager-2", name="李雷")
    await put_customer(api, "C3", account_manager="manager-1", **CORPORATE)
    await put_customer(api, "C4")
    await put_customer(api, "C0")
    fell_on = date(2020, 10, 31)
    waiting = Stand("C3", source="grace", tier_evaluated="standard", first_lower_on=fell_on)
    soon, later = TODAY + timedelta(days=10), TODAY + timedelta(days=100)
    started = TODAY - timedelta(days=100)
    await write(
        session,
        CustomerAliasRow(alias_id="C0", customer_id="C1", merged_on=date(2020, 5, 1)),
        policy("C1", "P1"),
        term("C1", "P1", term_start=started, term_end=later),
        policy("C1", "P2"),
        term("C1", "P2", term_start=started, term_end=soon),
        policy("C2", "P3", "life"),
        term("C2", "P3", term_start=started, term_end=soon, premium_kind="single"),
        policy("C4", "P4"),
        term("C4", "P4", term_start=started, term_end=soon, ended_on=TODAY, ended_how="cancelled"),
    )
    await write_stand(session, Stand("C1"))
    await write_stand(
        session,
        Stand("C2", tier="diamond", segment="base", life_cycle_stage="new", labels=("lapse_risk",)),
    )
    await write_stand(session, waiting.but(grace_until=date(2020, 11, 30)))


@pytest.fixture(scope="module")
def stock(server_url: str, keys: Path) -> Iterator[str]:
    """A database with these customers."""
    with stocked(server_url, keys, _customers) as url:
        yield url


async def listed(api: Api, query: str = "", caller: Caller | Role = Role.AGENT) -> list[str]:
    """Ids of the customers on the first page."""
    answer = await api.get(f"{PATH}?{query}", caller)
    assert answer.status_code == 200, answer.text
    return [item["customer_id"] for item in answer.json()["items"]]


async def test_nobody_lists_customers_without_a_token(api: Api) -> None:
    assert (await api.get(PATH)).status_code == 401


@pytest.mark.parametrize("role", sorted({*Role} - {*LISTERS}))
async def test_other_roles_are_refused_whatever_they_ask(api: Api, role: Role) -> None:
    caller = Caller(role, "C1" if role is Role.CUSTOMER else None)
    for query in ("", "?tier=gold", "?tier=nonsense", "?income=1"):
        answer = await api.get(PATH + query, caller)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")


async def test_a_row_is_masked_and_nothing_of_it_decrypted(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.infra.cipher.Vault.decrypt", pytest.fail)
    answer = await api.get(f"{PATH}?tier=gold", MANAGER)
    assert answer.json() == {
        "next_cursor": None,
        "items": [
            {
                "meta": {"masked": ["name"]},
                "customer_id": "C1",
                "kind": "individual",
                "registered_name": None,
                "name": "王**",
                "account_manager": "manager-1",
                "tier": "gold",
                "tier_source": "evaluated",
                "tier_since": "2020-02-03",
                "segment": "mid_market",
                "life_cycle_stage": "stable",
                "labels": ["vip_care"],
                "renewal_due_on": (TODAY + timedelta(days=10)).isoformat(),
                "downgrade_due_on": None,
            },
            {
                "meta": {"masked": ["name"]},
                "customer_id": "C3",
                "kind": "corporate",
                "registered_name": CORPORATE["name"],
                "name": CORPORATE["name"],
                "account_manager": "manager-1",
                "tier": "gold",
                "tier_source": "grace",
                "tier_since": "2020-02-03",
                "segment": "mid_market",
                "life_cycle_stage": "stable",
                "labels": ["vip_care"],
                "renewal_due_on": None,
                "downgrade_due_on": "2020-11-30",
            },
        ],
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["C1", "C2", "C3", "C4"]),
        ("tier=gold", ["C1", "C3"]),
        ("tier=diamond&segment=base", ["C2"]),
        ("tier=gold&segment=base", []),
        ("segment=mid_market", ["C1", "C3"]),
        ("stage=new", ["C2"]),
        ("label=lapse_risk", ["C2"]),
        ("label=lapse", []),
        (f"renewal_due_before={TODAY + timedelta(days=11)}", ["C1"]),
        (f"renewal_due_before={TODAY + timedelta(days=10)}", []),
        ("downgrade_pending=true", ["C3"]),
        ("downgrade_pending=false", ["C1", "C2"]),
        ("mine=true", []),
        ("mine=false&limit=1", ["C1"]),
    ],
)
async def test_filters_leave_who_meets_all_of_them(api: Api, query: str, found: list[str]) -> None:
    assert await listed(api, query) == found


@pytest.mark.parametrize("query", ["", "mine=true", "mine=false"])
async def test_a_manager_lists_his_own_customers_whatever_he_asks_for(api: Api, query: str) -> None:
    assert await listed(api, query, MANAGER) == ["C1", "C3"]


@pytest.mark.parametrize("role", LISTERS)
async def test_unknown_and_closed_fields_are_refused_with_the_same_bytes(
    api: Api, role: Role
) -> None:
    headers = {"X-Request-Id": "the-same-request"}
    answers = [
        await api.get(f"{PATH}?{query}", role, headers=headers)
        for query in ("income=%3E1", "no_such_field=1", "tier=nonsense&name=x", "sort=phone")
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert answers[0].json()["type"] == "/problems/field-not-permitted"
    assert len({answer.content for answer in answers}) == 1


async def test_a_filter_is_closed_with_the_class_of_what_it_asks_about(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    column = dict(MATRIX.columns[Role.AGENT, Relation.OTHER])
    column[SensitivityClass.INTERNAL] = Cell(Disposition.BAND, Disposition.BAND)
    columns = {**MATRIX.columns, (Role.AGENT, Relation.OTHER): column}
    monkeypatch.setattr(book, "MATRIX", Matrix("test", columns, MATRIX.unviewed))
    assert await listed(api, "tier=gold") == ["C1", "C3"]
    headers = {"X-Request-Id": "the-same-request"}
    unknown = await api.get(f"{PATH}?no_such_field=1", Role.AGENT, headers=headers)
    for query in (
        *("segment=base", "stage=new", "label=x", "renewal_due_before=2020-01-01"),
        *("downgrade_pending=true", "mine=true"),
    ):
        answer = await api.get(f"{PATH}?{query}", Role.AGENT, headers=headers)
        assert (answer.status_code, answer.content) == (403, unknown.content)


@pytest.mark.parametrize(
    ("query", "name", "rule"),
    [
        ("tier=platinum", "tier", "literal_error"),
        ("segment=", "segment", "literal_error"),
        ("stage=x", "stage", "literal_error"),
        ("label=A%00", "label", "string_pattern_mismatch"),
        ("renewal_due_before=1", "renewal_due_before", "day_form"),
        ("renewal_due_before=1899-12-31", "renewal_due_before", "greater_than_equal"),
        ("downgrade_pending=perhaps", "downgrade_pending", "bool_parsing"),
        ("mine=2", "mine", "bool_parsing"),
        ("limit=0", "limit", "greater_than_equal"),
        ("limit=201", "limit", "less_than_equal"),
        ("cursor=nonsense", "cursor", "cursor_invalid"),
    ],
)
async def test_a_value_that_is_none_is_refused_by_its_place(
    api: Api, query: str, name: str, rule: str
) -> None:
    answer = await api.get(f"{PATH}?{query}", Role.AGENT)
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"loc": ["query", name], "type": rule}],
    )


async def test_pages_follow_each_other_without_gap_or_repetition(
    api: Api, session: AsyncSession
) -> None:
    first = (await api.get(f"{PATH}?limit=3", Role.AGENT)).json()
    # Who comes in meanwhile before the place is not seen, and moves nobody.
    await put_customer(api, "B9")
    second = (await api.get(f"{PATH}?limit=3&cursor={first['next_cursor']}", Role.AGENT)).json()
    assert [item["customer_id"] for item in first["items"] + second["items"]] == [
        "C1",
        "C2",
        "C3",
        "C4",
    ]
    assert second["next_cursor"] is None
    events = await session.execute(
        text("SELECT subjects FROM audit_events WHERE route = 'GET /v1/customers' ORDER BY at, seq")
    )
    assert [row.subjects for row in events] == [["C1", "C2", "C3"], ["C4"]]


async def test_a_cursor_serves_its_own_caller_role_and_filter_only(api: Api) -> None:
    cursor = (await api.get(f"{PATH}?limit=1", Role.AGENT)).json()["next_cursor"]
    others: list[tuple[str, Caller | Role]] = [
        (f"cursor={cursor}", Role.COMPLIANCE),
        (f"cursor={cursor}", Caller(Role.AGENT, subject="another")),
        (f"cursor={cursor}&tier=gold", Role.AGENT),
        (f"cursor={cursor[:-1]}", Role.AGENT),
    ]
    for query, caller in others:
        assert (await api.get(f"{PATH}?{query}", caller)).status_code == 422
    assert await listed(api, f"limit=2&cursor={cursor}") == ["C2", "C3"]


async def test_every_word_of_the_query_is_one_that_is_stored() -> None:
    schema: dict[str, Any] = BookQuery.model_json_schema()["properties"]
    for name, known in (
        ("tier", words.TIERS),
        ("segment", words.SEGMENTS),
        ("stage", words.LIFE_CYCLE_STAGES),
    ):
        assert tuple(schema[name]["anyOf"][0]["enum"]) == known
