"""Which facts may reach which outcomes."""

import pytest

from app.domain.rules import (
    DocumentError,
    Finding,
    facts_reaching,
    is_barred,
    parse_document,
    reason_classes,
)
from tests.domain.rules.samples import CATALOGUE, Raw, sample


def forbidden(raw: Raw) -> list[str]:
    found: tuple[Finding, ...] = ()
    try:
        parse_document(raw, CATALOGUE)
    except DocumentError as error:
        found = error.findings
    assert {finding.code for finding in found} <= {"forbidden-path"}
    return [finding.path for finding in found]


def table(name: str, inputs: list[str]) -> Raw:
    return {
        "id": name,
        "output": {"name": name, "values": ["yes", "no"]},
        "hit_policy": "first",
        "inputs": inputs,
        "rules": [{"id": "R1", "then": "yes"}],
    }


def test_barred_are_health_lifestyle_fraud_and_complaints() -> None:
    barred = {name for name, fact in CATALOGUE.items() if is_barred(fact)}
    assert barred == {"health", "smoker", "suspicion", "complaints_12m"}


def test_risk_grade_and_module_may_read_health_and_fraud() -> None:
    assert forbidden(sample()) == []


@pytest.mark.parametrize("name", ["health", "smoker", "suspicion"])
def test_no_other_table_may_read_them(name: str) -> None:
    raw = sample()
    raw["tables"][3]["inputs"].append(name)
    assert forbidden(raw) == [f"tables[3].inputs.{name}"]


@pytest.mark.parametrize("name", ["risk_grade", "extra_risk_module"])
def test_complaints_feed_nothing_not_even_the_risk(name: str) -> None:
    raw = sample()
    at = 0 if name == "risk_grade" else 5
    raw["tables"][at]["inputs"].append("complaints_12m")
    assert forbidden(raw) == [f"tables[{at}].inputs.complaints_12m"]


def test_a_barred_fact_may_not_move_the_score() -> None:
    raw = sample()
    raw["objectives"]["renewal"] = {"value": 300, "loyalty": 600, "body": 100}
    assert forbidden(raw) == ["scorecard.characteristics[health].input"]


def test_a_dimension_with_a_barred_fact_is_for_the_risk_outcomes_alone() -> None:
    raw = sample()
    raw["tables"][4]["inputs"].append("dimension.body")
    assert forbidden(raw) == ["tables[4].inputs.dimension.body"]


def test_no_table_may_pass_a_barred_fact_on() -> None:
    raw = sample()
    raw["tables"][4]["inputs"].append("risk_grade")
    assert forbidden(raw) == ["tables[4].inputs.risk_grade"]


@pytest.mark.parametrize("name", ["underwriting_advice", "reinsurance_advice"])
def test_advice_may_read_the_risk_outcomes_but_no_barred_fact(name: str) -> None:
    raw = sample()
    raw["tables"].append(table(name, ["risk_grade", "extra_risk_module", "tier"]))
    assert forbidden(raw) == []
    raw["tables"][6]["inputs"].append("health")
    assert forbidden(raw) == ["tables[6].inputs.health"]


def test_advice_is_no_way_round() -> None:
    raw = sample()
    raw["tables"].append(table("underwriting_advice", ["risk_grade"]))
    raw["tables"].append(table("gift", ["underwriting_advice"]))
    assert forbidden(raw) == ["tables[7].inputs.underwriting_advice"]


def test_the_facts_on_every_path_are_known() -> None:
    reach = facts_reaching(parse_document(sample(), CATALOGUE))
    assert reach["dimension.body"] == {"health"}
    assert reach["score"] == {"ratio", "growth", "policies"}
    assert reach["tier"] == {"ratio", "growth", "policies"}
    assert reach["risk_grade"] == {"claims", "suspicion", "health"}


def test_a_reason_has_the_class_of_the_fact_behind_it() -> None:
    classes = reason_classes(parse_document(sample(), CATALOGUE), CATALOGUE)
    assert classes == {
        "V01": "internal",
        "V02": "internal",
        "V03": "internal",
        "L01": "internal",
        "B01": "s.health",
    }
