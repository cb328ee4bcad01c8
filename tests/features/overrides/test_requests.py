"""Asking for an override: who may, what is refused, and what is answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from dirty_equals import IsDatetime, IsStr
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.features.customers.service import identify
from app.features.overrides.router import requests
from app.infra.database import AsyncSession
from tests.api import Caller
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
    today,
)

pytestmark = pytest.mark.anyio

UUID = IsStr(regex=r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
DIGEST = IsStr(regex="[0-9a-f]{64}")


async def test_nobody_but_an_account_manager_asks(overrides: Overrides) -> None:
    body = {"customer_id": "C1", **overrides.body()}
    assert (await overrides.api.call("POST", "/v1/overrides", json=body)).status_code == 401
    customer = Caller(Role.CUSTOMER, customer_id="C1")
    for caller in (AGENT, RITA, BEA, CLEO, customer, Caller(Role.ADMIN), Caller(Role.INTEGRATION)):
        answer = await overrides.ask("C1", caller)
        assert problem(answer) == (403, "forbidden"), caller


async def test_for_nobody_there_is_nothing_to_ask(overrides: Overrides) -> None:
    assert problem(await overrides.ask("NOBODY")) == (404, "not-found")


async def test_a_request_waits_for_both_departments(overrides: Overrides) -> None:
    answer = await overrides.ask("C1", mode="floor")
    assert answer.status_code == 201
    asked = answer.json()
    assert answer.headers["Location"] == f"/v1/overrides/{asked['id']}"
    until = (today() + timedelta(30)).isoformat()
    assert asked == {
        "id": UUID,
        "request_id": asked["id"],
        "bulk": False,
        "customer_id": "C1",
        "status": "requested",
        "version": 1,
        "digest": DIGEST,
        "tier": "diamond",
        "mode": "floor",
        "reason": "merger",
        # Without a purpose nobody is shown what was written, himself included.
        "statement": f"[{len(STATEMENT)}]",
        "valid_until": until,
        "requested_by": "mia",
        "requested_at": IsDatetime(iso_string=True),
        "written_at": IsDatetime(iso_string=True),
        "expires_at": IsDatetime(iso_string=True),
        "waits_for": ["risk", "business"],
        "overrides": [
            {
                "id": asked["id"],
                "customer_id": "C1",
                "status": "requested",
                "evaluated_tier": "standard",
                "decision_id": UUID,
                "valid_from": None,
                "closed_on": None,
                "closed_because": None,
                "closed_by": None,
                "closing_statement": None,
            }
        ],
        "approvals": [],
        "evidence": [],
        "meta": {
            "masked": [
                "statement",
                "overrides[].closing_statement",
                "approvals[].statement",
                "evidence[].file_name",
            ]
        },
    }
    shown = (await overrides.get(asked["id"], MIA)).json()
    assert shown["statement"] == STATEMENT
    assert shown["meta"] == {"masked": []}


async def test_until_both_keys_have_turned_the_evaluated_tier_serves(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    tier = await overrides.tier("C1")
    assert (tier["tier"], tier["source"], tier["override"]) == ("standard", "evaluated", None)
    assert tier["pending_override"] == {"id": asked["id"], "mode": "pin", "tier": "diamond"}
    told = await overrides.tier("C1", Caller(Role.CUSTOMER, customer_id="C1"))
    assert told["pending_override"] is None
    assert "pending_override" in told["meta"]["masked"]


@pytest.mark.parametrize(
    ("changed", "slug", "place"),
    [
        ({"tier": "platinum"}, "validation", "tier"),
        ({"mode": "ceil"}, "validation", "mode"),
        ({"reason": "because"}, "validation", "reason"),
        ({"statement": ""}, "validation", "statement"),
        ({"statement": "Nineteen characters"}, "validation", "statement"),
        ({"statement": "  Nineteen characters   "}, "validation", "statement"),
        ({"statement": " " * 40}, "validation", "statement"),
        ({"statement": "\u200b" * 40}, "validation", "statement"),
        ({"statement": "\u0301" * 40}, "validation", "statement"),
        ({"statement": "\u3164" * 40}, "validation", "statement"),
        ({"statement": "Nineteen" + " " * 40 + "characters"}, "validation", "statement"),
        ({"statement": "a" + "\n" * 40 + "b"}, "validation", "statement"),
        ({"statement": "With a null \x00 character in it."}, "validation", "statement"),
        ({"statement": "x" * 4_001}, "validation", "statement"),
        ({"valid_until": None}, "validation", "valid_until"),
        ({"valid_until": "soon"}, "validation", "valid_until"),
        ({"valid_until": "0001-01-01"}, "validation", "valid_until"),
        ({"valid_until": "2020-01-01"}, "validity-out-of-range", None),
        ({"evidence": []}, "validation", "evidence"),
        ({"approved_by_both": True}, "validation", "?"),
    ],
)
async def test_what_cannot_be_asked_names_the_place(
    overrides: Overrides, changed: dict[str, Any], slug: str, place: str | None
) -> None:
    answer = await overrides.ask("C1", **changed)
    assert problem(answer) == (422, slug)
    if place is not None:
        assert [error["loc"] for error in answer.json()["errors"]] == [["body", place]]
    assert "Nineteen" not in answer.text


@pytest.mark.parametrize(("days", "status"), [(0, 422), (1, 201), (366, 201), (367, 422)])
async def test_it_ends_after_today_and_within_a_leap_year(
    overrides: Overrides, days: int, status: int
) -> None:
    until = (today() + timedelta(days)).isoformat()
    assert (await overrides.ask("C1", valid_until=until)).status_code == status


async def test_what_is_left_out_is_named(overrides: Overrides) -> None:
    answer = await overrides.send("POST", "/v1/overrides", MIA, {"customer_id": "C1"})
    assert problem(answer) == (422, "validation")
    assert {error["loc"][1] for error in answer.json()["errors"]} == set(overrides.body())


async def test_a_megabyte_of_reasons_is_too_much(overrides: Overrides) -> None:
    answer = await overrides.ask("C1", statement="x" * 1_000_001)
    assert problem(answer) == (413, "body-too-large")


async def test_it_needs_a_key_and_with_the_same_one_is_asked_once(overrides: Overrides) -> None:
    body = {"customer_id": "C1", **overrides.body()}
    without = await overrides.api.call("POST", "/v1/overrides", MIA, json=body)
    assert problem(without) == (400, "idempotency-key-required")
    headers = {"Idempotency-Key": "the same"}
    first = await overrides.send("POST", "/v1/overrides", MIA, body, headers)
    again = await overrides.send("POST", "/v1/overrides", MIA, body, headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()


async def test_one_request_of_a_customer_waits_at_a_time(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    assert problem(await overrides.ask("C1", NOAH)) == (409, "override-pending")
    await overrides.asked("C2")
    assert (await overrides.withdraw(asked["id"])).status_code == 200
    await overrides.asked("C1", NOAH)


async def test_a_manager_sees_what_he_asked_for_and_what_concerns_his_customers(
    overrides: Overrides,
) -> None:
    by_noah = await overrides.asked("C1", NOAH)
    of_noah = await overrides.asked("C3", NOAH)
    assert (await overrides.get(by_noah["id"], MIA)).json()["statement"] == STATEMENT
    assert problem(await overrides.get(of_noah["id"], MIA)) == (404, "not-found")
    # To who asked it is a customer like anybody's.
    assert (await overrides.get(of_noah["id"], NOAH)).json()["statement"] is None
    for caller in (RITA, BEA, CLEO):
        assert (await overrides.get(of_noah["id"], caller)).json()["statement"] == STATEMENT
    assert problem(await overrides.get(of_noah["id"], AGENT)) == (403, "forbidden")
    missing = "01a203c5-d8e4-7e70-99e9-34c1969cd2d3"
    assert problem(await overrides.get(missing, RITA)) == (404, "not-found")


async def test_asking_otherwise_is_another_version(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    tag = (await overrides.get(asked["id"], MIA)).headers["ETag"]
    answer = await overrides.put(asked["id"], tag=tag, tier="gold", mode="floor")
    assert answer.status_code == 200, answer.text
    revised = answer.json()
    assert (revised["version"], revised["tier"], revised["mode"]) == (2, "gold", "floor")
    assert revised["digest"] != asked["digest"]
    assert revised["expires_at"] == asked["expires_at"]
    pending = (await overrides.tier("C1"))["pending_override"]
    assert pending == {"id": asked["id"], "mode": "floor", "tier": "gold"}
    # The tag of before is of another version by now.
    assert problem(await overrides.put(asked["id"], tag=tag)) == (412, "precondition-failed")


async def test_asking_otherwise_states_what_was_read(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    path = f"/v1/overrides/{asked['id']}"
    answer = await overrides.send("PUT", path, MIA, overrides.body())
    assert problem(answer) == (428, "precondition-required")


async def test_only_who_asked_asks_otherwise_or_takes_it_back(overrides: Overrides) -> None:
    asked = await overrides.asked("C1", NOAH)
    assert problem(await overrides.put(asked["id"], MIA)) == (403, "not-requester")
    assert problem(await overrides.withdraw(asked["id"], MIA)) == (403, "not-requester")
    other = await overrides.asked("C3", NOAH)
    assert problem(await overrides.withdraw(other["id"], MIA)) == (404, "not-found")
    for caller in (RITA, CLEO):
        assert problem(await overrides.withdraw(asked["id"], caller)) == (403, "forbidden")


async def test_what_was_taken_back_is_closed(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    taken = (await overrides.withdraw(asked["id"])).json()
    assert (taken["status"], taken["waits_for"]) == ("withdrawn", [])
    assert taken["overrides"][0]["closed_by"] == "mia"
    for answer in (
        await overrides.withdraw(asked["id"]),
        await overrides.put(asked["id"]),
        await overrides.approve(asked["id"], RITA),
    ):
        assert problem(answer) == (409, "already-decided")
    assert (await overrides.tier("C1"))["pending_override"] is None


async def test_nothing_that_was_written_is_stored_in_clear(
    overrides: Overrides, session: AsyncSession
) -> None:
    await overrides.activated("C1")
    for table in ("override_versions", "override_approvals", "outbox_events", "audit_events"):
        rows = await session.execute(text(f"SELECT t::text FROM {table} AS t"))
        stored = " ".join(rows.scalars())
        assert stored, table
        for word in (STATEMENT, "justifies"):
            assert word not in stored
            assert word.encode().hex() not in stored


async def test_who_is_merged_away_while_it_is_asked_is_not_asked_for(
    overrides: Overrides, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    identified = identify

    async def merged_after(*args: Any, **words: Any) -> object:  # noqa: ANN401 - whatever it is given.
        found = await identified(*args, **words)
        into = {"into": "C4"}
        answer = await overrides.send(
            "POST", "/v1/customers/C3/merge", Caller(Role.INTEGRATION), into
        )
        assert answer.is_success, answer.text
        return found

    monkeypatch.setattr(requests, "identify", merged_after)
    assert problem(await overrides.ask("C3")) == (409, "conflict")
    assert await session.scalar(text("SELECT count(*) FROM overrides")) == 0
