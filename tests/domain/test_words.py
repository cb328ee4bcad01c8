"""The closed lists of words stand in one place; whatever repeats one agrees with it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain import words
from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.masks import IdType
from app.domain.records.specs import RECORDS
from app.domain.tiering.ladder import LADDER
from app.domain.words import (
    ALL,
    CAREER_STAGES,
    CHECK_KINDS,
    CONTACT_CHANNELS,
    CUSTOMER_KINDS,
    FAMILY_STAGES,
    GENDERS,
    GRADE_BANDS,
    HEALTH_GRADES,
    ID_DOCUMENTS,
    INITIATORS,
    MANDATORY_OUTPUTS,
    OCCUPATION_RISKS,
    PARTY_ROLES,
    PAY_MODES,
    PREMIUM_KINDS,
    PRODUCT_LINES,
    PURPOSES,
    RELATIONS,
    RISK_GRADES,
    SALES_CHANNELS,
    TERM_ENDS,
    TERM_STARTS,
    TIERS,
)

APP = Path(words.__file__).parents[1]
RECORD_WORDS = {
    ("customers", "kind"): CUSTOMER_KINDS,
    ("customers", "id_type"): ID_DOCUMENTS,
    ("customers", "gender"): GENDERS,
    ("customers", "channel"): SALES_CHANNELS,
    ("customers", "occupation_risk"): OCCUPATION_RISKS,
    ("customers", "health_grade"): HEALTH_GRADES,
    ("customers", "career_stage"): CAREER_STAGES,
    ("customers", "family_stage"): FAMILY_STAGES,
    ("policies", "product_line"): PRODUCT_LINES,
    ("policy_parties", "role"): PARTY_ROLES,
    ("policy_parties", "relation"): RELATIONS,
    ("policy_terms", "premium_kind"): PREMIUM_KINDS,
    ("policy_terms", "pay_mode"): PAY_MODES,
    ("policy_terms", "started_as"): TERM_STARTS,
    ("policy_terms", "ended_how"): TERM_ENDS,
    ("interactions", "channel"): CONTACT_CHANNELS,
    ("interactions", "initiated_by"): INITIATORS,
    ("external_checks", "kind"): CHECK_KINDS,
    ("consents", "purpose"): PURPOSES,
    ("market_benchmarks", "product_line"): (*PRODUCT_LINES, ALL),
    ("market_benchmarks", "customer_kind"): CUSTOMER_KINDS,
}
FACT_WORDS = {
    "primary_line": PRODUCT_LINES,
    "last_line": PRODUCT_LINES,
    "occupation_risk": OCCUPATION_RISKS,
    "health_grade": HEALTH_GRADES,
    "career_stage": CAREER_STAGES,
    "family_stage": FAMILY_STAGES,
}


def test_the_records_name_the_same_words() -> None:
    named = {
        (record.name, column.name): frozenset(column.values)
        for record in RECORDS.values()
        for column in record.columns.values()
        if column.values
    }
    assert named == {place: frozenset(known) for place, known in RECORD_WORDS.items()}


def test_the_facts_name_the_same_words_and_ask_for_purposes_that_exist() -> None:
    for name, known in FACT_WORDS.items():
        assert set(CATALOGUE[name].values) == set(known), name
    named = {fact.name for fact in CATALOGUE.values() if fact.values}
    assert named - set(FACT_WORDS) == {"appetite_fit"}
    assert {fact.consent for fact in CATALOGUE.values()} - {None} <= set(PURPOSES)


def test_documents_that_can_be_masked_are_those_that_can_be_stored() -> None:
    assert set(IdType) == set(ID_DOCUMENTS)


def test_the_ladder_keeps_the_order_of_the_tiers() -> None:
    assert LADDER.tiers == MANDATORY_OUTPUTS["tier"] == TIERS


def test_every_risk_grade_has_a_band() -> None:
    assert tuple(GRADE_BANDS) == RISK_GRADES


def _lists() -> dict[frozenset[str], str]:
    """The lists of words that would not be written by chance, with their names."""
    tuples = {name: value for name, value in vars(words).items() if isinstance(value, tuple)}
    return {
        frozenset(value): name
        for name, value in tuples.items()
        if name not in {"HEALTH_GRADES", "RISK_GRADES", "GENDERS"}
    }


def _written(path: Path) -> Iterator[tuple[int, frozenset[str]]]:
    """Every list of texts in a module, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            texts = [item.value for item in node.elts if isinstance(item, ast.Constant)]
            if len(texts) == len(node.elts):
                yield node.lineno, frozenset(text for text in texts if isinstance(text, str))


@pytest.mark.parametrize("room", ["db", "demo", "domain", "features", "infra", "cli"])
def test_no_module_writes_a_list_of_words_again(room: str) -> None:
    known = _lists()
    again = [
        f"{path.relative_to(APP)}:{line} repeats {known[found]}"
        for path in sorted((APP / room).rglob("*.py"))
        if path != Path(words.__file__)
        for line, found in _written(path)
        if found in known
    ]
    assert again == []
