"""Publishing: two people, no errors, tests that pass, a simulation, and a day that is not past."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.domain.words import RISK_GRADES, TIERS
from app.features.publications.service import publishing
from app.features.rule_sets.service import load_document, resolve
from app.infra.database import AsyncSession
from tests.api import Caller
from tests.features.publications.conftest import Rehearsed
from tests.features.rule_sets.desk import (
    ADA,
    ADA_PUBLISHES,
    ALAN,
    ASSESSMENT,
    CLEO,
    PAUL,
    PIA,
    RuleDesk,
    in_days,
    overlay,
    refused,
    today,
)
from tests.features.rule_sets.test_rule_sets import document

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("unrehearsed")]


async def test_only_a_publisher_publishes(rules: RuleDesk) -> None:
    await rules.opened()
    assert (await rules.publish(None)).status_code == 401
    for role in sorted(set(Role) - {Role.RULE_PUBLISHER}):
        caller = Caller(role, "C1" if role is Role.CUSTOMER else None)
        assert (await rules.publish(caller)).status_code == 403, role
    assert (await rules.publish()).status_code == 201


async def test_a_draft_becomes_a_version_that_decides_from_its_day(
    rules: RuleDesk, session: AsyncSession
) -> None:
    await rules.opened()
    draft = (await rules.edit(overlay(), ALAN)).json()
    answer = await rules.publish(valid_from=in_days(1))
    told = answer.json()
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == "/v1/rule-sets/own/versions/1"
    assert told == {
        "id": told["id"],
        "rule_set_id": "own",
        "kind": "published",
        "product_line": "motor",
        "version": 1,
        "hash": draft["hash"],
        "effective_on": in_days(1),
        "deciding": {"valid_from": in_days(1), "valid_to": None},
        "pia_ref": ASSESSMENT,
        "published_at": told["published_at"],
        "published_by": None,
        "authors": None,
        "warnings": [],
        "meta": {"masked": ["published_by", "authors"]},
    }
    assert refused(await rules.draft()) == (404, "not-found")
    (version,) = (await rules.listed("own"))["versions"]
    assert version == {
        "version": 1,
        "hash": draft["hash"],
        "origin": "published",
        "created_at": version["created_at"],
        "published_at": told["published_at"],
    }
    assert (await rules.listed("motor"))["activations"] == [
        {"version": 1, "valid_from": None, "valid_to": in_days(1)}
    ]
    assert (await resolve(session, "motor", today())).stored.rule_set_id == "motor"
    stored = await rules.send("GET", "/own/versions/1", ADA)
    assert stored.headers["ETag"] == f'"{draft["hash"]}"'


async def test_readers_are_told_who_published_what_where_they_may_know_people(
    rules: RuleDesk,
) -> None:
    await rules.opened()
    await rules.edit(overlay(), ALAN)
    first = await rules.published()
    await rules.opened(source={"rule_set": "own", "version": 1})
    await rules.edit(overlay(bound="0.9"))
    second = await rules.published(PAUL, valid_from=in_days(7))
    path = "/own/publications"
    assert (await rules.send("GET", path, None)).status_code == 401
    assert (await rules.send("GET", path, Caller(Role.ANALYST))).status_code == 403
    told = (await rules.send("GET", path, CLEO)).json()
    entry = {name: part for name, part in first.items() if name not in {"warnings", "meta"}}
    newest = {name: part for name, part in second.items() if name not in {"warnings", "meta"}}
    assert told == {
        "items": [
            {**newest, "published_by": "paul", "authors": ["ada"]},
            {
                **entry,
                "deciding": {"valid_from": in_days(0), "valid_to": in_days(7)},
                "published_by": "pia",
                "authors": ["ada", "alan"],
            },
        ],
        "next_cursor": None,
        "meta": {"masked": []},
    }
    page = (await rules.send("GET", f"{path}?limit=1", ADA)).json()
    assert [item["published_by"] for item in page["items"]] == [None]
    rest = (await rules.send("GET", f"{path}?limit=1&cursor={page['next_cursor']}", ADA)).json()
    assert [item["id"] for item in page["items"] + rest["items"]] == [second["id"], first["id"]]
    stolen = await rules.send("GET", f"{path}?limit=1&cursor={page['next_cursor']}", PIA)
    assert refused(stolen) == (422, "validation")
    assert (await rules.send("GET", "/motor/publications", CLEO)).json()["items"] == []


@pytest.mark.parametrize("editor", ["opened", "edited", "edited long ago"])
async def test_nobody_publishes_what_he_had_a_hand_in(rules: RuleDesk, editor: str) -> None:
    await rules.opened(ADA if editor == "opened" else ALAN)
    if editor != "opened":
        await rules.edit(overlay())
    if editor == "edited long ago":
        await rules.edit(overlay(bound="0.7"), ALAN)
    assert refused(await rules.publish(ADA_PUBLISHES)) == (403, "publisher-is-author")
    assert (await rules.draft()).status_code == 200
    await rules.published(PIA)


async def test_who_wrote_a_document_stays_its_author_whoever_opens_it_again(
    rules: RuleDesk,
) -> None:
    await rules.opened(ADA)
    await rules.edit(overlay())
    # It need not have been the newest revision of the draft.
    await rules.edit(overlay(bound="0.6"))
    gone = await rules.send("DELETE", "/own/draft", ADA, headers={"If-Match": "*"})
    assert gone.status_code == 204
    await rules.opened(ALAN)
    await rules.edit(overlay(), ALAN)
    assert refused(await rules.publish(ADA_PUBLISHES)) == (403, "publisher-is-author")
    await rules.published(PIA)
    shown = (await rules.send("GET", "/own/publications", CLEO)).json()["items"]
    assert [one["authors"] for one in shown] == [["ada", "alan"]]
    # What another made of it afterwards is his alone.
    await rules.opened(ALAN, {"rule_set": "own", "version": 1})
    await rules.edit(overlay(bound="0.9"), ALAN)
    await rules.published(ADA_PUBLISHES)


async def test_what_was_edited_after_it_was_looked_at_is_not_published(rules: RuleDesk) -> None:
    seen = (await rules.opened()).json()["hash"]
    await rules.edit(overlay())
    assert refused(await rules.publish(hash=seen)) == (409, "draft-changed")
    assert refused(await rules.publish(id_="motor", hash=seen)) == (409, "draft-changed")
    await rules.published()


async def test_what_was_not_simulated_as_it_is_is_not_published(
    rules: RuleDesk, unrehearsed: Rehearsed
) -> None:
    seen = (await rules.opened()).json()["hash"]
    unrehearsed.add(("own", seen))
    assert refused(await rules.publish()) == (409, "not-rehearsed")
    await rules.edit(overlay())
    await rules.published()


async def test_open_errors_are_named_by_their_places(rules: RuleDesk) -> None:
    await rules.opened()
    gap = {"id": "segment", "rules": [{"id": "SEG1", "removed": True}]}
    await rules.edit(overlay(tables=[gap]))
    answer = await rules.publish()
    assert refused(answer) == (409, "open-errors")
    errors = answer.json()["errors"]
    assert errors
    assert all(error["loc"][:2] == ["document", "tables"] for error in errors)
    assert (await rules.draft()).status_code == 200


async def test_failing_tests_are_named_by_their_places(rules: RuleDesk) -> None:
    await rules.opened()
    wrong = [{"in": {"annual_premium": "1"}, "expect": {"tier": "diamond"}}]
    await rules.edit(overlay(tests=wrong))
    answer = await rules.publish()
    assert refused(answer) == (409, "tests-fail")
    assert {tuple(error["loc"][:3]) for error in answer.json()["errors"]} == {
        ("document", "tests", 0)
    }


async def test_sensitive_facts_need_an_assessment(rules: RuleDesk) -> None:
    await rules.opened()
    assert refused(await rules.publish(pia_ref=None)) == (409, "pia-required")
    assert (await rules.published(pia_ref="PIA/7"))["pia_ref"] == "PIA/7"


async def test_what_reads_no_sensitive_fact_needs_none(rules: RuleDesk) -> None:
    await rules.opened(source=None, document=plain_document("own"))
    assert (await rules.published(pia_ref=None))["pia_ref"] is None


def plain_document(id_: str) -> dict[str, Any]:
    """The least a rule set says, by the premium alone."""
    one = {"value": 1000}
    return {
        "format": "tiering/1",
        "id": id_,
        "product_line": "motor",
        "title": {"en": "Plain", "zh": "简"},
        "objective": "only",
        "objectives": {"only": one},
        "scorecard": {
            "reasons": {"top": 4},
            "characteristics": [
                {
                    "id": "premium",
                    "dimension": "value",
                    "input": "annual_premium",
                    "trend": "increasing",
                    "reason": {"code": "V01", "en": "Premium", "zh": "保费"},
                    "bins": [
                        {"when": "< 10000, null", "points": 0},
                        {"when": ">= 10000", "points": 100},
                    ],
                }
            ],
        },
        "tables": [outcome(name, values) for name, values in OUTCOMES.items()],
        "stability": {
            "downgrade_cooldown_days": 90,
            "downgrade_step": "one",
            "grace_days": 30,
            "min_dwell_days": 30,
        },
    }


OUTCOMES: dict[str, list[str]] = {
    "segment": ["high_net_worth", "mid_market", "potential", "base"],
    "life_cycle_stage": ["new", "stable", "at_risk", "dormant", "lapsed"],
    "risk_grade": list(RISK_GRADES),
    "tier": list(TIERS),
}


def outcome(name: str, values: list[str]) -> dict[str, Any]:
    """A table that gives everybody the last of its values."""
    return {
        "id": name,
        "output": {"name": name, "values": values},
        "hit_policy": "first",
        "complete": True,
        "inputs": ["annual_premium"],
        "rules": [
            {"id": "RICH", "when": {"annual_premium": ">= 10000"}, "then": values[0]},
            {"id": "REST", "when": {}, "then": values[-1]},
        ],
    }


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"valid_from": in_days(-1)}, 422, "publication-back-dated"),
        ({"valid_from": "1899-12-31"}, 422, "validation"),
        ({"valid_from": "soon"}, 422, "validation"),
        ({"valid_from": 0}, 422, "validation"),
        ({"valid_from": None}, 422, "validation"),
        ({"hash": "0" * 63}, 422, "validation"),
        ({"hash": "0" * 64}, 409, "draft-changed"),
        ({"version": 1}, 404, "not-found"),
        ({"version": 0}, 422, "validation"),
        ({"version": True}, 422, "validation"),
        ({"version": 1, "hash": "0" * 64}, 422, "validation"),
        ({"pia_ref": ""}, 422, "validation"),
        ({"pia_ref": "told by Zhang Wei"}, 422, "validation"),
        ({"surplus": 1}, 422, "validation"),
    ],
)
async def test_what_is_asked_wrongly_is_refused_and_changes_nothing(
    rules: RuleDesk, body: dict[str, Any], status: int, slug: str
) -> None:
    await rules.opened()
    assert refused(await rules.publish(**body)) == (status, slug)
    assert (await rules.draft()).status_code == 200


async def test_a_publication_without_a_key_happens_once_by_the_hash(rules: RuleDesk) -> None:
    seen = (await rules.opened()).json()["hash"]
    body = {"hash": seen, "valid_from": in_days(0), "pia_ref": ASSESSMENT}
    told = await rules.api.call("POST", "/v1/rule-sets/own/publish", PIA, json=body)
    assert told.status_code == 201, told.text
    again = await rules.api.call("POST", "/v1/rule-sets/own/publish", PIA, json=body)
    assert refused(again) == (409, "draft-changed")


async def test_a_publication_happens_once_per_key(rules: RuleDesk, session: AsyncSession) -> None:
    seen = (await rules.opened()).json()["hash"]
    first = await rules.publish(key="once", hash=seen)
    again = await rules.publish(key="once", hash=seen)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert await session.scalar(text("SELECT count(*) FROM rule_set_publications")) == 1
    other = await rules.publish(key="once", hash="0" * 64)
    assert refused(other) == (422, "idempotency-key-reused")


async def test_a_publication_is_rolled_back_by_publishing_the_version_anew(
    rules: RuleDesk, session: AsyncSession
) -> None:
    await rules.opened()
    first = await rules.published()
    await rules.opened(ALAN, {"rule_set": "own", "version": 1})
    await rules.edit(overlay(bound="0.9"), ALAN)
    await rules.published(PAUL)
    assert (await resolve(session, "motor", today())).stored.version == 2
    # Its author may be a publisher by now; of this version he is the author for good.
    assert refused(await rules.publish(ADA_PUBLISHES, version=1)) == (403, "publisher-is-author")
    back = await rules.published(PIA, version=1, pia_ref=None)
    assert back == {
        **first,
        "id": back["id"],
        "kind": "republished",
        "published_at": back["published_at"],
    }
    assert (await resolve(session, "motor", today())).stored.version == 1
    assert refused(await rules.publish(version=1)) == (409, "already-in-force")
    shown = (await rules.send("GET", "/own/publications", CLEO)).json()["items"]
    assert [(one["kind"], one["version"], one["authors"]) for one in shown] == [
        ("republished", 1, ["ada"]),
        ("published", 2, ["alan"]),
        ("published", 1, ["ada"]),
    ]
    # The second began and ended on one day: it decided on none.
    assert [one["deciding"] for one in shown[1:]] == [None, None]


async def test_a_version_that_nobody_published_is_put_in_force_if_it_was_simulated(
    rules: RuleDesk, session: AsyncSession, unrehearsed: Rehearsed
) -> None:
    loaded = await load_document(session, document("motor-strict"))
    await session.commit()
    motor = (await rules.listed("motor"))["versions"][0]["hash"]
    unrehearsed.add(("motor", motor))
    assert refused(await rules.publish(id_="motor", version=1)) == (409, "not-rehearsed")
    unrehearsed.clear()
    told = await rules.published(id_="motor", version=1, valid_from=in_days(3))
    assert (told["kind"], told["version"]) == ("republished", 1)
    assert (await rules.listed("motor-strict"))["activations"] == [
        {"version": 1, "valid_from": None, "valid_to": in_days(3)}
    ]
    assert loaded.version == 1


async def test_what_would_begin_later_never_does(rules: RuleDesk) -> None:
    await rules.opened()
    await rules.published(valid_from=in_days(30))
    await rules.opened(source={"rule_set": "own", "version": 1})
    await rules.edit(overlay())
    await rules.published(valid_from=in_days(10))
    shown = (await rules.send("GET", "/own/publications", CLEO)).json()["items"]
    assert [one["deciding"] for one in shown] == [
        {"valid_from": in_days(10), "valid_to": None},
        None,
    ]


async def test_a_draft_that_says_what_a_version_says_is_that_version(rules: RuleDesk) -> None:
    await rules.opened()
    first = await rules.published(valid_from=in_days(30))
    await rules.opened(ALAN, {"rule_set": "own", "version": 1})
    again = await rules.published(valid_from=in_days(2), hash=first["hash"])
    assert (again["version"], again["hash"], again["kind"]) == (1, first["hash"], "published")
    assert len((await rules.listed("own"))["versions"]) == 1
    # By now both are its authors, and so they are from here on.
    shown = (await rules.send("GET", "/own/publications", CLEO)).json()["items"]
    assert [one["authors"] for one in shown] == [["ada", "alan"], ["ada"]]
    await rules.published(PAUL, version=1, valid_from=in_days(1))
    newest = (await rules.send("GET", "/own/publications", CLEO)).json()["items"][0]
    assert newest["authors"] == ["ada", "alan"]


async def test_it_is_told_and_audited(rules: RuleDesk, session: AsyncSession) -> None:
    await rules.opened()
    told = await rules.published()
    events = await session.execute(text("SELECT kind, customer_ids, payload FROM outbox_events"))
    assert [tuple(event) for event in events] == [
        (
            "rule-set-published",
            [],
            {
                "publication_id": told["id"],
                "rule_set_id": "own",
                "product_line": "motor",
                "effective_on": in_days(0),
                "version": 1,
                "hash": told["hash"],
            },
        )
    ]
    row = (
        await session.execute(
            text(
                "SELECT role, route, record_version, status FROM audit_events"
                " WHERE outcome = 'changed' ORDER BY id DESC LIMIT 1"
            )
        )
    ).one()
    assert tuple(row) == (
        "rule_publisher",
        "POST /v1/rule-sets/{rule_set_id}/publish",
        "own/published/1",
        201,
    )


async def test_without_a_simulation_on_record_nothing_is_published(
    rules: RuleDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked of the real feature, not of what stands for it in these tests."""
    from app.features.simulations.service import has_rehearsed

    monkeypatch.setattr(publishing, "has_rehearsed", has_rehearsed)
    await rules.opened()
    assert refused(await rules.publish()) == (409, "not-rehearsed")
