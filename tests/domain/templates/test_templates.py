"""The shipped rule sets: proved complete, tested by themselves, and lawful."""

import copy
from collections.abc import Mapping
from random import Random
from typing import cast

import pytest
from hypothesis import given

from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import FactValue
from app.domain.rules.compile import compile_rule_set
from app.domain.rules.document import parse_document
from app.domain.rules.paths import facts_reaching, is_barred
from app.domain.rules.scalar import evaluate
from app.domain.rules.self_test import run_tests
from app.domain.tiering.ladder import LADDER
from tests.domain.templates.books import (
    LINES,
    NAMES,
    chances,
    facts_of,
    judged,
    raw,
    template,
    value,
)

every = pytest.mark.parametrize("name", NAMES)
THRESHOLDS = {
    "all": 80_000,
    "corporate": 200_000,
    "health": 60_000,
    "liability": 50_000,
    "life": 100_000,
    "motor": 50_000,
    "property": 50_000,
}
CLAIMS = ("claims_3y", "max_claim_3y", "loss_ratio_3y", "appetite_fit")


@every
def test_it_compiles_which_proves_its_tables_and_passes_its_own_tests(name: str) -> None:
    assert len(template(name).document.tests) >= 20
    assert run_tests(template(name)) == ()


@every
def test_its_own_tests_notice_a_moved_bound(name: str) -> None:
    moved = cast("dict[str, list[dict[str, object]]]", copy.deepcopy(dict(raw("all"))))
    tier = next(table for table in moved["tables"] if table["id"] == "tier")
    rules = cast("list[dict[str, object]]", tier["rules"])
    rules[2]["when"] = {"is_corporate": "true"}
    bases: dict[str, Mapping[str, object]] = {"all@1": moved}
    document = parse_document(
        moved if name == "all" else raw(name), CATALOGUE, lambda reference: bases[reference]
    )
    failures = run_tests(compile_rule_set(document, CATALOGUE))
    assert bool(failures) == (name not in LINES)  # a line's tests say nothing of corporates


@every
def test_it_names_its_line_and_speaks_both_languages(name: str) -> None:
    document = template(name).document
    assert document.id == document.product_line == name
    assert all(item.reason.text.en and item.reason.text.zh for item in document.characteristics)


@every
def test_the_scorecard_has_at_least_eight_characteristics_over_the_four_dimensions(
    name: str,
) -> None:
    document = template(name).document
    assert len(document.characteristics) >= 8
    assert document.dimensions == ("value", "risk", "loyalty", "potential")
    assert set(document.objectives) == {"balanced", "renewal", "hnw_growth"}


@every
def test_the_tables_stand_in_the_order_of_the_decision(name: str) -> None:
    outputs = [table.output.name for table in template(name).document.tables]
    order = [
        "risk_grade",
        "extra_risk_module",
        "segment",
        "life_cycle_stage",
        "pyramid_layer",
        "labels",
        "tier",
        "underwriting_advice",
        "reinsurance_advice",
    ]
    assert [output for output in outputs if output in order] == order


@every
def test_the_tiers_are_those_of_the_ladder(name: str) -> None:
    tier = next(t for t in template(name).document.tables if t.output.name == "tier")
    assert tier.output.values == LADDER.tiers


@every
def test_health_lifestyle_fraud_and_complaints_reach_the_risk_outcomes_only(name: str) -> None:
    reach = facts_reaching(template(name).document)
    barred = {
        outcome for outcome, facts in reach.items() if any(is_barred(CATALOGUE[f]) for f in facts)
    }
    assert barred <= {
        "risk_grade",
        "extra_risk_module",
        "underwriting_advice",
        "reinsurance_advice",
    }
    assert "complaints_12m" not in template(name).document.facts


@every
@given(chance=chances)
def test_law_claims_alone_never_change_score_or_tier(name: str, chance: Random) -> None:
    facts = facts_of(name, chance)
    other = facts | {claim: value(CATALOGUE[claim], chance) for claim in CLAIMS}
    before, after = evaluate(template(name), facts), evaluate(template(name), other)
    assert after.score == before.score
    assert after.outcomes["tier"] == before.outcomes["tier"]


@every
@given(chance=chances)
def test_law_every_customer_gets_one_answer_from_every_complete_table(
    name: str, chance: Random
) -> None:
    evaluation = evaluate(template(name), facts_of(name, chance))
    for table in template(name).document.tables:
        assert evaluation.outcomes[table.output.name] is not None
    assert 0 <= evaluation.score <= 1000


@every
@given(chance=chances)
def test_law_the_tier_follows_the_document(name: str, chance: Random) -> None:
    """The table, said once more as a sentence of code."""
    facts = facts_of(name, chance)
    evaluation = evaluate(template(name), facts)
    threshold = THRESHOLDS[name]
    premium = facts["annual_premium"]
    segment = evaluation.outcomes["segment"]
    if (
        segment == "high_net_worth"
        or (isinstance(premium, int) and premium > threshold * 100)
        or (facts["is_corporate"] and facts["has_credit_code"])
    ):
        tier = "diamond"
    elif segment == "mid_market" and not facts["is_corporate"] and evaluation.score > gold(name):
        tier = "gold"
    else:
        tier = "standard"
    assert evaluation.outcomes["tier"] == tier


def gold(name: str) -> int:
    """The score bound of gold, as the tier table has it."""
    tier = next(t for t in template(name).document.tables if t.output.name == "tier")
    rule = next(rule for rule in tier.rules if rule.then == "gold")
    ((low, high),) = rule.when["score"].spans
    assert high == 1000
    return low - 1


LADDER_OF_VALUE: dict[str, list[dict[str, FactValue]]] = {
    name: [
        {
            "years_of_premium_growth": growth,
            "product_lines": lines,
            "tenure_years": years,
            "uplift_3y": 10 * lines,
            "asset_band": lines + growth,
            "payment_delays_12m": 0,
        }
        for growth in range(5)
        for lines in range(1, 4)
        for years in (500, 2_000, 4_000, 6_000, 11_000)
    ]
    for name in NAMES
}


@pytest.mark.parametrize("name", ["all", *LINES])
def test_gold_begins_just_over_the_score_bound(name: str) -> None:
    scored = [
        judged(name, premium_ratio=15_000, renewal_rate=rate, policies_in_force=held, **known)
        for known in LADDER_OF_VALUE[name]
        for rate in (None, 0, 6_000, 9_000, 10_000)
        for held in (1, 4)
    ]
    tiers = {evaluation.score: evaluation.outcomes["tier"] for evaluation in scored}
    bound = gold(name)
    under = max(score for score in tiers if score <= bound)
    over = min(score for score in tiers if score > bound)
    assert (tiers[under], tiers[over]) == ("standard", "gold")
    assert over - under <= 10


@pytest.mark.parametrize(
    ("held", "stage"),
    [
        ({"policies_in_force": 0, "last_line": "motor"}, "lapsed"),
        ({"policies_in_force": 1}, "dormant"),
        ({"policies_in_force": 1, "months_since_activity": 0}, "at_risk"),
        ({"policies_in_force": 1, "months_since_activity": 0, "surrenders_12m": 0}, "new"),
    ],
)
def test_the_stage_follows_its_precedence(held: dict[str, FactValue], stage: str) -> None:
    every_signal: dict[str, FactValue] = {
        "months_since_activity": 24,
        "surrenders_12m": 1,
        "tenure_years": 0,
    }
    for name in NAMES:
        assert judged(name, **(every_signal | held)).outcomes["life_cycle_stage"] == stage
