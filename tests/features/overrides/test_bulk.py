"""One request for many customers: decided on as one, ended one by one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from app.domain.errors import Invalid
from app.domain.privacy.roles import Role
from app.features.overrides.service import requests
from app.infra.database import AsyncSession
from tests.api import Caller
from tests.factories.book import write_book
from tests.features.overrides.desk import (
    AGENT,
    BEA,
    CLEO,
    MIA,
    NOAH,
    RITA,
    STATEMENT,
    Overrides,
    problem,
    write_wealth,
)
from tests.features.overrides.files import Files

pytestmark = pytest.mark.anyio

MANY = ["C3", "C1", "C2"]


async def asked(overrides: Overrides) -> dict[str, Any]:
    """A request for three customers, of whom two are Mia's."""
    answer = await overrides.ask_bulk(MANY)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_only_an_account_manager_asks(overrides: Overrides) -> None:
    body = {"customer_ids": MANY, **overrides.body()}
    assert (await overrides.api.call("POST", "/v1/overrides/bulk", json=body)).status_code == 401
    for caller in (AGENT, RITA, CLEO, Caller(Role.CUSTOMER, customer_id="C1")):
        assert problem(await overrides.ask_bulk(MANY, caller)) == (403, "forbidden")


async def test_it_is_one_request_with_an_override_for_each(overrides: Overrides) -> None:
    found = await asked(overrides)
    assert (found["bulk"], found["customer_id"], found["status"]) == (True, None, "requested")
    assert [item["customer_id"] for item in found["overrides"]] == sorted(MANY)
    assert len({found["id"], *(item["id"] for item in found["overrides"])}) == 4
    pending = (await overrides.tier("C2"))["pending_override"]
    assert pending["id"] == found["overrides"][1]["id"]


async def test_it_is_approved_as_one_and_serves_everybody_or_nobody(
    overrides: Overrides, session: AsyncSession
) -> None:
    found = await asked(overrides)
    await overrides.approve(found["id"], RITA)
    done = (await overrides.approve(found["id"], BEA)).json()
    assert (done["status"], {item["status"] for item in done["overrides"]}) == (
        "active",
        {"active"},
    )
    for own_id in MANY:
        assert (await overrides.tier(own_id))["tier"] == "diamond"
    events = await session.execute(
        text("SELECT customer_ids FROM outbox_events WHERE kind = 'override-activated'")
    )
    assert list(events.scalars()) == [sorted(MANY)]
    approvals = await session.scalar(text("SELECT count(*) FROM override_approvals"))
    assert approvals == 2


async def test_one_stale_basis_keeps_all_from_serving(
    overrides: Overrides, session: AsyncSession
) -> None:
    found = await asked(overrides)
    await overrides.approve(found["id"], RITA)
    await overrides.get(found["id"], BEA)
    await write_wealth(session, "C3")
    assert problem(await overrides.decide(found["id"], BEA)) == (409, "decision-stale")
    for own_id in MANY:
        assert (await overrides.tier(own_id))["source"] == "evaluated"


async def test_a_part_of_it_is_not_decided_on_by_itself(overrides: Overrides) -> None:
    found = await asked(overrides)
    part = found["overrides"][0]["id"]
    shown = (await overrides.get(part, RITA)).json()
    assert (shown["id"], shown["request_id"], shown["customer_id"]) == (part, found["id"], "C1")
    assert [item["id"] for item in shown["overrides"]] == [part]
    assert problem(await overrides.decide(part, RITA)) == (409, "part-of-bulk")
    assert problem(await overrides.withdraw(part)) == (409, "part-of-bulk")
    assert problem(await overrides.put(part)) == (409, "part-of-bulk")
    # Nor is the whole read by reading a part.
    assert problem(await overrides.decide(found["id"], RITA)) == (409, "read-first")


async def test_each_effect_is_revoked_by_itself_or_all_at_once(overrides: Overrides) -> None:
    found = await asked(overrides)
    await overrides.approve(found["id"], RITA)
    await overrides.approve(found["id"], BEA)
    part = found["overrides"][1]["id"]
    assert (await overrides.revoke(part)).json()["status"] == "revoked"
    assert [(await overrides.tier(own_id))["tier"] for own_id in sorted(MANY)] == [
        "diamond",
        "standard",
        "diamond",
    ]
    rest = (await overrides.revoke(found["id"])).json()
    assert {item["status"] for item in rest["overrides"]} == {"revoked"}
    assert [(await overrides.tier(own_id))["tier"] for own_id in MANY] == ["standard"] * 3
    assert problem(await overrides.revoke(found["id"])) == (409, "not-active")


async def test_a_manager_who_did_not_ask_sees_his_own_part_only(overrides: Overrides) -> None:
    found = (await overrides.ask_bulk(MANY, NOAH)).json()
    assert problem(await overrides.get(found["id"], MIA)) == (404, "not-found")
    parts = {item["customer_id"]: item["id"] for item in found["overrides"]}
    assert (await overrides.get(parts["C1"], MIA)).json()["statement"] == STATEMENT
    assert problem(await overrides.get(parts["C3"], MIA)) == (404, "not-found")


async def test_the_account_manager_of_one_of_them_decides_on_none(overrides: Overrides) -> None:
    found = (await overrides.ask_bulk(MANY, NOAH)).json()
    mia = Caller(Role.RISK_OFFICER, subject="mia")
    answer = await overrides.approve(found["id"], mia)
    assert problem(answer) == (403, "approver-is-account-manager")


@pytest.mark.parametrize(
    ("customers", "places"),
    [
        (["C1", "NOBODY", "C2", "NOWHERE"], [(1, "unknown_customer"), (3, "unknown_customer")]),
        (["C1", "C2", "C1"], [(2, "repeated_customer")]),
    ],
)
async def test_who_is_nobody_or_named_twice_is_told_by_his_place(
    overrides: Overrides, customers: list[str], places: list[tuple[int, str]]
) -> None:
    answer = await overrides.ask_bulk(customers)
    assert problem(answer) == (422, "validation")
    assert [(error["loc"], error["type"]) for error in answer.json()["errors"]] == [
        (["body", "customer_ids", index], rule) for index, rule in places
    ]


async def test_who_waits_already_is_told_by_his_place_and_nobody_is_asked_for(
    overrides: Overrides, session: AsyncSession
) -> None:
    await overrides.asked("C2")
    answer = await overrides.ask_bulk(MANY)
    assert problem(answer) == (409, "override-pending")
    assert [error["loc"] for error in answer.json()["errors"]] == [["body", "customer_ids", 2]]
    assert await session.scalar(text("SELECT count(*) FROM overrides")) == 1


@pytest.mark.parametrize(("number", "rule"), [(0, "too_short"), (1_001, "too_long")])
async def test_it_is_for_one_to_a_thousand(overrides: Overrides, number: int, rule: str) -> None:
    answer = await overrides.ask_bulk([f"C{index}" for index in range(number)])
    assert problem(answer) == (422, "validation")
    # Not because they are nobody's ids.
    assert [(error["loc"], error["type"]) for error in answer.json()["errors"]] == [
        (["body", "customer_ids"], rule)
    ]


async def test_a_thousand_are_decided_on_as_one_and_one_of_them_is_revoked(
    overrides: Overrides, session: AsyncSession
) -> None:
    await write_book(session, 1_000)
    # A server does so by itself once so much is committed, and plans badly before.
    await session.execute(text("ANALYZE"))
    await session.commit()
    many = [f"C{number:08}" for number in range(1, 1_001)]
    asked = await overrides.ask_bulk(many)
    assert asked.status_code == 201, asked.text
    found = asked.json()
    parts = {item["customer_id"]: item["id"] for item in found["overrides"]}
    assert list(parts) == many
    files = Files(overrides, found["id"])
    assert (await files.add())["version"] == 2
    await overrides.approve(found["id"], RITA)
    assert (await overrides.approve(found["id"], BEA)).json()["status"] == "active"
    query = text(
        "SELECT count(*), count(DISTINCT activated_at)"
        " FROM tier_assignments JOIN overrides ON overrides.id = override_id"
        " WHERE source = 'override' AND tier_assignments.tier = 'diamond' AND valid_to IS NULL"
    )
    assert tuple((await session.execute(query)).one()) == (1_000, 1)
    assert (await overrides.revoke(parts[many[500]])).json()["status"] == "revoked"
    assert tuple((await session.execute(query)).one()) == (999, 1)


async def test_who_was_merged_away_meanwhile_is_left_out(
    overrides: Overrides, session: AsyncSession
) -> None:
    found = await asked(overrides)
    merged = await overrides.send(
        "POST", "/v1/customers/C3/merge", Caller(Role.INTEGRATION), {"into": "C4"}
    )
    assert merged.status_code in {200, 201}, merged.text
    await overrides.approve(found["id"], RITA)
    done = (await overrides.approve(found["id"], BEA)).json()
    assert {item["customer_id"]: item["status"] for item in done["overrides"]} == {
        "C1": "active",
        "C2": "active",
        "C3": "withdrawn",
    }
    # As every step of a request is told; that the merge came between, too.
    events = await session.execute(
        text(
            "SELECT kind, customer_ids, payload->>'because' FROM outbox_events"
            " WHERE payload->>'request_id' = :id ORDER BY id"
        ),
        {"id": found["id"]},
    )
    assert [tuple(event) for event in events] == [
        ("override-requested", sorted(MANY), None),
        ("override-withdrawn", ["C3"], "merge"),
        ("override-approved", ["C1", "C2"], None),
        ("override-activated", ["C1", "C2"], None),
    ]
    # The survivor was asked nothing for, nor evaluated.
    answer = await overrides.send("GET", "/v1/customers/C4/tier", AGENT)
    assert problem(answer) == (409, "not-evaluated")


async def test_who_cannot_be_evaluated_is_told_by_his_place(
    overrides: Overrides, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        error = Invalid("input-error", "A fact is missing.")
        error.customer_id = "C1"
        raise error

    monkeypatch.setattr(requests, "evaluate_customers", refuse)
    answer = await overrides.ask_bulk(MANY)
    assert problem(answer) == (422, "input-error")
    assert [error["loc"] for error in answer.json()["errors"]] == [["body", "customer_ids", 1]]
    assert problem(await overrides.ask("C1")) == (422, "input-error")


async def test_a_repetition_is_answered_though_two_of_them_are_one_by_now(
    overrides: Overrides,
) -> None:
    body = {"customer_ids": MANY, **overrides.body()}
    key = {"Idempotency-Key": "sent again"}
    first = await overrides.send("POST", "/v1/overrides/bulk", MIA, body, key)
    merged = await overrides.send(
        "POST", "/v1/customers/C3/merge", Caller(Role.INTEGRATION), {"into": "C1"}
    )
    assert merged.is_success, merged.text
    again = await overrides.send("POST", "/v1/overrides/bulk", MIA, body, key)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.json()["id"] == first.json()["id"]


async def test_the_tag_of_one_tells_nothing_of_the_others(overrides: Overrides) -> None:
    found = await asked(overrides)
    for officer in (RITA, BEA):
        await overrides.approve(found["id"], officer)
    mine, other = (item["id"] for item in found["overrides"][:2])
    before = (await overrides.get(mine, MIA)).headers["ETag"]
    assert (await overrides.revoke(other)).status_code == 200
    assert (await overrides.get(mine, MIA)).headers["ETag"] == before
    assert (await overrides.revoke(mine)).status_code == 200
    assert (await overrides.get(mine, MIA)).headers["ETag"] != before
