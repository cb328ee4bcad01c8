from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.decisions import frame
from app.domain.decisions.digest import Basis, outputs_digest
from app.domain.facts.model import FactValue
from app.domain.rules import frame as rules_frame
from app.domain.rules.scalar import evaluate
from app.domain.tiering import frame as tiering_frame
from app.domain.tiering.ladder import LADDER
from app.domain.tiering.stability import StabilityState, settle
from tests.domain.decisions.strategies import SCHEMA, facts, shipped
from tests.domain.tiering.strategies import states

HASH = "0" * 64
TODAY = date(2027, 3, 7)
BASIS = Basis(HASH, "motor", 7500, "2026/1")
SAMPLE: dict[str, FactValue] = {"is_corporate": False, "has_credit_code": False}


@settings(max_examples=40)
@given(
    st.lists(st.tuples(facts, st.none() | states()), min_size=1, max_size=4),
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
def test_the_run_and_a_single_evaluation_give_one_digest(
    customers: list[tuple[dict[str, FactValue], StabilityState | None]], version: str | None
) -> None:
    compiled = shipped()
    expected = []
    for given_facts, state in customers:
        evaluation = evaluate(compiled, given_facts)
        tier = str(evaluation.outcomes["tier"])
        settled = settle(state, tier, TODAY, compiled.document.stability, LADDER)
        line = given_facts["primary_line"]
        basis = Basis(HASH, None if line is None else str(line), 1234, version)
        expected.append(outputs_digest(evaluation, settled, basis))
    table = pl.DataFrame([given_facts for given_facts, _ in customers], schema=SCHEMA)
    before = pl.DataFrame(
        [
            {name: getattr(state, name, None) for name in frame.STATE_BEFORE}
            for _, state in customers
        ],
        schema={"tier": pl.String, **dict.fromkeys(frame.STATE_BEFORE[1:], pl.Date)},
    )
    evaluated = (
        rules_frame.evaluate(compiled, table)
        .with_columns(
            table["primary_line"],
            pl.lit(1234).alias("facts_completeness"),
            pl.lit(version, dtype=pl.String).alias("benchmark_version"),
            pl.col("outcome.tier").alias("tier_evaluated"),
        )
        .hstack(before)
    )
    settled_frame = tiering_frame.settle(evaluated, TODAY, compiled.document.stability, LADDER)
    assert frame.outputs_digest(settled_frame, compiled.document, HASH).to_list() == expected


def test_every_output_takes_part() -> None:
    compiled = shipped()
    evaluation = evaluate(compiled, SAMPLE)
    state = StabilityState("diamond", TODAY, None, None, TODAY)
    settled = settle(state, "standard", TODAY, compiled.document.stability, LADDER)
    assert settled.grace_until is not None
    reason = evaluation.reasons[0]
    variants = [
        outputs_digest(evaluation, settled, BASIS),
        outputs_digest(evaluation, settled, replace(BASIS, rule_set_hash="1" * 64)),
        outputs_digest(evaluation, settled, replace(BASIS, primary_line=None)),
        outputs_digest(evaluation, settled, replace(BASIS, completeness=7501)),
        outputs_digest(evaluation, settled, replace(BASIS, benchmark_version=None)),
        outputs_digest(replace(evaluation, score=evaluation.score + 1), settled, BASIS),
        outputs_digest(
            replace(evaluation, dimensions=evaluation.dimensions | {"risk": 1}), settled, BASIS
        ),
        outputs_digest(
            replace(evaluation, outcomes=evaluation.outcomes | {"labels": ("x", "y")}),
            settled,
            BASIS,
        ),
        outputs_digest(
            replace(evaluation, outcomes=evaluation.outcomes | {"tier": None}), settled, BASIS
        ),
        outputs_digest(
            replace(evaluation, fired=evaluation.fired | {"tier": ("X",)}), settled, BASIS
        ),
        outputs_digest(
            replace(evaluation, reasons=(replace(reason, lost=reason.lost + 1),)), settled, BASIS
        ),
        outputs_digest(evaluation, replace(settled, applied_tier="gold"), BASIS),
        outputs_digest(evaluation, replace(settled, source="evaluated"), BASIS),
        outputs_digest(evaluation, replace(settled, grace_until=None), BASIS),
    ]
    assert len(set(variants)) == len(variants)
