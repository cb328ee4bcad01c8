from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

from app.domain.rules.evaluation import Evaluation, Reason
from app.domain.tiering.decision import Cause, CauseKind, RuleSetReference, TierDecision
from app.domain.tiering.record import DecisionRecord, GivenReason, differing_outputs, record_of
from app.domain.tiering.stability import Settled, StabilityState

DAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
ID = UUID("0193d6b0-0000-7000-8000-000000000000")
EVALUATION = Evaluation(
    dimensions={"value": 700},
    score=700,
    outcomes={
        "tier": "gold",
        "segment": "mid_market",
        "life_cycle_stage": "stable",
        "risk_grade": "B",
        "labels": ("vip_care",),
    },
    fired={"tier": ("T1",)},
    reasons=(Reason("V01", "premium", 60, 40, 160_000),),
)
DECISION = TierDecision(
    customer_id="C1",
    as_of=DAY,
    cause=Cause(CauseKind.API),
    rule_set=RuleSetReference("all", 1, "0" * 64),
    primary_line="motor",
    evaluation=EVALUATION,
    settled=Settled(
        StabilityState("diamond", DAY, None, DAY, DAY),
        *("diamond", "grace", DAY, "grace"),
        changed=False,
    ),
    facts_completeness=5000,
    benchmark_version="2026",
    risk_model_version="industry-2027.1",
)


def record() -> DecisionRecord:
    """The record of the sample."""
    return record_of(DECISION, ID, NOW)


def test_a_record_holds_what_was_decided_and_when() -> None:
    found = record()
    assert (found.id, found.recorded_at, found.cause) == (ID, NOW, "api")
    assert (found.tier_evaluated, found.tier_applied) == ("gold", "diamond")
    assert (found.segment, found.life_cycle_stage, found.risk_grade) == (
        "mid_market",
        "stable",
        "B",
    )
    assert found.reasons == (GivenReason("V01", "premium", 60, 40),)
    assert found.labels == ("vip_care",)
    assert (found.benchmark_version, found.risk_model_version) == ("2026", "industry-2027.1")


def test_a_rule_set_without_labels_gives_none() -> None:
    assert replace(record(), outcomes={"tier": "gold"}).labels == ()


def test_records_that_say_the_same_differ_in_nothing_wherever_they_come_from() -> None:
    other = replace(record(), id=UUID(int=1), cause="timer", recorded_at=NOW.replace(hour=9))
    assert differing_outputs(record(), other) == ()


def test_every_output_that_differs_is_named() -> None:
    other = replace(record(), score=1, gap="{}", reasons=(), tier_applied="gold")
    assert differing_outputs(record(), other) == ("gap", "reasons", "score", "tier_applied")
