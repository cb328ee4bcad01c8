"""The catalogue is complete, typed, classified and said in both languages."""

import re
from typing import Final

import pytest

from app.domain.facts.catalogue import CATALOGUE, CONVENTIONS
from app.domain.facts.model import Fact, FactType
from tests.architecture.tree import ROOT

MINIMUM: Final = re.findall(
    r"\w+",
    """
annual_premium premium_ratio line_premium_ratio years_of_premium_growth lifetime_premium
cross_sell_potential renewal_rate days_to_renewal renewal_interval_days policies_in_force
product_lines addon_depth_12m tenure_years referrals_12m referrals_hnw_12m referred_premium_12m
opinion_leader interactions_90d channels_90d app_logins_30d months_since_contact health_habit_score
driving_score claims_3y max_claim_3y loss_ratio_3y open_claims fraud_suspicion smoker heavy_drinker
health_grade occupation_risk object_risk appetite_fit declared_matches_verified credit_score
income_band asset_band career_stage family_stage uplift_3y clv behaviour_cluster is_corporate age
surrenders_12m nps premium_change_pct interaction_change_pct payment_delays_12m
""",
)
CLASSES: Final = {
    "open", "internal", "c2.birth", "value", "risk", "s.income", "s.health", "s.fraud",
}  # fmt: skip
PURPOSES: Final = {"health_data", "lifestyle_data", "credit_data", "third_party", "behaviour",
                   "personalisation"}  # fmt: skip
REQUIREMENTS: Final = (ROOT / "docs/requirements.md").read_text("utf-8")
ASKED_FOR: Final = set(re.findall(r"^\| (S[0-9]+) \|", REQUIREMENTS, re.MULTILINE))
BARRED: Final = {"s.health", "s.fraud"}
facts = pytest.mark.parametrize("fact", CATALOGUE.values(), ids=lambda fact: fact.name)


def test_every_fact_of_the_minimum_catalogue_is_declared() -> None:
    assert set(MINIMUM) <= set(CATALOGUE)


def test_what_was_asked_for_is_numbered_through() -> None:
    assert {f"S{number}" for number in range(1, 34)} == ASKED_FOR


def test_the_catalogue_cannot_be_changed_at_run_time() -> None:
    with pytest.raises(TypeError):
        CATALOGUE["annual_premium"] = CATALOGUE["age"]  # type: ignore[index]


@facts
def test_every_fact_is_keyed_by_its_name_and_means_something_in_both_languages(fact: Fact) -> None:
    assert CATALOGUE[fact.name] is fact
    assert fact.meaning.endswith(".")
    assert fact.meaning_zh.endswith("。")
    assert "\n" not in fact.meaning + fact.meaning_zh


@facts
def test_every_fact_is_classified_and_traced_to_what_was_asked_for(fact: Fact) -> None:
    assert fact.sensitivity in CLASSES
    assert set(fact.source.split(", ")) <= ASKED_FOR
    assert fact.consent is None or fact.consent in PURPOSES


@facts
def test_only_decimals_have_a_scale_and_only_enums_have_values(fact: Fact) -> None:
    assert (fact.scale > 0) == (fact.type is FactType.DECIMAL)
    assert bool(fact.values) == (fact.type is FactType.ENUM)
    assert len(set(fact.values)) == len(fact.values)


@facts
def test_every_number_has_a_unit_and_a_range_that_fits_64_bits(fact: Fact) -> None:
    numeric = fact.type in {FactType.INT, FactType.DECIMAL}
    assert (fact.unit is not None) == numeric
    assert (fact.minimum is not None) == (fact.maximum is not None) == numeric
    if fact.minimum is not None and fact.maximum is not None:
        assert -(2**62) < fact.minimum < fact.maximum < 2**62


@facts
def test_money_has_two_decimals(fact: Fact) -> None:
    assert fact.unit != "money" or (fact.type is FactType.DECIMAL and fact.scale == 2)


@facts
def test_health_lifestyle_and_third_party_facts_need_a_consent(fact: Fact) -> None:
    assert fact.sensitivity not in {"s.health", "s.income"} or fact.consent is not None


@facts
def test_what_no_tier_may_read_is_nothing_a_customer_is_asked_to_change(fact: Fact) -> None:
    assert not (fact.influenceable and fact.sensitivity in BARRED)


@facts
def test_only_the_kind_of_customer_is_always_known(fact: Fact) -> None:
    assert fact.nullable == (fact.name not in {"is_corporate", "has_credit_code"})


def test_bounds_are_scaled_like_the_values() -> None:
    ratio = CATALOGUE["premium_ratio"]
    assert (ratio.scale, ratio.minimum, ratio.maximum) == (4, 0, 1_000_000 * 10_000)


def test_shared_meanings_are_stated_in_both_languages() -> None:
    assert {"as_of", "window", "term", "rounding", "null", "consent"} <= set(CONVENTIONS)
    for name, convention in CONVENTIONS.items():
        assert convention.name == name
        assert convention.meaning.endswith(".")
        assert convention.meaning_zh.endswith("。")
        assert "\n" not in convention.meaning + convention.meaning_zh


def test_no_open_text_is_offered_as_a_change() -> None:
    """A counterfactual names a value, and “any other text” is none."""
    assert [
        fact.name
        for fact in CATALOGUE.values()
        if fact.type is FactType.STRING and fact.influenceable
    ] == []
