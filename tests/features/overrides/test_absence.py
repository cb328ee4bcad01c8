"""Who acts for an absent colleague: his key is turned once, by somebody who is no party himself."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.database import AsyncSession
from tests.api import Caller
from tests.factories.customers import put_customer
from tests.features.overrides.desk import (
    BEA,
    BEN,
    RITA,
    ROB,
    Overrides,
    problem,
    show_newer_token,
)

pytestmark = pytest.mark.anyio

#: Who asked for what he would decide on now.
MIA_THE_OFFICER = Caller(Role.RISK_OFFICER, subject="mia")


async def test_a_colleague_turns_the_key_of_who_is_away(
    overrides: Overrides, session: AsyncSession
) -> None:
    asked = await overrides.asked("C1")
    delegation_id = await overrides.delegated(RITA, ROB)
    await overrides.get(asked["id"], ROB)
    answer = await overrides.decide(asked["id"], ROB, delegation_id=delegation_id)
    assert answer.status_code == 201, answer.text
    (key,) = answer.json()["approvals"]
    assert (key["department"], key["decided_by"], key["on_behalf_of"], key["counts"]) == (
        "risk",
        "rob",
        "rita",
        True,
    )
    assert (await overrides.approve(asked["id"], BEA)).json()["status"] == "active"
    stored = await session.scalars(
        text("SELECT delegation_id::text FROM override_approvals ORDER BY decided_at, id")
    )
    assert stored.all() == [delegation_id, None]


async def test_who_is_away_decides_nothing_until_he_takes_it_back(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    delegation_id = await overrides.delegated(RITA, ROB)
    assert problem(await overrides.approve(asked["id"], RITA)) == (409, "delegated-away")
    inbox = await overrides.send("GET", "/v1/overrides?for=me", RITA)
    assert inbox.json()["items"] == []
    ended = await overrides.send("POST", f"/v1/override-delegations/{delegation_id}/end", RITA)
    assert ended.status_code == 200
    await overrides.get(asked["id"], ROB)
    answer = await overrides.decide(asked["id"], ROB, delegation_id=delegation_id)
    assert problem(answer) == (409, "delegation-not-running")
    inbox = await overrides.send("GET", "/v1/overrides?for=me", RITA)
    assert [item["id"] for item in inbox.json()["items"]] == [asked["id"]]
    assert (await overrides.approve(asked["id"], RITA)).status_code == 201


async def test_nobody_acts_by_the_delegation_of_another(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    delegation_id = await overrides.delegated(RITA, ROB)
    for caller in (Caller(Role.RISK_OFFICER, subject="ralf"), BEA):
        await overrides.get(asked["id"], caller)
        answer = await overrides.decide(asked["id"], caller, delegation_id=delegation_id)
        assert problem(answer) == (409, "delegation-not-running"), caller


async def test_who_acted_in_a_request_acts_in_it_for_nobody(overrides: Overrides) -> None:
    asked = await overrides.asked("C1")
    await overrides.approve(asked["id"], RITA)
    for absent, acting in ((RITA, ROB), (Caller(Role.RISK_OFFICER, subject="ralf"), RITA)):
        await overrides.get(asked["id"], absent)
        delegation_id = await overrides.delegated(absent, acting)
        await overrides.get(asked["id"], acting)
        answer = await overrides.decide(asked["id"], acting, delegation_id=delegation_id)
        assert problem(answer) == (409, "already-decided"), acting
        path = f"/v1/override-delegations/{delegation_id}/end"
        assert (await overrides.send("POST", path, absent)).status_code == 200


async def test_who_changed_his_department_has_the_key_of_the_new_one_only(
    overrides: Overrides, session: AsyncSession
) -> None:
    asked = await overrides.asked("C3")
    await overrides.approve(asked["id"], BEN)
    await show_newer_token(session, BEN, Role.RISK_OFFICER)
    moved = Caller(Role.RISK_OFFICER, subject="ben")
    delegation_id = await overrides.delegated(RITA, moved)
    await overrides.get(asked["id"], moved)
    answer = await overrides.decide(asked["id"], moved, delegation_id=delegation_id)
    assert (answer.status_code, answer.json()["waits_for"]) == (201, ["business"])
    counting = [key["department"] for key in answer.json()["approvals"] if key["counts"]]
    assert counting == ["risk"]


async def test_who_asked_acts_for_nobody_and_nobody_for_who_asked(overrides: Overrides) -> None:
    asked = await overrides.asked("C3")
    delegation_id = await overrides.delegated(RITA, MIA_THE_OFFICER)
    await overrides.get(asked["id"], MIA_THE_OFFICER)
    answer = await overrides.decide(asked["id"], MIA_THE_OFFICER, delegation_id=delegation_id)
    assert problem(answer) == (403, "approver-is-requester")
    ended = await overrides.send("POST", f"/v1/override-delegations/{delegation_id}/end", RITA)
    assert ended.status_code == 200
    delegation_id = await overrides.delegated(MIA_THE_OFFICER, ROB)
    await overrides.get(asked["id"], ROB)
    answer = await overrides.decide(asked["id"], ROB, delegation_id=delegation_id)
    assert problem(answer) == (403, "delegate-not-eligible")


async def test_nobody_acts_for_the_account_manager(overrides: Overrides) -> None:
    await put_customer(overrides.api, "C4", account_manager="rita")
    asked = await overrides.asked("C4")
    delegation_id = await overrides.delegated(RITA, ROB)
    await overrides.get(asked["id"], ROB)
    answer = await overrides.decide(asked["id"], ROB, delegation_id=delegation_id)
    assert problem(answer) == (403, "delegate-not-eligible")
    assert (await overrides.decide(asked["id"], ROB)).status_code == 201


async def test_the_key_of_an_absent_officer_who_lost_his_office_is_waited_for_again(
    overrides: Overrides, session: AsyncSession
) -> None:
    asked = await overrides.asked("C1")
    delegation_id = await overrides.delegated(RITA, ROB)
    await overrides.get(asked["id"], ROB)
    answer = await overrides.decide(asked["id"], ROB, delegation_id=delegation_id)
    assert answer.status_code == 201, answer.text
    inbox = "/v1/overrides?status=requested&for=me"
    ralf = Caller(Role.RISK_OFFICER, subject="ralf")
    assert (await overrides.send("GET", inbox, ralf)).json()["items"] == []
    await show_newer_token(session, RITA, Role.AGENT)
    (item,) = (await overrides.send("GET", inbox, ralf)).json()["items"]
    assert (item["id"], item["waits_for"]) == (asked["id"], ["risk", "business"])
    second = (await overrides.approve(asked["id"], BEA)).json()
    assert (second["status"], second["waits_for"]) == ("requested", ["risk"])
    assert (await overrides.approve(asked["id"], ralf)).json()["status"] == "active"
