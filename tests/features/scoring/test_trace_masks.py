"""A trace of a decision tells nobody what the decision itself hides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given, settings

from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import FactValue
from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Relation, Role, Viewer
from app.domain.rules.trace import trace
from app.domain.tiering.decision import Cause, CauseKind
from app.domain.tiering.record import record_of
from app.features.customers.service import Subject
from app.features.rule_sets.service import RuleSet, StoredVersion
from app.features.scoring.schemas import DecisionRead, DecisionTraceRead
from app.features.scoring.service import Stored, TracedDecision
from app.features.scoring.service.decide import Occasion, decide
from app.infra.locale import Locale
from app.infra.masking import render
from tests.domain.templates.books import chances, facts_of, template, value

DAY: Final = date(2026, 11, 22)
ID: Final = UUID("01a203c5-d8e4-7e70-99e9-34c1969cd2d3")
HASH: Final = "0" * 64
VIEWERS: Final = {
    "own manager": Viewer(Role.ACCOUNT_MANAGER, "m", Relation.OWN),
    "other manager": Viewer(Role.ACCOUNT_MANAGER, "m"),
    "risk officer": Viewer(Role.RISK_OFFICER, "r"),
    "business officer": Viewer(Role.BUSINESS_OFFICER, "b"),
}
FACTS: Final[Mapping[str, FactValue]] = {
    "is_corporate": False,
    "has_credit_code": False,
    "annual_premium": 4_321_098,
    "premium_ratio": 25_000,
    "years_of_premium_growth": 2,
    "policies_in_force": 3,
    "tenure_years": 6_500,
    "months_since_activity": 3,
    "driving_score": 53,
    "uplift_3y": 61,
    "asset_band": 4,
    "age": 41,
    "smoker": True,
    "fraud_suspicion": False,
}


@dataclass(frozen=True)
class Seen:
    """What one viewer is told of one decision, by itself and as a trace."""

    decision: bytes
    trace: bytes

    @property
    def told(self) -> dict[str, Any]:
        """The trace as he reads it."""
        found: dict[str, Any] = json.loads(self.trace)
        return found

    @property
    def tables(self) -> dict[str, Any]:
        """Its tables by id."""
        return {table["table"]: table for table in self.told["tables"]}


def seen_by(viewer: Viewer, facts: Mapping[str, FactValue]) -> Seen:
    """A decision on facts, as a viewer is told of it."""
    compiled = template("all")
    known = dict.fromkeys(CATALOGUE) | dict(facts)
    rule_set = RuleSet(StoredVersion("all", 1, "all", HASH), compiled)
    decision = decide(known, rule_set, Occasion("C1", DAY, Cause(CauseKind.API), None, None))
    stored = Stored(record_of(decision, ID, datetime(2026, 11, 22, tzinfo=UTC)), rule_set)
    subject = Subject("C1", "individual", viewer)
    traced = TracedDecision(stored, trace(compiled, known))
    return Seen(
        render(DecisionRead.from_domain(stored, subject, Locale.EN), viewer),
        render(DecisionTraceRead.from_domain(traced, subject, Locale.EN), viewer),
    )


def neutral() -> dict[str, FactValue]:
    """The facts, and those the rule set reads besides as far as they are never null."""
    facts: dict[str, FactValue] = {}
    for name in template("all").document.facts:
        fact = CATALOGUE[name]
        facts[name] = None if fact.nullable else value(fact, Random(1))
    return facts | dict(FACTS)


@pytest.mark.parametrize(
    ("seat", "shown"),
    [
        ("own manager", {"pyramid_layer"}),
        ("other manager", set()),
        ("risk officer", {"life_cycle_stage", "pyramid_layer"}),
        ("business officer", {"life_cycle_stage", "pyramid_layer"}),
    ],
)
def test_rows_are_told_of_tables_that_read_nothing_hidden(seat: str, shown: set[str]) -> None:
    seen = seen_by(VIEWERS[seat], neutral())
    assert {name for name, table in seen.tables.items() if table["rows"] is not None} == shown
    # Exactly where the decision tells which rule fired.
    fired = json.loads(seen.decision)["fired"]
    assert {name for name, rule in fired.items() if rule != "GENERAL"} == shown
    assert "tables[].rows" in seen.told["meta"]["masked"]
    assert "tables[].inputs[].value" in seen.told["meta"]["masked"]


def test_a_row_that_is_told_is_told_in_full() -> None:
    seen = seen_by(VIEWERS["business officer"], neutral())
    layer = seen.tables["pyramid_layer"]
    assert layer["inputs"] == [{"input": "premium_ratio", "value": "2.5"}]
    (fired,) = layer["rows"]["fired"]
    assert fired["conditions"] == {"premium_ratio": "[1..3]"}
    assert fired["answer"] == layer["answer"] == "middle"
    assert layer["rows"]["passed_over"] == []
    (cell,) = layer["rows"]["nearest"]["failing"]
    assert (cell["condition"], cell["nearest"], cell["distance"]) == ("> 3", "3.0001", "0.5001")


@pytest.mark.parametrize("sensitivity", SensitivityClass)
@pytest.mark.parametrize("seat", VIEWERS)
def test_a_fact_is_told_in_the_form_of_its_class_wherever_it_stands(
    seat: str, sensitivity: SensitivityClass
) -> None:
    viewer = VIEWERS[seat]
    told = seen_by(viewer, neutral()).told
    form = MATRIX.disposition(viewer, sensitivity)
    read = [entry for table in told["tables"] for entry in table["inputs"]]
    for entry in (*read, *told["characteristics"]):
        fact = CATALOGUE.get(entry["input"])
        if fact is None or fact.sensitivity != sensitivity:
            continue
        if form is Disposition.CLEAR:
            assert entry["value"] is not None, entry
        elif form is Disposition.BAND and fact.name == "annual_premium":
            assert entry["value"] == "30000-100000"
        else:
            assert entry["value"] is None, entry
        if form is not Disposition.CLEAR and "bin" in entry:
            hidden = {**entry["reason"], "bin": entry["bin"], "rank": entry["rank"]}
            names = {"points", "lost", "bin", "rank"}
            assert {hidden[name] for name in names} == {None}
            assert form is Disposition.BAND or hidden["code"] == "GENERAL"


def test_scores_and_answers_are_told_as_the_decision_tells_them() -> None:
    for viewer in VIEWERS.values():
        seen = seen_by(viewer, neutral())
        decision, told = json.loads(seen.decision), seen.told
        scores = {entry["dimension"]: entry["score"] for entry in told["dimensions"]}
        assert scores == decision["dimensions"]
        assert told["score"] == decision["score"]
        for entry in told["dimensions"]:
            assert (entry["points"] is None) is not isinstance(entry["score"], int)
        # Somebody's potential is withheld from everybody, and so is the sum before it is rounded.
        assert told["weighted"] is None
        answers = {table["output"]: table["answer"] for table in told["tables"]}
        named = ("risk_grade", "segment", "life_cycle_stage", "labels")
        assert answers == {
            **{name: decision[name] for name in named},
            "tier": decision["tier_evaluated"],
            **decision["outcomes"],
        }
        read = {e["input"]: e["value"] for t in told["tables"] for e in t["inputs"]}
        assert read["segment"] == decision["segment"]
        assert read["risk_grade"] == decision["risk_grade"]
        assert read["score"] == str(decision["score"])
        assert read["extra_risk_module"] == decision["outcomes"]["extra_risk_module"]


def hidden_facts(viewer: Viewer) -> list[str]:
    """The facts of which a viewer is told nothing at all."""
    return [
        name
        for name in template("all").document.facts
        if MATRIX.disposition(viewer, SensitivityClass(CATALOGUE[name].sensitivity))
        is not Disposition.CLEAR
        and CATALOGUE[name].unit != "money"
    ]


@pytest.mark.parametrize("seat", VIEWERS)
def test_what_leaves_a_decision_as_it_was_leaves_its_trace_as_it_was(seat: str) -> None:
    viewer = VIEWERS[seat]
    names = hidden_facts(viewer)
    compared = 0

    @given(chances)
    @settings(max_examples=60)
    def holds(chance: Random) -> None:
        nonlocal compared
        facts = facts_of("all", chance)
        changed = {
            name: value(CATALOGUE[name], chance)
            for name in chance.sample(names, chance.randint(1, 2))
        }
        before, after = seen_by(viewer, facts), seen_by(viewer, facts | changed)
        if before.decision == after.decision and facts | changed != facts:
            compared += 1
            assert before.trace == after.trace, changed

    holds()
    assert compared > 5


@pytest.mark.parametrize("role", [Role.AGENT, Role.COMPLIANCE, Role.INTEGRATION])
def test_whom_the_route_lets_in_by_mistake_is_told_nothing_protected(role: Role) -> None:
    told = seen_by(Viewer(role, "somebody"), neutral()).told
    entries = [*told["characteristics"], *(e for t in told["tables"] for e in t["inputs"])]
    protected = {"s.health", "s.fraud", "s.income", "risk"}
    shown = {
        entry["value"]
        for entry in entries
        if entry["input"] is None
        or (entry["input"] in CATALOGUE and CATALOGUE[entry["input"]].sensitivity in protected)
    }
    assert shown == {None}
    rows = {table["table"] for table in told["tables"] if table["rows"] is not None}
    assert rows == set()
