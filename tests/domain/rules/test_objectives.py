"""Weighing by another profile changes the weights and nothing else."""

from dataclasses import replace

import pytest

from app.domain.errors import Invalid
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.compile import compile_rule_set, compile_unproved
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.objectives import with_objective
from app.domain.rules.scalar import evaluate
from app.features.rule_sets.service import shipped_documents


@pytest.fixture(scope="module")
def document() -> RuleSetDocument:
    return next(found for found in shipped_documents() if len(found.objectives) > 1)


def test_only_the_weights_change(document: RuleSetDocument) -> None:
    for name, profile in document.objectives.items():
        weighed = with_objective(document, name)
        assert weighed.weights == profile
        assert replace(weighed, objective=document.objective) == document
    assert with_objective(document, document.objective) == document


def test_scores_are_weighed_per_mille_and_exactly(document: RuleSetDocument) -> None:
    facts = {name: fact.values[0] for name, fact in CATALOGUE.items() if fact.values}
    given = {
        name: facts.get(name) if fact.nullable else (fact.minimum or 0)
        for name, fact in CATALOGUE.items()
        if name in document.facts and fact.type != "bool"
    }
    given |= {
        name: False
        for name in document.facts
        if CATALOGUE[name].type == "bool" and not CATALOGUE[name].nullable
    }
    scores = set()
    for name, profile in document.objectives.items():
        weighed = with_objective(document, name)
        found = evaluate(compile_unproved(weighed, CATALOGUE), given)
        total = sum(profile[dimension] * found.dimensions[dimension] for dimension in profile)
        assert found.score == (total + 500) // 1000
        # What was proved of the document holds under each of its objectives.
        assert compile_rule_set(weighed, CATALOGUE).document == weighed
        scores.add(found.score)
    assert len(scores) > 1


def test_a_profile_the_document_does_not_have_is_refused(document: RuleSetDocument) -> None:
    with pytest.raises(Invalid) as refused:
        with_objective(document, "nobody's")
    assert refused.value.type == "unknown-objective"
    assert "nobody" not in refused.value.detail
    assert document.objective in refused.value.detail
