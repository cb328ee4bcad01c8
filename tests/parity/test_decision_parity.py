"""Outputs and completeness read the same for one customer and for the whole book."""

from datetime import date
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import FactType, FactValue
from app.domain.rules import frame as rules_book
from app.domain.rules.scalar import evaluate
from app.domain.tiering import frame as book
from app.domain.tiering.decision import (
    Cause,
    RuleSetReference,
    TierDecision,
    facts_completeness,
    outputs_digest,
    outputs_text,
)
from app.domain.tiering.ladder import LADDER
from app.domain.tiering.override import OverrideInForce, serving_on
from app.domain.tiering.stability import settle
from tests.domain.templates.books import NAMES, chances, facts_of, template
from tests.domain.tiering.strategies import overrides

AS_OF = date(2026, 12, 31)
DTYPES = {
    FactType.INT: pl.Int64,
    FactType.DECIMAL: pl.Int64,
    FactType.BOOL: pl.Boolean,
    FactType.ENUM: pl.String,
    FactType.STRING: pl.String,
    FactType.DATE: pl.Date,
}


def decided(
    name: str,
    facts: dict[str, FactValue],
    gap: str | None,
    override: OverrideInForce | None = None,
) -> TierDecision:
    evaluation = evaluate(template(name), facts)
    document = template(name).document
    tier = str(evaluation.outcomes["tier"])
    return TierDecision(
        customer_id="C1",
        as_of=AS_OF,
        cause=Cause.parse("api"),
        rule_set=RuleSetReference(name, 1, "cafe"),
        primary_line="motor",
        evaluation=evaluation,
        settled=settle(None, tier, AS_OF, document.stability, LADDER),
        facts_completeness=facts_completeness(facts, document.facts),
        gap=gap,
        override=override,
    )


def book_of(
    name: str,
    customers: list[dict[str, FactValue]],
    overrides: list[OverrideInForce | None] | None = None,
) -> pl.DataFrame:
    document = template(name).document
    facts = pl.DataFrame(
        customers, schema={fact: DTYPES[CATALOGUE[fact].type] for fact in document.facts}
    )
    evaluated = rules_book.evaluate(template(name), facts)
    given_overrides = overrides or [None] * len(customers)
    overriding = pl.DataFrame(
        [(str(o.id), o.mode, o.tier, o.until) if o else [None] * 4 for o in given_overrides],
        schema=["override.id", "override.mode", "override.tier", "override.until"],
        orient="row",
    )
    settled = evaluated.with_columns(
        facts.select(facts_completeness=book.facts_completeness(document.facts)).to_series(),
        primary_line=pl.lit("motor"),
        tier_evaluated="outcome.tier",
        tier_applied="outcome.tier",
        source=pl.lit("evaluated"),
    )
    return book.override(settled.hstack(overriding), AS_OF, LADDER)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12, deadline=None)
@given(
    chance=chances,
    gaps=st.lists(st.none() | st.text(), min_size=1, max_size=8),
    serving=st.lists(st.none() | overrides(), min_size=8, max_size=8),
)
def test_the_book_writes_every_decision_as_one_by_one(
    name: str, chance: Random, gaps: list[str | None], serving: list[OverrideInForce | None]
) -> None:
    customers = [facts_of(name, chance) for _ in gaps]
    own = serving[: len(gaps)]
    decisions = [
        decided(name, facts, gap, serving_on(override, AS_OF))
        for facts, gap, override in zip(customers, gaps, own, strict=True)
    ]
    frame = book_of(name, customers, own).with_columns(pl.Series("gap", gaps, dtype=pl.String))
    assert [text.encode() for text in book.outputs_text(frame, "cafe")] == [
        outputs_text(decision) for decision in decisions
    ]
    digests = book.outputs_digest(frame, "cafe")
    assert digests.to_list() == [outputs_digest(decision) for decision in decisions]


def test_a_book_without_gaps_reads_as_decisions_without_one() -> None:
    facts: dict[str, FactValue] = dict.fromkeys(template("all").document.facts)
    facts |= {"is_corporate": False, "has_credit_code": False}
    (digest,) = book.outputs_digest(book_of("all", [facts]), "cafe")
    assert digest == outputs_digest(decided("all", facts, None))


@given(
    known=st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=1, max_size=5),
    width=st.integers(0, 7),
)
def test_the_book_counts_known_inputs_as_one_by_one(known: list[list[bool]], width: int) -> None:
    inputs = [f"fact_{at}" for at in range(width)]
    rows = [dict(zip(inputs, [1 if bit else None for bit in row], strict=False)) for row in known]
    frame = pl.DataFrame(
        {"row": range(len(rows))} | {name: [row[name] for row in rows] for name in inputs},
        schema_overrides=dict.fromkeys(inputs, pl.Int64),
    )
    counted = frame.select("row", value=book.facts_completeness(inputs))["value"].to_list()
    assert counted == [facts_completeness(row, inputs) for row in rows]
