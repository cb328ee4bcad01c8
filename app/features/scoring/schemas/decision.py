"""Decisions as they are asked for and answered."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.types import UUID7

from app.domain.privacy.sensitive import Sensitive
from app.domain.tiering.explanation import reason_piece
from app.domain.words import GRADE_BANDS
from app.features.customers.service import Subject
from app.features.scoring.schemas.sight import Class, Sight, share
from app.features.scoring.service import Replay, Stored
from app.features.tiers.schemas import ReasonRead, ReasonTeller, RuleSetRead
from app.infra.locale import Locale
from app.infra.masking import Derived, Internal, MaskedRead, Open, Risk, internal
from app.infra.problems import FieldError, ProblemError
from app.infra.written import BusinessDay

FiredRule = Internal[str | list[str]]


class DecidingRuleSetRead(RuleSetRead):
    """The rule set version that decided, and what its document was."""

    hash: Internal[str] = Field(description="SHA-256 of its document.")


class DecisionRead(MaskedRead):
    """One decision on a customer."""

    id: Open[UUID7] = Field(description="Id of the decision.")
    customer_id: Open[str] = Field(description="The customer, by the id he is stored under.")
    score: Internal[int] = Field(description="Weighted score, 0 to 1000.")
    dimensions: dict[str, Internal[int]] = Field(
        description="Score of each dimension, 0 to 1000; a band of 200 where that is all to see."
    )
    risk_grade: Risk[str] = Field(description="A is the lowest risk; low, medium, high as a band.")
    segment: Internal[str] = Field(description="Value segment.")
    life_cycle_stage: Internal[str] = Field(description="Life-cycle stage.")
    labels: Internal[list[str]] = Field(description="Labels.")
    tier: Open[str] = Field(description="The tier that serves after stability and override.")
    tier_evaluated: Internal[str] = Field(description="The tier the rules give.")
    primary_line: Internal[str] = Field(description="The customer's primary product line.")
    outcomes: dict[str, Derived[str | list[str]]] = Field(
        description="What the other tables give, such as the underwriting advice; null unmatched."
    )
    reasons: list[ReasonRead] = Field(description="Why not more points, the weightiest first.")
    fired: dict[str, FiredRule] = Field(
        description="Rule that decided, by table; a list where a table gives a set; GENERAL where"
        " a fact behind it is banded or withheld."
    )
    rule_set: DecidingRuleSetRead = Field(description="What decided.")
    cause: Internal[str] = Field(description="api, timer, event:<id>, run:<id>, override:<id>.")
    evaluated_at: Open[datetime] = Field(description="When it was decided.")
    data_as_of: Open[date] = Field(description="Business day of the facts.")
    facts_completeness: Internal[Decimal] = Field(
        description="Share of the rule set's inputs that were known."
    )
    risk_model_version: Internal[str] = Field(description="Model the risk was judged by.")
    benchmark_version: Internal[str] = Field(description="Market benchmark of the ratios.")
    override_id: Open[UUID | None] = Field(
        description="The override that was taken into account; it may have changed nothing."
    )

    @classmethod
    def from_domain(cls, stored: Stored, subject: Subject, locale: Locale) -> DecisionRead:
        """A stored decision on a customer, ready to be masked for who looks at him."""
        record, document = stored.record, stored.rule_set.compiled.document
        sight = Sight(document, subject.viewer)
        teller = ReasonTeller(document, subject.viewer, locale)
        return cls(
            id=record.id,
            customer_id=subject.customer_id,
            score=internal(record.score),
            dimensions=sight.dimensions(record),
            risk_grade=Sensitive(
                Class.RISK, record.risk_grade, band=GRADE_BANDS[record.risk_grade]
            ),
            segment=internal(record.segment),
            life_cycle_stage=internal(record.life_cycle_stage),
            labels=internal(list(record.labels)),
            tier=record.tier_applied,
            tier_evaluated=internal(record.tier_evaluated),
            primary_line=internal(record.primary_line),
            outcomes=sight.outcomes(record),
            reasons=[teller.read(reason_piece(reason, document)) for reason in record.reasons],
            fired=sight.fired(record),
            rule_set=DecidingRuleSetRead(
                id=internal(record.rule_set.id),
                version=internal(record.rule_set.version),
                hash=internal(record.rule_set.hash),
            ),
            cause=internal(record.cause),
            evaluated_at=record.recorded_at,
            data_as_of=record.as_of,
            facts_completeness=internal(share(record.facts_completeness)),
            risk_model_version=internal(record.risk_model_version),
            benchmark_version=internal(record.benchmark_version),
            override_id=record.override_id,
        )


class ReplayRead(MaskedRead):
    """Whether deciding again from the snapshot says the same."""

    decision_id: Open[UUID7] = Field(description="The decision that was replayed.")
    customer_id: Open[str] = Field(description="The customer, by the id he is stored under.")
    identical: Open[bool] = Field(description="Whether every output came out the same.")
    differences: Internal[list[str]] = Field(description="Names of the outputs that did not.")

    @classmethod
    def from_domain(cls, replay: Replay, customer_id: str) -> ReplayRead:
        """What a replay found."""
        return cls(
            decision_id=replay.stored.record.id,
            customer_id=customer_id,
            identical=replay.is_identical,
            differences=internal(list(replay.differences)),
        )


class EvaluationCreate(BaseModel):
    """What an evaluation may be asked for; the body may be left out."""

    model_config = ConfigDict(extra="forbid")

    as_of: BusinessDay | None = Field(
        default=None, description="Business day of the facts, at the latest today; today without."
    )

    def day(self, today: date) -> date:
        """The day that is meant.

        Raises:
            ProblemError: it has not come yet, so that its facts are not known.
        """
        if self.as_of is not None and self.as_of > today:
            refused = FieldError(("body", "as_of"), "future-date")
            raise ProblemError("future-day", errors=[refused])
        return self.as_of or today
