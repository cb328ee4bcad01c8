"""What every step leaves behind, whose keys count at the second one, and bad input at each door."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.features.overrides.service import deciding
from app.infra.database import AsyncSession
from tests.api import Caller
from tests.factories.customers import put_customer
from tests.features.overrides.desk import (
    BEA,
    BEN,
    MIA,
    RITA,
    ROB,
    WORD,
    Overrides,
    problem,
    show_newer_token,
    today,
    write_wealth,
)
from tests.features.overrides.files import Files

pytestmark = pytest.mark.anyio

BOTH = (Role.RISK_OFFICER, Role.BUSINESS_OFFICER)


async def kinds(session: AsyncSession) -> list[str]:
    """What the outbox holds, in order."""
    return list(await session.scalars(text("SELECT kind FROM outbox_events ORDER BY id")))


async def test_who_has_both_offices_turns_no_key_and_revokes_nothing(
    overrides: Overrides, session: AsyncSession
) -> None:
    done, asked = await overrides.activated("C3"), await overrides.asked("C1")
    await show_newer_token(session, RITA, *BOTH)
    for officer in (RITA, Caller(Role.BUSINESS_OFFICER, subject="rita")):
        assert problem(await overrides.approve(asked["id"], officer)) == (403, "two-roles")
        assert problem(await overrides.revoke(done["id"], officer)) == (403, "two-roles")
        inbox = await overrides.send("GET", "/v1/overrides?for=me", officer)
        assert inbox.json()["items"] == [], "nothing waits for who counts for none"


async def test_who_is_no_officer_by_his_newest_token_decides_nothing(
    overrides: Overrides, session: AsyncSession
) -> None:
    done, asked = await overrides.activated("C3"), await overrides.asked("C1")
    await show_newer_token(session, RITA, Role.AGENT)
    # The older token is still good, and opens the door only.
    assert problem(await overrides.approve(asked["id"], RITA)) == (403, "not-an-officer")
    assert problem(await overrides.revoke(done["id"], RITA)) == (403, "not-an-officer")
    await show_newer_token(session, BEA, Role.RISK_OFFICER)
    assert problem(await overrides.approve(asked["id"], BEA)) == (403, "not-an-officer")


@pytest.mark.parametrize("roles", [BOTH, (Role.AGENT,), (Role.BUSINESS_OFFICER,)])
async def test_who_has_another_office_by_the_time_of_the_second_key_counts_no_longer(
    overrides: Overrides, session: AsyncSession, roles: tuple[Role, ...]
) -> None:
    id_ = await overrides.half_approved("C1")
    await show_newer_token(session, RITA, *roles)
    answer = (await overrides.decide(id_, BEA)).json()
    assert (answer["status"], answer["waits_for"]) == ("requested", ["risk"])
    assert [key["counts"] for key in answer["approvals"]] == [False, True]
    assert (await overrides.tier("C1"))["source"] == "evaluated"
    assert await kinds(session) == [
        "override-requested",
        "override-approved",
        "override-approval-void",
        "override-approved",
    ]
    assert (await overrides.approve(id_, ROB)).json()["status"] == "active"


async def test_every_step_is_told_once(overrides: Overrides, session: AsyncSession) -> None:
    first = await overrides.asked("C1")
    await overrides.put(first["id"], tier="gold")
    await overrides.withdraw(first["id"])
    second = await overrides.asked("C1")
    await overrides.get(second["id"], BEA)
    await overrides.decide(second["id"], BEA, "reject")
    served = await overrides.activated("C1")
    await overrides.activated("C1", tier="gold")
    told = await session.execute(
        text("SELECT kind, payload->>'request_id' FROM outbox_events ORDER BY id")
    )
    steps = [tuple(event) for event in told]
    assert steps[:9] == [
        ("override-requested", first["id"]),
        ("override-revised", first["id"]),
        ("override-withdrawn", first["id"]),
        ("override-requested", second["id"]),
        ("override-rejected", second["id"]),
        ("override-requested", served["id"]),
        ("override-approved", served["id"]),
        ("override-activated", served["id"]),
        ("override-requested", steps[8][1]),
    ]
    assert steps[9:] == [
        ("override-approved", steps[8][1]),
        ("override-superseded", served["id"]),
        ("override-activated", steps[8][1]),
    ]


async def test_what_would_end_before_it_serves_is_not_executed(
    overrides: Overrides, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def let_it_pass(*_: object) -> None:
        """The day goes by in the database only, so that its rows are not what was written."""

    monkeypatch.setattr(deciding, "_require_unaltered", let_it_pass)
    id_ = await overrides.half_approved("C1", valid_until=(today() + timedelta(1)).isoformat())
    # A day goes by, for which nobody waits here: what was written yesterday is over today.
    await session.execute(text("ALTER TABLE override_versions DISABLE TRIGGER append_only"))
    await session.execute(text("ALTER TABLE overrides DISABLE TRIGGER guarded"))
    await session.execute(
        text(
            "UPDATE override_versions SET valid_until = valid_until - 1,"
            " written_on = written_on - 1, written_at = written_at - interval '1 day'"
        )
    )
    await session.execute(text("UPDATE overrides SET valid_until = valid_until - 1"))
    await session.execute(text("ALTER TABLE override_versions ENABLE TRIGGER append_only"))
    await session.execute(text("ALTER TABLE overrides ENABLE TRIGGER guarded"))
    await session.commit()
    assert problem(await overrides.decide(id_, BEA)) == (409, "validity-over")
    assert (await overrides.tier("C1"))["source"] == "evaluated"


ALTERED = (
    "UPDATE override_versions SET tier = 'gold'; UPDATE overrides SET tier = 'gold'",
    "UPDATE override_versions SET mode = 'floor'; UPDATE overrides SET mode = 'floor'",
    "; ".join(
        f"UPDATE {table} SET valid_until = valid_until + 1"
        for table in ("override_versions", "overrides")
    ),
    "UPDATE override_versions SET reason = 'objection'",
    "UPDATE override_versions SET salt = '\\x00'",
    "UPDATE override_versions SET digest = repeat('0', 64)",
    "UPDATE overrides SET evaluated_tier = 'gold'",
    "DELETE FROM override_evidence",
)


@pytest.mark.parametrize("change", ALTERED)
async def test_what_was_altered_in_the_database_is_not_decided_on(
    overrides: Overrides, session: AsyncSession, change: str
) -> None:
    asked = await overrides.asked("C1")
    await Files(overrides, asked["id"]).add()
    tables = ("override_versions", "overrides", "override_evidence")
    for does in ("DISABLE", "ENABLE"):
        for table in tables:
            await session.execute(text(f"ALTER TABLE {table} {does} TRIGGER USER"))
        if does == "DISABLE":
            for statement in change.split(";"):
                await session.execute(text(statement))
    await session.commit()
    assert problem(await overrides.approve(asked["id"], RITA)) == (500, "internal")
    assert await session.scalar(text("SELECT count(*) FROM override_approvals")) == 0


async def test_without_its_audit_event_nothing_of_a_decision_is_stored(
    overrides: Overrides, session: AsyncSession
) -> None:
    id_ = await overrides.half_approved("C1")
    await session.execute(text("ALTER TABLE audit_events RENAME TO audit_elsewhere"))
    await session.commit()
    assert problem(await overrides.decide(id_, BEA)) == (503, "unavailable")
    await session.execute(text("ALTER TABLE audit_elsewhere RENAME TO audit_events"))
    await session.commit()
    found = (await overrides.get(id_, BEA)).json()
    assert (found["status"], len(found["approvals"])) == ("requested", 1)
    assert await kinds(session) == ["override-requested", "override-approved"]
    assert (await overrides.tier("C1"))["source"] == "evaluated"
    assert (await overrides.decide(id_, BEA)).json()["status"] == "active"


async def test_a_decision_that_is_sent_again_is_one_decision(
    overrides: Overrides, session: AsyncSession
) -> None:
    id_ = await overrides.half_approved("C1")
    path, body = f"/v1/overrides/{id_}/approvals", {"decision": "approve", "statement": WORD}
    key = {"Idempotency-Key": "the second key"}
    first = await overrides.send("POST", path, BEA, body, key)
    again = await overrides.send("POST", path, BEA, body, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    other = {"decision": "reject", "statement": WORD}
    answer = await overrides.send("POST", path, BEA, other, key)
    assert problem(answer) == (422, "idempotency-key-reused")
    assert await session.scalar(text("SELECT count(*) FROM override_approvals")) == 2


async def test_a_ceiling_and_a_floor_hold_at_each_evaluation(
    overrides: Overrides, session: AsyncSession
) -> None:
    await overrides.activated("C1", mode="ceiling", tier="standard")
    await overrides.activated("C2", mode="floor", tier="gold")
    for customer_id in ("C1", "C2"):
        await write_wealth(session, customer_id)
        assert (await overrides.evaluate(customer_id)).status_code == 201
    capped, lifted = await overrides.tier("C1"), await overrides.tier("C2")
    assert (capped["tier"], capped["source"], capped["evaluated_tier"]) == (
        "standard",
        "override",
        "diamond",
    )
    assert (lifted["tier"], lifted["source"]) == ("diamond", "evaluated")
    assert lifted["override"]["mode"] == "floor"


@pytest.mark.parametrize(
    ("changed", "slug"),
    [
        ({"tier": "platinum"}, "validation"),
        ({"mode": "ceil"}, "validation"),
        ({"statement": ""}, "validation"),
        ({"statement": "x" * 4_001}, "validation"),
        ({"valid_until": "2020-01-01"}, "validity-out-of-range"),
        ({"valid_until": (today() + timedelta(367)).isoformat()}, "validity-out-of-range"),
        ({"customer_id": "C2"}, "validation"),
    ],
)
async def test_what_cannot_be_asked_cannot_be_asked_later_or_for_many(
    overrides: Overrides, session: AsyncSession, changed: dict[str, Any], slug: str
) -> None:
    asked = await overrides.asked("C1")
    await overrides.approve(asked["id"], RITA)
    assert problem(await overrides.put(asked["id"], **changed)) == (422, slug)
    found = (await overrides.get(asked["id"], BEA)).json()
    assert (found["version"], found["waits_for"]) == (1, ["business"])
    assert problem(await overrides.ask_bulk(["C3", "C4"], **changed)) == (422, slug)
    assert await session.scalar(text("SELECT count(*) FROM override_requests")) == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"statement": ""}, (422, "validation")),
        ({"statement": " " * 40}, (422, "validation")),
        ({"statement": "x" * 4_001}, (422, "validation")),
        ({"statement": "x" * 1_000_001}, (413, "body-too-large")),
    ],
)
async def test_statements_of_officers_are_words_and_no_book(
    overrides: Overrides, body: dict[str, str], expected: tuple[int, str]
) -> None:
    done, asked = await overrides.activated("C3"), await overrides.asked("C1")
    await overrides.get(asked["id"], RITA)
    path = f"/v1/overrides/{done['id']}/revoke"
    assert problem(await overrides.send("POST", path, BEN, body)) == expected
    answer = await overrides.decide(asked["id"], RITA, **body)
    assert problem(answer) == expected
    assert (await overrides.get(done["id"], BEN)).json()["status"] == "active"
    assert (await overrides.get(asked["id"], RITA)).json()["approvals"] == []


async def test_why_it_was_revoked_is_told_to_who_states_a_purpose(overrides: Overrides) -> None:
    done = await overrides.activated("C1")
    await overrides.revoke(done["id"], BEN)
    for purpose, told in ((True, "The merger was called off yesterday."), (False, None)):
        found = (await overrides.get(done["id"], MIA, purpose=purpose)).json()
        assert found["overrides"][0]["closing_statement"] == told


async def test_an_objection_is_asked_for_and_decided_like_anything(overrides: Overrides) -> None:
    await put_customer(overrides.api, "C5", account_manager="mia")
    done = await overrides.activated("C5", reason="objection")
    assert (done["reason"], done["status"]) == ("objection", "active")
