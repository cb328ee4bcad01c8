"""Explanations over HTTP: of a stored decision, and of facts that somebody made up."""

from __future__ import annotations

from typing import Any

import pytest
from dirty_equals import IsPartialDict
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.domain.rules.evaluation import InputError
from app.features.rule_sets.service import load_document
from app.features.scoring.service import decisions
from app.infra.database import AsyncSession
from tests.api import Api
from tests.features.scoring.test_decisions import OFFICER, decision

__all__ = ["decision"]

pytestmark = pytest.mark.anyio

WHAT_IF = "/v1/evaluations/what-if"


async def tried(api: Api, **asked: object) -> dict[str, Any]:
    """What a what-if answers to somebody who tries rules."""
    response = await api.call("POST", WHAT_IF, Role.RULE_AUTHOR, json=asked)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_a_decision_is_explained_by_the_version_and_the_facts_of_then(
    api: Api, session: AsyncSession, decision: dict[str, Any]
) -> None:
    path = f"/v1/decisions/{decision['id']}/trace"
    before = await api.get(path, OFFICER)
    assert before.status_code == 200, before.text
    told = before.json()
    assert told == IsPartialDict(
        decision_id=decision["id"],
        customer_id="C00000007",
        rule_set=decision["rule_set"],
        data_as_of=decision["data_as_of"],
        score=decision["score"],
    )
    fired = {
        table["table"]: [row["rule"] for row in table["rows"]["fired"]]
        for table in told["tables"]
        if table["rows"] is not None
    }
    assert fired == {
        table: [rule] for table, rule in decision["fired"].items() if rule != "GENERAL"
    }
    assert fired.keys() == {"life_cycle_stage", "pyramid_layer"}
    reasons = {(entry["code"], entry["lost"]) for entry in decision["reasons"]}
    missing = {(e["reason"]["code"], e["reason"]["lost"]) for e in told["characteristics"]}
    assert {found for found in reasons if found[1] is not None} <= missing
    # Whatever came in since.
    await session.execute(text("UPDATE policy_terms SET premium = premium * 50"))
    await load_document(
        session,
        "{format: tiering/1, id: other, product_line: motor, extends: all@1,"
        " title: {en: Other, zh: 另}, objective: renewal}",
    )
    await session.commit()
    assert (await api.get(path, OFFICER)).json() == told


async def test_a_trace_of_a_decision_is_written_down_as_a_look_at_the_customer(
    api: Api, session: AsyncSession, decision: dict[str, Any]
) -> None:
    await api.get(f"/v1/decisions/{decision['id']}/trace", OFFICER)
    query = text("SELECT * FROM audit_events WHERE route LIKE '%/trace'")
    (event,) = (await session.execute(query)).mappings()
    assert (event["route"], event["outcome"], event["subjects"], event["record_version"]) == (
        "GET /v1/decisions/{decision_id}/trace",
        "answered",
        ["C00000007"],
        decision["id"],
    )


async def test_what_is_known_of_a_trace_is_not_sent_again(
    api: Api, decision: dict[str, Any]
) -> None:
    path = f"/v1/decisions/{decision['id']}/trace"
    tag = (await api.get(path, OFFICER)).headers["ETag"]
    again = await api.get(path, OFFICER, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_snapshot_that_no_rule_set_can_judge_is_told_so(
    api: Api, decision: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("age", "is outside its range")

    monkeypatch.setattr(decisions, "trace", refuse)
    response = await api.get(f"/v1/decisions/{decision['id']}/trace", OFFICER)
    assert (response.status_code, response.json()["type"]) == (409, "/problems/snapshot-unreadable")


async def test_a_what_if_is_explained_in_full_to_whoever_asks(
    api: Api,
    templates: None,  # noqa: ARG001 - they decide.
) -> None:
    facts = {"premium_ratio": "2.5", "smoker": True, "fraud_suspicion": True, "asset_band": 4}
    chosen = {"id": "all", "version": 1}
    told = await tried(api, facts=facts, rule_set=chosen, explain=True)
    trace = told["trace"]
    assert trace["score"] == told["score"] == (trace["weighted"] + 500) // 1000
    assert {e["dimension"]: e["score"] for e in trace["dimensions"]} == told["dimensions"]
    assert {t["output"]: t["answer"] for t in trace["tables"]} == told["outcomes"]
    assert {
        t["table"]: [row["rule"] for row in t["rows"]["fired"]] for t in trace["tables"]
    } == told["fired"]
    tables = {table["table"]: table for table in trace["tables"]}
    # Of what the caller made up nothing is hidden from him.
    risk = tables["risk_grade"]
    assert {"input": "fraud_suspicion", "value": "true"} in risk["inputs"]
    assert risk["rows"]["passed_over"] != []
    assert tables["pyramid_layer"]["rows"]["nearest"]["failing"] == [
        {
            "input": "premium_ratio",
            "value": "2.5",
            "condition": "> 3",
            "nearest": "3.0001",
            "distance": "0.5001",
        }
    ]
    (assets,) = (e for e in trace["characteristics"] if e["characteristic"] == "assets")
    assert assets == IsPartialDict(
        input="asset_band",
        value="4",
        dimension="potential",
        code="P02",
        lost=assets["best"] - assets["points"],
    )
    assert {t["table"]: t["is_unmatched"] for t in trace["tables"]}["tier"] is False


async def test_a_what_if_is_explained_in_the_language_of_the_caller(
    api: Api,
    templates: None,  # noqa: ARG001 - they decide.
) -> None:
    asked = {"facts": {}, "explain": True}
    answer = await api.call("POST", WHAT_IF, OFFICER, json=asked, headers={"Accept-Language": "zh"})
    texts = [entry["text"] for entry in answer.json()["trace"]["characteristics"]]
    assert all(any("一" <= sign <= "鿿" for sign in found) for found in texts)


@pytest.mark.parametrize("explain", ["yes", 1, None])
async def test_whether_to_explain_is_yes_or_no(
    api: Api,
    templates: None,  # noqa: ARG001 - they decide.
    explain: object,
) -> None:
    asked = {"facts": {}, "explain": explain}
    answer = await api.call("POST", WHAT_IF, OFFICER, json=asked)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")


async def test_facts_are_tried_under_every_objective_of_a_rule_set(
    api: Api,
    templates: None,  # noqa: ARG001 - what is tried.
) -> None:
    facts = {"tenure_years": "12", "renewal_rate": "1", "policies_in_force": 2}
    own = await tried(api, facts=facts)
    weighed = {
        name: await tried(api, facts=facts, objective=name)
        for name in ("balanced", "renewal", "hnw_growth")
    }
    assert weighed[own["rule_set"]["objective"]] == own
    assert {name: told["rule_set"]["objective"] for name, told in weighed.items()} == {
        name: name for name in weighed
    }
    assert len({told["score"] for told in weighed.values()}) == 3
    assert [told["dimensions"] for told in weighed.values()] == [own["dimensions"]] * 3
    # Loyalty is what they have, and what a renewal is about.
    assert weighed["renewal"]["score"] > own["score"] > weighed["hnw_growth"]["score"]
    refused = await api.call(
        "POST", WHAT_IF, Role.RULE_AUTHOR, json={"facts": facts, "objective": "nobodys"}
    )
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/unknown-objective")
    assert "nobodys" not in refused.text
