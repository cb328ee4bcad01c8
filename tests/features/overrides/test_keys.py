"""The two keys over HTTP: who turns them, what both have read, and what follows."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.features.overrides.repository import steps
from app.infra.database import AsyncSession
from tests.api import Caller
from tests.factories.customers import put_customer
from tests.features.overrides.desk import (
    AGENT,
    BEA,
    BEN,
    CLEO,
    MIA,
    PURPOSE,
    RITA,
    ROB,
    STATEMENT,
    WORD,
    Overrides,
    problem,
    write_wealth,
)

pytestmark = pytest.mark.anyio


async def test_one_key_of_each_department_lets_it_serve(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    first = (await overrides.approve(asked["id"], RITA)).json()
    assert (first["status"], first["waits_for"]) == ("requested", ["business"])
    assert (await overrides.tier("C1"))["tier"] == "standard"
    second = (await overrides.approve(asked["id"], BEA)).json()
    assert (second["status"], second["waits_for"]) == ("active", [])
    assert [
        (key["department"], key["decision"], key["decided_by"], key["counts"])
        for key in second["approvals"]
    ] == [("risk", "approve", "rita", True), ("business", "approve", "bea", True)]
    tier = await overrides.tier("C1")
    assert (tier["tier"], tier["source"]) == ("diamond", "override")
    assert tier["override"] == {
        "id": asked["id"],
        "mode": "pin",
        "until": asked["valid_until"],
    }
    assert tier["pending_override"] is None


async def test_nobody_without_an_office_decides(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    path = f"/v1/overrides/{asked['id']}/approvals"
    assert (await overrides.api.call("POST", path, json={})).status_code == 401
    for caller in (AGENT, MIA, CLEO, Caller(Role.CUSTOMER, customer_id="C1")):
        assert problem(await overrides.decide(asked["id"], caller)) == (403, "forbidden")


async def test_who_has_not_read_it_does_not_decide(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    assert problem(await overrides.decide(asked["id"], RITA)) == (409, "read-first")
    # Without a purpose he was not shown what was written.
    await overrides.get(asked["id"], RITA, purpose=False)
    assert problem(await overrides.decide(asked["id"], RITA)) == (409, "read-first")
    # Another's reading is not his.
    await overrides.get(asked["id"], ROB)
    assert problem(await overrides.decide(asked["id"], RITA)) == (409, "read-first")
    await overrides.get(asked["id"], RITA)
    assert (await overrides.decide(asked["id"], RITA)).status_code == 201


async def test_who_could_not_be_shown_it_in_clear_has_not_read_it(
    overrides: Overrides, session: AsyncSession
) -> None:
    asked = await overrides.asked("C1")
    key = (await session.execute(text("SELECT wrapped_key FROM override_requests"))).scalar_one()
    change = text("UPDATE override_requests SET wrapped_key = :key")
    await session.execute(change, {"key": b"of another master"})
    shown = await overrides.get(asked["id"], RITA)
    assert (shown.status_code, shown.json()["statement"]) == (200, f"[{len(STATEMENT)}]")
    await session.execute(change, {"key": key})
    assert problem(await overrides.decide(asked["id"], RITA)) == (409, "read-first")


async def test_a_new_version_voids_what_was_decided_and_is_read_anew(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    await overrides.approve(asked["id"], RITA)
    await overrides.get(asked["id"], BEA)
    assert (await overrides.put(asked["id"], tier="gold")).status_code == 200
    assert problem(await overrides.decide(asked["id"], BEA)) == (409, "read-first")
    second = (await overrides.approve(asked["id"], BEA)).json()
    assert (second["status"], second["waits_for"]) == ("requested", ["risk"])
    assert [(key["version"], key["counts"]) for key in second["approvals"]] == [
        (1, False),
        (2, True),
    ]
    assert (await overrides.approve(asked["id"], RITA)).json()["status"] == "active"
    assert (await overrides.tier("C1"))["tier"] == "gold"


async def test_neither_who_asks_nor_the_account_manager_decides(overrides: Overrides) -> None:
    both_chairs = Caller(Role.RISK_OFFICER, subject="mia")
    asked = await overrides.asked("C3")
    await overrides.get(asked["id"], both_chairs)
    answer = await overrides.decide(asked["id"], both_chairs)
    assert problem(answer) == (403, "approver-is-requester")
    await put_customer(overrides.api, "C4", account_manager="rita")
    other = await overrides.asked("C4")
    answer = await overrides.approve(other["id"], RITA)
    assert problem(answer) == (403, "approver-is-account-manager")


async def test_who_becomes_account_manager_after_approving_counts_no_longer(
    overrides: Overrides,
) -> None:
    asked = await overrides.asked("C3")
    await overrides.approve(asked["id"], RITA)
    await put_customer(overrides.api, "C3", account_manager="rita")
    answer = (await overrides.approve(asked["id"], BEA)).json()
    assert (answer["status"], answer["waits_for"]) == ("requested", ["risk"])
    assert (await overrides.approve(asked["id"], ROB)).json()["status"] == "active"


async def test_neither_department_nor_person_decides_twice(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    await overrides.approve(asked["id"], RITA)
    for officer in (RITA, ROB):
        assert problem(await overrides.approve(asked["id"], officer)) == (409, "already-decided")
    await overrides.approve(asked["id"], BEA)
    assert problem(await overrides.approve(asked["id"], BEN)) == (409, "already-decided")


async def test_the_first_rejection_closes_it(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    await overrides.approve(asked["id"], RITA)
    await overrides.get(asked["id"], BEA)
    answer = (await overrides.decide(asked["id"], BEA, "reject")).json()
    assert (answer["status"], answer["overrides"][0]["closed_by"]) == ("rejected", "bea")
    assert problem(await overrides.approve(asked["id"], BEN)) == (409, "already-decided")
    assert (await overrides.tier("C1"))["tier"] == "standard"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"decision": "approve"}, "statement"),
        ({"decision": "maybe", "statement": WORD}, "decision"),
        ({"decision": "approve", "statement": "too short"}, "statement"),
        ({"decision": "approve", "statement": " " * 30}, "statement"),
        ({"decision": "approve", "statement": WORD, "digest": "0" * 64}, "?"),
        ({"decision": "approve", "statement": WORD, "delegation_id": "1"}, "delegation_id"),
    ],
)
async def test_a_decision_says_what_and_why(
    overrides: Overrides, body: dict[str, str], place: str
) -> None:
    asked = await overrides.asked("C1")
    await overrides.get(asked["id"], RITA)
    path = f"/v1/overrides/{asked['id']}/approvals"
    answer = await overrides.send("POST", path, RITA, body)
    assert problem(answer) == (422, "validation")
    found = [error["loc"][1] for error in answer.json()["errors"]]
    assert found in ([place], ["digest"])


async def test_what_is_decided_is_told_to_the_outbox_and_the_audit(
    overrides: Overrides, session: AsyncSession
) -> None:
    done = await overrides.activated("C1")
    await overrides.revoke(done["id"])
    events = await session.execute(text("SELECT kind, customer_ids FROM outbox_events ORDER BY id"))
    assert [tuple(event) for event in events] == [
        ("override-requested", ["C1"]),
        ("override-approved", ["C1"]),
        ("override-activated", ["C1"]),
        ("override-revoked", ["C1"]),
    ]
    audited = await session.execute(
        text(
            "SELECT route, role, outcome FROM audit_events WHERE record_version = :noted"
            " ORDER BY at, seq"
        ),
        {"noted": f"{done['id']} 1 {done['digest']}"},
    )
    assert [tuple(event) for event in audited] == [
        ("POST /v1/overrides", "account_manager", "changed"),
        ("GET /v1/overrides/{override_id}", "risk_officer", "answered"),
        ("POST /v1/overrides/{override_id}/approvals", "risk_officer", "changed"),
        ("GET /v1/overrides/{override_id}", "business_officer", "answered"),
        ("POST /v1/overrides/{override_id}/approvals", "business_officer", "changed"),
        ("POST /v1/overrides/{override_id}/revoke", "risk_officer", "changed"),
    ]


async def test_an_officer_who_did_not_ask_revokes(overrides: Overrides) -> None:
    done = await overrides.activated("C1")
    for caller in (MIA, AGENT, CLEO):
        assert problem(await overrides.revoke(done["id"], caller)) == (403, "forbidden")
    asker = Caller(Role.RISK_OFFICER, subject="mia")
    assert problem(await overrides.revoke(done["id"], asker)) == (403, "approver-is-requester")
    answer = await overrides.revoke(done["id"], BEN)
    assert answer.status_code == 200
    closed = answer.json()["overrides"][0]
    assert (closed["status"], closed["closed_because"], closed["closed_by"]) == (
        "revoked",
        "revoked",
        "ben",
    )
    tier = await overrides.tier("C1")
    assert (tier["tier"], tier["source"], tier["override"]) == ("standard", "evaluated", None)
    assert problem(await overrides.revoke(done["id"])) == (409, "not-active")


async def test_who_went_over_to_the_other_department_revokes_in_his_new_role(
    overrides: Overrides, session: AsyncSession
) -> None:
    done = await overrides.activated("C1")
    await session.execute(
        text(
            "UPDATE actors SET roles = ARRAY['business_officer'], issued_at = issued_at +"
            " interval '1 hour' WHERE subject = 'rita'"
        )
    )
    assert problem(await overrides.revoke(done["id"], RITA)) == (403, "not-an-officer")
    as_he_is = Caller(Role.BUSINESS_OFFICER, subject="rita")
    assert (await overrides.revoke(done["id"], as_he_is)).status_code == 200


async def test_who_revokes_need_not_say_why(overrides: Overrides) -> None:
    done = await overrides.activated("C1")
    answer = await overrides.send("POST", f"/v1/overrides/{done['id']}/revoke", RITA)
    assert (answer.status_code, answer.json()["status"]) == (200, "revoked")
    shown = (await overrides.get(done["id"], CLEO)).json()
    assert shown["overrides"][0]["closing_statement"] is None
    assert shown["meta"]["masked"] == []


async def test_what_waits_is_not_revoked(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    assert problem(await overrides.revoke(asked["id"])) == (409, "not-active")


async def test_another_override_replaces_the_one_that_serves(overrides: Overrides) -> None:
    first = await overrides.activated("C1")
    second = await overrides.activated("C1", tier="gold")
    assert (await overrides.get(first["id"], CLEO)).json()["overrides"][0]["closed_because"] == (
        "superseded"
    )
    tier = await overrides.tier("C1")
    assert (tier["tier"], tier["override"]["id"]) == ("gold", second["id"])


async def test_it_is_stale_only_if_the_rules_give_another_tier(
    overrides: Overrides, session: AsyncSession
) -> None:
    asked = await overrides.asked("C1", tier="gold")
    await overrides.approve(asked["id"], RITA)
    await overrides.get(asked["id"], BEA)
    await write_wealth(session, "C1")
    assert problem(await overrides.decide(asked["id"], BEA)) == (409, "decision-stale")
    assert (await overrides.tier("C1"))["tier"] == "standard"
    waiting = (await overrides.get(asked["id"], BEA)).json()
    assert (waiting["status"], waiting["waits_for"]) == ("requested", ["business"])
    # A new version rests on what is true now.
    revised = (await overrides.put(asked["id"], tier="gold")).json()
    assert revised["overrides"][0]["evaluated_tier"] == "diamond"
    await overrides.approve(asked["id"], RITA)
    assert (await overrides.approve(asked["id"], BEA)).json()["status"] == "active"
    tier = await overrides.tier("C1")
    assert (tier["tier"], tier["evaluated_tier"]) == ("gold", "diamond")


@pytest.mark.parametrize("condition", ["*", 'W/"1", *'])
async def test_who_was_sent_no_body_has_read_nothing(
    overrides: Overrides, session: AsyncSession, condition: str
) -> None:
    asked = await overrides.asked("C1")
    path = f"/v1/overrides/{asked['id']}"
    conditional = {**PURPOSE, "If-None-Match": condition}
    answer = await overrides.send("GET", path, RITA, headers=conditional)
    reads = await session.scalar(text("SELECT count(*) FROM override_reads"))
    # What is noted as read was sent, whole.
    assert (answer.status_code, reads) == (200, 1)
    assert answer.json()["statement"] == STATEMENT


async def test_a_key_that_does_not_open_keeps_no_override_alive(
    overrides: Overrides, session: AsyncSession
) -> None:
    done = await overrides.activated("C1")
    await session.execute(
        text("UPDATE subject_keys SET wrapped_key = '\\x00' WHERE subject_id = 'C1'")
    )
    await session.commit()
    assert (await overrides.revoke(done["id"])).json()["status"] == "revoked"
    tier = await overrides.tier("C1")
    assert (tier["tier"], tier["source"]) == ("standard", "evaluated")


async def test_what_nothing_opens_was_read_by_nobody(
    overrides: Overrides, session: AsyncSession
) -> None:
    asked = await overrides.asked("C1")
    await session.execute(text("UPDATE override_requests SET wrapped_key = '\\x00'"))
    await session.commit()
    assert (await overrides.get(asked["id"], RITA)).json()["statement"] != STATEMENT
    assert await session.scalar(text("SELECT count(*) FROM override_reads")) == 0


async def test_a_key_lost_in_the_very_moment_of_the_second_never_counts_again(
    overrides: Overrides, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def show(*roles: str) -> None:
        newer = "UPDATE actors SET roles = :roles, issued_at = issued_at + interval '1 second'"
        await session.execute(text(f"{newer} WHERE subject = 'rita'"), {"roles": list(roles)})
        await session.commit()

    inserted = steps.insert_approval

    async def insert_then_lose(*args: Any, **words: Any) -> None:  # noqa: ANN401 - whatever it is given.
        await inserted(*args, **words)
        await show("business_officer", "risk_officer")

    id_ = await overrides.half_approved("C1")
    monkeypatch.setattr(steps, "insert_approval", insert_then_lose)
    second = (await overrides.decide(id_, BEA)).json()
    assert (second["status"], second["waits_for"]) == ("requested", ["risk"])
    monkeypatch.undo()
    await show("risk_officer")
    # Else both departments had decided, and nobody could any more.
    assert (await overrides.get(id_, CLEO)).json()["waits_for"] == ["risk"]
    assert (await overrides.approve(id_, ROB)).json()["status"] == "active"
