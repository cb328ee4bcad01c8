"""Asking for simulations, and every door that bad input meets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from dirty_equals import IsDatetime, IsStr
from httpx import Response

from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.roles import Role
from app.domain.rules.compile import compile_unproved
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.writing import document_hash
from app.features.rule_sets.service import shipped_documents
from app.features.simulations.service import candidates, has_rehearsed
from app.infra.clock import business_day, utc_now
from app.infra.database import AsyncSession
from tests.api import Caller
from tests.factories.book import AS_OF
from tests.features.simulations.rehearsal import (
    AUTHOR,
    CANDIDATE,
    LINE,
    Rehearsal,
    generous,
)

pytestmark = pytest.mark.anyio

#: A fact that the catalogue no longer has.
_SPOIL = (
    "ALTER TABLE simulations DISABLE TRIGGER guard_simulation",
    "UPDATE simulations SET document = jsonb_set(document, '{tables,0,inputs,0}', '\"x\"')",
)
PATH = f"/v1/rule-sets/{CANDIDATE}/simulations"
NOBODYS = "01a203c5-d8e4-7e70-99e9-34c1969cd2d3"
MAKERS = {Role.RULE_AUTHOR, Role.RULE_PUBLISHER}
READERS = {*MAKERS, Role.RISK_OFFICER, Role.BUSINESS_OFFICER, Role.COMPLIANCE}


def slug(answer: Response) -> str:
    """The slug of a problem."""
    found: str = answer.json()["type"]
    return found.removeprefix("/problems/")


def places(answer: Response) -> list[tuple[list[Any], str]]:
    """Where a request was refused, and why."""
    return [(error["loc"], error["type"]) for error in answer.json()["errors"]]


@dataclass(frozen=True)
class Edited:
    """As much of a draft as a simulation asks for."""

    compiled: CompiledRuleSet


@pytest.fixture
def draft(monkeypatch: pytest.MonkeyPatch) -> list[RuleSetDocument]:
    """The draft of the candidate's rule set: the newest of this list, as it is edited."""
    motor = next(found for found in shipped_documents() if found.id == LINE)
    edited = [replace(motor, id=CANDIDATE, objective="renewal")]

    async def get_draft(_session: AsyncSession, *, rule_set_id: str) -> Edited:
        assert rule_set_id == CANDIDATE
        return Edited(compile_unproved(edited[-1], CATALOGUE))

    monkeypatch.setattr(candidates, "get_draft", get_draft)
    return edited


async def test_who_may_ask_and_who_may_read(rehearsal: Rehearsal) -> None:
    for role in Role:
        caller = Caller(role, customer_id="C00000001" if role is Role.CUSTOMER else None)
        asked = await rehearsal.ask(caller=caller)
        assert asked.status_code == (202 if role in MAKERS else 403), role
        listed = await rehearsal.api.get(PATH, caller)
        assert listed.status_code == (200 if role in READERS else 403), role
        one = await rehearsal.api.get(f"{PATH}/{NOBODYS}", caller)
        assert one.status_code == (404 if role in READERS else 403), role
        cancelled = await rehearsal.api.call("POST", f"{PATH}/{NOBODYS}/cancel", caller)
        assert cancelled.status_code == (404 if role in MAKERS else 403), role


async def test_what_is_asked_for_is_queued_and_found(rehearsal: Rehearsal) -> None:
    asked = await rehearsal.ask(objectives=["renewal", "renewal"])
    assert asked.status_code == 202
    id_ = asked.json()["id"]
    assert asked.json() == {"id": id_, "state": "queued"}
    assert asked.headers["Location"] == f"{PATH}/{id_}"
    found = await rehearsal.get(f"{PATH}/{id_}", Role.RULE_AUTHOR)
    assert found == {
        "id": id_,
        "state": "queued",
        "progress": {"done": 0, "total": None},
        "failure": None,
        "product_line": LINE,
        "candidate": {"rule_set": CANDIDATE, "version": 1, "hash": IsStr(regex="[0-9a-f]{64}")},
        "baseline": {"rule_set": LINE, "version": 1, "hash": IsStr(regex="[0-9a-f]{64}")},
        "objectives": ["renewal"],
        "as_of": AS_OF.isoformat(),
        "rehearsal": False,
        "requested_by": AUTHOR.subject,
        "requested_at": IsDatetime(iso_string=True),
        "snapshot_at": None,
        "completed_at": None,
        "report": None,
    }
    elsewhere = f"/v1/rule-sets/{LINE}/simulations/{id_}"
    assert (await rehearsal.api.get(elsewhere, Role.RULE_AUTHOR)).status_code == 404
    (event,) = await rehearsal.rows(
        "SELECT role, status, outcome, subjects, record_version FROM audit_events"
    )
    assert event == ("rule_author", 202, "changed", [], found["candidate"]["hash"])


async def test_a_repetition_with_its_key_asks_for_nothing_new(rehearsal: Rehearsal) -> None:
    key = {"Idempotency-Key": "one"}
    first, again = [await rehearsal.ask(headers=key) for _ in range(2)]
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert slug(await rehearsal.ask(headers=key, objectives=["renewal"])) == (
        "idempotency-key-reused"
    )
    assert await rehearsal.rows("SELECT count(*) FROM simulations") == [(1,)]


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"candidate": {}}, "candidate"),
    ({"candidate": {"draft": False}}, "candidate"),
    ({"candidate": {"draft": True, "version": 1}}, "candidate"),
    ({"candidate": {"version": 0}}, "candidate"),
    ({"candidate": {"version": "1"}}, "candidate"),
    ({"candidate": {"version": 2**31}}, "candidate"),
    ({"candidate": "draft"}, "candidate"),
    ({"baseline": {"version": 1}}, "baseline"),
    ({"baseline": {"rule_set": "../motor", "version": 1}}, "baseline"),
    ({"objectives": ["Renewal!"]}, "objectives"),
    ({"objectives": [f"profile-{number}" for number in range(9)]}, "objectives"),
    ({"as_of": "tomorrow"}, "as_of"),
    ({"as_of": 20260630}, "as_of"),
    ({"sample": 100}, "?"),
)


async def test_what_is_not_understood_is_refused_by_its_place(rehearsal: Rehearsal) -> None:
    for wanted, refused in REFUSED:
        answer = await rehearsal.ask(**wanted)
        assert (answer.status_code, slug(answer)) == (422, "validation")
        assert {place[1] for place, _ in places(answer)} == {refused}, wanted


async def test_what_is_not_there_is_not_found(rehearsal: Rehearsal) -> None:
    for answer in (
        await rehearsal.ask("nobodys"),
        await rehearsal.ask(candidate={"version": 7}),
        await rehearsal.ask(candidate={"draft": True}),
        await rehearsal.ask(baseline={"rule_set": "nobodys", "version": 1}),
        await rehearsal.ask(baseline={"rule_set": LINE, "draft": True}),
    ):
        assert answer.status_code == 404
    assert await rehearsal.rows("SELECT count(*) FROM jobs") == [(0,)]


async def test_what_cannot_be_compared_is_refused(rehearsal: Rehearsal) -> None:
    other = await rehearsal.ask(baseline={"rule_set": "health", "version": 1})
    assert (other.status_code, slug(other)) == (409, "other-line")
    unknown = await rehearsal.ask(objectives=["renewal", "nobodys"])
    assert (unknown.status_code, slug(unknown)) == (422, "unknown-objective")
    assert "nobodys" not in unknown.text
    before = await rehearsal.ask(as_of="1899-12-31")
    assert (before.status_code, slug(before)) in {(409, "no-rule-set"), (422, "validation")}


async def test_a_draft_that_is_not_safe_is_refused_by_its_places(
    rehearsal: Rehearsal, draft: list[RuleSetDocument]
) -> None:
    document = draft[-1]
    tier = next(at for at, table in enumerate(document.tables) if table.id == "tier")
    tables = list(document.tables)
    tables[tier] = replace(tables[tier], rules=tables[tier].rules[:-1])
    draft.append(replace(document, tables=tuple(tables)))
    answer = await rehearsal.ask(candidate={"draft": True})
    assert (answer.status_code, slug(answer)) == (422, "rule-set-unsafe")
    assert [place[:3] for place, _ in places(answer)] == [["candidate", "tables", tier]]
    assert places(answer)[0][1] in {"gap", "null-unhandled"}


async def test_what_is_edited_later_changes_nothing(
    rehearsal: Rehearsal, draft: list[RuleSetDocument]
) -> None:
    # Without a word it is the draft.
    path = f"/v1/rule-sets/{CANDIDATE}/simulations"
    asked = await rehearsal.api.call("POST", path, AUTHOR, json={"as_of": AS_OF.isoformat()})
    rehearsed = document_hash(draft[-1])
    draft.append(replace(draft[-1], objective="hnw_growth"))
    later = await rehearsal.ask(
        candidate={"draft": True}, baseline={"rule_set": CANDIDATE, "version": 1}
    )
    for _ in range(2):
        await rehearsal.work()
    first = await rehearsal.get(asked.headers["Location"])
    second = await rehearsal.get(later.headers["Location"])
    assert (first["candidate"]["hash"], first["candidate"]["version"]) == (rehearsed, None)
    assert second["candidate"]["hash"] == document_hash(draft[-1]) != rehearsed
    assert second["baseline"]["rule_set"] == CANDIDATE
    assert first["report"]["evaluated"] != second["report"]["evaluated"]


async def test_the_database_keeps_what_was_rehearsed(simulated: Rehearsal) -> None:
    for change in (
        "UPDATE simulations SET document = '{}'",
        "UPDATE simulations SET hash = repeat('0', 64)",
        "UPDATE simulations SET is_rehearsal = true",
        "UPDATE simulations SET report = '{}'",
        "UPDATE simulations SET report = NULL, snapshot_at = NULL, completed_at = NULL",
    ):
        with pytest.raises(Exception, match="stays"):
            await simulated.change(change)
    await simulated.change("UPDATE simulations SET has_movers = false")
    with pytest.raises(Exception, match="for good"):
        await simulated.change("UPDATE simulations SET has_movers = true")


async def test_they_are_listed_the_newest_first_and_by_page(rehearsal: Rehearsal) -> None:
    made = [(await rehearsal.ask()).json()["id"] for _ in range(3)]
    await rehearsal.ask(LINE)
    first = await rehearsal.get(f"{PATH}?limit=2", AUTHOR)
    assert [item["id"] for item in first["items"]] == made[:0:-1]
    second = await rehearsal.get(f"{PATH}?limit=2&cursor={first['next_cursor']}", AUTHOR)
    assert ([item["id"] for item in second["items"]], second["next_cursor"]) == (made[:1], None)
    # A cursor is its caller's, and its listing's.
    for path, caller in (
        (f"{PATH}?cursor={first['next_cursor']}", Caller(Role.RULE_PUBLISHER)),
        (f"/v1/rule-sets/{LINE}/simulations?cursor={first['next_cursor']}", AUTHOR),
    ):
        assert slug(await rehearsal.api.get(path, caller)) == "validation"
    assert (await rehearsal.get("/v1/rule-sets/health/simulations", AUTHOR))["items"] == []
    nobodys = await rehearsal.api.get("/v1/rule-sets/nobodys/simulations", AUTHOR)
    assert nobodys.status_code == 404


async def test_one_that_waits_is_cancelled_at_once_and_for_good(simulated: Rehearsal) -> None:
    rehearsal, done = simulated, await simulated.only()
    place = (await rehearsal.ask()).headers["Location"]
    for _ in range(2):
        cancelled = await rehearsal.api.call("POST", f"{place}/cancel", AUTHOR)
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    refused = await rehearsal.api.call("POST", f"{done}/cancel", AUTHOR)
    assert (refused.status_code, slug(refused)) == (409, "job-ended")
    # Long after, nothing is known of the job any more.
    await rehearsal.change("DELETE FROM jobs")
    assert (await rehearsal.get(place))["state"] == "failed"
    assert (await rehearsal.get(done))["state"] == "completed"
    refused = await rehearsal.api.call("POST", f"{place}/cancel", AUTHOR)
    assert (refused.status_code, slug(refused)) == (409, "job-ended")


async def test_what_this_release_cannot_read_fails_with_a_word(rehearsal: Rehearsal) -> None:
    place = (await rehearsal.ask()).headers["Location"]
    await rehearsal.change(*_SPOIL)
    await rehearsal.work()
    found = await rehearsal.get(place, AUTHOR)
    assert (found["state"], found["failure"]["type"]) == ("failed", "rule-set-outdated")
    refused = await rehearsal.api.get(f"{place}/movers", Role.RISK_OFFICER)
    assert (refused.status_code, slug(refused)) == (409, "simulation-not-completed")


async def test_one_that_was_removed_meanwhile_is_left_alone(rehearsal: Rehearsal) -> None:
    place = (await rehearsal.ask()).headers["Location"]
    await rehearsal.change("DELETE FROM simulations")
    await rehearsal.work()
    assert (await rehearsal.api.get(place, AUTHOR)).status_code == 404
    assert await rehearsal.rows("SELECT state FROM jobs") == [("succeeded",)]


async def rehearsed(rehearsal: Rehearsal, hash_: str) -> bool:
    """Whether a document of the candidate's rule set was rehearsed."""
    async with rehearsal.database.sessions() as session:
        return await has_rehearsed(session, rule_set_id=CANDIDATE, hash_=hash_)


async def test_only_a_completed_one_of_today_against_what_decides_is_a_rehearsal(
    rehearsal: Rehearsal,
) -> None:
    today = business_day(utc_now(), rehearsal.settings.business_zone)
    version = await rehearsal.store(generous("5000"))
    for wanted in (
        {"as_of": (today - timedelta(1)).isoformat()},
        {"as_of": today.isoformat(), "baseline": {"rule_set": CANDIDATE, "version": version}},
    ):
        found = await rehearsal.get(await rehearsal.simulate(**wanted))
        assert found["rehearsal"] is False
        assert not await rehearsed(rehearsal, found["candidate"]["hash"])
    asked = await rehearsal.ask(as_of=today.isoformat())
    found = await rehearsal.get(asked.headers["Location"])
    hash_, baseline = found["candidate"]["hash"], found["baseline"]["hash"]
    assert found["rehearsal"] is True
    assert not await rehearsed(rehearsal, hash_)
    await rehearsal.work()
    assert await rehearsed(rehearsal, hash_)
    assert not await rehearsed(rehearsal, baseline)
    # To name what decides is as to name nothing.
    same = {"rule_set": LINE, "version": 1}
    named = await rehearsal.ask(as_of=today.isoformat(), baseline=same)
    assert (await rehearsal.get(named.headers["Location"]))["rehearsal"] is True
    # What was rehearsed stays so when something else decides.
    await rehearsal.store(generous("4000", "motor-successor"), valid_from=today)
    assert await rehearsed(rehearsal, hash_)


async def test_a_line_without_a_rule_set_of_its_own_is_taken_from_all(
    rehearsal: Rehearsal,
) -> None:
    await rehearsal.change("DELETE FROM rule_set_activations WHERE rule_set_id = 'motor'")
    found = await rehearsal.get(await rehearsal.simulate())
    assert found["baseline"]["rule_set"] == "all"
    lines = {line["name"] for line in found["report"]["lines"]}
    assert LINE in lines
    assert 0 < found["report"]["undecided"] < found["report"]["customers"]
    named = await rehearsal.ask(baseline={"rule_set": "all", "version": 1})
    assert named.status_code == 202
