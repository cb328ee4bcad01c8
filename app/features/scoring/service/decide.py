"""Deciding from facts alone: pure, so that an evaluation, a replay and a what-if are one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from app.domain.errors import Invalid
from app.domain.facts.model import FactValue
from app.domain.rules.canonical import rfc8785_json
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.counterfactual.levers import Gap
from app.domain.rules.counterfactual.scalar import gap
from app.domain.rules.evaluation import InputError
from app.domain.rules.scalar import evaluate
from app.domain.rules.values import value_text
from app.domain.tiering.decision import (
    Cause,
    RuleSetReference,
    TierDecision,
    facts_completeness,
    single,
)
from app.domain.tiering.ladder import LADDER
from app.domain.tiering.override import OverrideInForce, serving_on
from app.domain.tiering.selection import deciding_line
from app.domain.tiering.stability import StabilityState, settle
from app.features.rule_sets.service import RuleSet


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and why a customer is evaluated, and what is known of him beside the facts.

    `override` is his active one, whether or not it serves on the day.
    """

    customer_id: str
    as_of: date
    cause: Cause
    state: StabilityState | None
    benchmark_version: str | None
    override: OverrideInForce | None = None


def deciding_rule_set(facts: Mapping[str, FactValue], in_force: Mapping[str, RuleSet]) -> RuleSet:
    """The one rule set that decides for these facts.

    Raises:
        Conflict: `no-rule-set` if none is in force for them.
    """
    line = deciding_line(
        is_corporate=facts.get("is_corporate") is True,
        primary_line=_text(facts.get("primary_line")),
        last_line=_text(facts.get("last_line")),
        in_force=in_force,
    )
    return in_force[line]


def decide(facts: Mapping[str, FactValue], rule_set: RuleSet, occasion: Occasion) -> TierDecision:
    """The decision of one rule set on one customer's facts.

    Raises:
        Conflict: `back-dated` if the customer was already evaluated for a later day.
        Invalid: `input-error` if the facts hold what no rule set can judge.
    """
    compiled, stored = rule_set.compiled, rule_set.stored
    try:
        evaluation = evaluate(compiled, facts)
        lift = gap(compiled, facts)
    except InputError as error:
        raise Invalid("input-error", f"{error}; correct the record it comes from.") from None
    settled = settle(
        occasion.state,
        single(evaluation, "tier"),
        occasion.as_of,
        compiled.document.stability,
        LADDER,
    )
    return TierDecision(
        customer_id=occasion.customer_id,
        as_of=occasion.as_of,
        cause=occasion.cause,
        rule_set=RuleSetReference(stored.rule_set_id, stored.version, stored.hash),
        primary_line=_text(facts.get("primary_line")),
        evaluation=evaluation,
        settled=settled,
        facts_completeness=facts_completeness(facts, compiled.document.facts),
        gap=None if lift is None else gap_text(lift, compiled),
        risk_model_version=compiled.document.risk_model,
        benchmark_version=occasion.benchmark_version,
        override=serving_on(occasion.override, occasion.as_of),
    )


def gap_text(lift: Gap, compiled: CompiledRuleSet) -> str:
    """A gap as it is stored: canonical JSON, values as people write them."""
    domains = compiled.document.domains
    return rfc8785_json(
        {
            "target": lift.target,
            "moves": [
                {
                    "fact": move.fact,
                    "from": value_text(domains[move.fact], move.current),
                    "to": value_text(domains[move.fact], move.to),
                    "reaches": move.reaches,
                }
                for move in lift.moves
            ],
        }
    ).decode()


def _text(value: FactValue) -> str | None:
    return value if isinstance(value, str) else None
