"""A decision as it is stored: what a reader is answered, and what a replay is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Final
from uuid import UUID

from app.domain.rules.evaluation import Answer, Reason
from app.domain.tiering.decision import RuleSetReference, TierDecision

#: Where a record comes from, as opposed to what it says.
_PROVENANCE: Final = frozenset(
    {
        "id",
        "customer_id",
        "as_of",
        "cause",
        "recorded_at",
        "benchmark_version",
        "risk_model_version",
    }
)


@dataclass(frozen=True, slots=True)
class GivenReason:
    """One reason as it is stored: its rank is its place in the list."""

    code: str
    characteristic: str
    points: int
    lost: int


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One row of the decisions, without the snapshot.

    `facts_completeness` is scaled by ten thousand; `gap` is canonical JSON text.
    """

    id: UUID
    customer_id: str
    as_of: date
    cause: str
    rule_set: RuleSetReference
    primary_line: str | None
    score: int
    dimensions: Mapping[str, int]
    outcomes: Mapping[str, Answer]
    fired: Mapping[str, tuple[str, ...]]
    reasons: tuple[GivenReason, ...]
    segment: str
    life_cycle_stage: str
    risk_grade: str
    tier_evaluated: str
    tier_applied: str
    facts_completeness: int
    gap: str | None
    risk_model_version: str | None
    benchmark_version: str | None
    override_id: UUID | None
    recorded_at: datetime

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels; none where the rule set gives none."""
        found = self.outcomes.get("labels")
        return found if isinstance(found, tuple) else ()


def record_of(decision: TierDecision, id_: UUID, recorded_at: datetime) -> DecisionRecord:
    """What is stored of a decision."""
    evaluation = decision.evaluation
    return DecisionRecord(
        id=id_,
        customer_id=decision.customer_id,
        as_of=decision.as_of,
        cause=str(decision.cause),
        rule_set=decision.rule_set,
        primary_line=decision.primary_line,
        score=evaluation.score,
        dimensions=evaluation.dimensions,
        outcomes=evaluation.outcomes,
        fired=evaluation.fired,
        reasons=tuple(given_reason(reason) for reason in evaluation.reasons),
        segment=decision.segment,
        life_cycle_stage=decision.life_cycle_stage,
        risk_grade=decision.risk_grade,
        tier_evaluated=decision.tier_evaluated,
        tier_applied=decision.tier_applied,
        facts_completeness=decision.facts_completeness,
        gap=decision.gap,
        risk_model_version=decision.risk_model_version,
        benchmark_version=decision.benchmark_version,
        override_id=None if decision.override is None else decision.override.id,
        recorded_at=recorded_at,
    )


def given_reason(reason: Reason) -> GivenReason:
    """A reason as it is stored."""
    return GivenReason(reason.code, reason.characteristic, reason.points, reason.lost)


def differing_outputs(one: DecisionRecord, other: DecisionRecord) -> tuple[str, ...]:
    """The names of the outputs in which two records say different things, sorted."""
    names = (field.name for field in fields(DecisionRecord) if field.name not in _PROVENANCE)
    return tuple(sorted(name for name in names if getattr(one, name) != getattr(other, name)))
