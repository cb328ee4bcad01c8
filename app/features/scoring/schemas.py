"""Decisions as they are asked for and answered, masked by role."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)
from pydantic.types import UUID7

from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.domain.privacy.sensitive import Sensitive
from app.domain.rules.evaluation import Answer
from app.domain.rules.model import DIMENSION_PREFIX, HitPolicy, RuleSetDocument
from app.domain.rules.paths import ADVICE_OUTCOMES, RISK_OUTCOMES, facts_reaching
from app.domain.tiering.decision import COMPLETENESS_SCALE
from app.domain.tiering.explanation import ReasonPiece, reason_piece
from app.domain.tiering.ladder import in_language
from app.domain.tiering.record import DecisionRecord, given_reason
from app.domain.words import GRADE_BANDS
from app.features.customers.service import Subject
from app.features.scoring.service import Replay, Stored, Trial
from app.features.tiers.schemas import (
    GENERAL,
    ReasonRead,
    ReasonTeller,
    RuleSetRead,
    least_shown,
)
from app.infra.description.facts import fact_schema
from app.infra.locale import Locale
from app.infra.masking import Derived, Internal, MaskedRead, Open, ReadModel, Risk, internal
from app.infra.problems import FieldError, ProblemError
from app.infra.written import PRINTABLE, WHOLE, BusinessDay

Class = SensitivityClass

_BAND_WIDTH = 200

FiredRule = Internal[str | list[str]]

#: What has a field of its own, with the class that the role table lists for it.
_NAMED: Final = frozenset({"risk_grade", "segment", "life_cycle_stage", "labels", "tier"})


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
        sight = _Sight(document, subject.viewer)
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
            facts_completeness=internal(_share(record.facts_completeness)),
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


class RuleSetChoice(BaseModel):
    """One stored rule set version."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=64, description="Its id."), PRINTABLE]
    version: Annotated[int, Field(ge=1, le=2**31 - 1, description="Its version.")]


_FactName = Annotated[str, Field(max_length=64), PRINTABLE]
_FactText = Annotated[StrictStr, Field(max_length=200), PRINTABLE]


def _facts_schema() -> dict[str, Any]:
    """Every fact there is with the values it takes, as the catalogue has them."""
    facts = {name: fact_schema(fact) for name, fact in CATALOGUE.items()}
    return {"type": "object", "properties": facts, "additionalProperties": False}


class TrialCreate(BaseModel):
    """Facts to try on a rule set."""

    model_config = ConfigDict(extra="forbid")

    facts: Annotated[
        dict[
            _FactName,
            StrictBool | Annotated[StrictInt, WHOLE] | _FactText | None,
        ],
        Field(max_length=200, description="By name; decimals as text, those left out unknown."),
        WithJsonSchema(_facts_schema()),
    ]
    rule_set: RuleSetChoice | None = Field(
        default=None, description="The version to try; without it the one in force."
    )


class TrialRuleSetRead(ReadModel):
    """The rule set version that was tried."""

    id: Open[str] = Field(description="Its id.")
    version: Open[int] = Field(description="Its version.")
    hash: Open[str] = Field(description="SHA-256 of its document.")


class TrialReasonRead(ReadModel):
    """Points missing at one characteristic."""

    code: Open[str] = Field(description="Stable code.")
    text: Open[str] = Field(description="What it says, in the caller's language.")
    points: Open[int] = Field(description="Points given.")
    lost: Open[int] = Field(description="Points missing.")

    @classmethod
    def from_domain(cls, piece: ReasonPiece, locale: Locale) -> TrialReasonRead:
        """One reason in full: the facts are the caller's own."""
        text = in_language(piece.text, locale)
        return cls(code=piece.code, text=text, points=piece.points, lost=piece.lost)


class TrialRead(ReadModel):
    """What a rule set says of facts that the caller made up; nothing of it is about a customer."""

    score: Open[int] = Field(description="Weighted score, 0 to 1000.")
    dimensions: Open[dict[str, int]] = Field(description="Score of each dimension, 0 to 1000.")
    outcomes: Open[dict[str, str | list[str] | None]] = Field(
        description="What each table gives; null where no rule matches."
    )
    tier: Open[str] = Field(description="The tier.")
    reasons: list[TrialReasonRead] = Field(description="Why not more points.")
    fired: Open[dict[str, list[str]]] = Field(description="Rules that fired, by table.")
    rule_set: TrialRuleSetRead = Field(description="What decided.")
    data_as_of: Open[date] = Field(description="Business day that was decided for.")
    facts_completeness: Open[Decimal] = Field(description="Share of the inputs that were given.")

    @classmethod
    def from_domain(cls, trial: Trial, locale: Locale) -> TrialRead:
        """What a trial found."""
        decision, stored = trial.decision, trial.rule_set.stored
        evaluation = decision.evaluation
        document = trial.rule_set.compiled.document
        return cls(
            score=evaluation.score,
            dimensions=evaluation.dimensions,
            outcomes={name: _answer(answer) for name, answer in evaluation.outcomes.items()},
            tier=decision.tier_evaluated,
            reasons=[
                TrialReasonRead.from_domain(reason_piece(given_reason(reason), document), locale)
                for reason in evaluation.reasons
            ],
            fired={table: list(rules) for table, rules in evaluation.fired.items()},
            rule_set=TrialRuleSetRead(
                id=stored.rule_set_id, version=stored.version, hash=stored.hash
            ),
            data_as_of=decision.as_of,
            facts_completeness=_share(decision.facts_completeness),
        )


class _Sight:
    """What one viewer may see of what a rule set derives from facts.

    A derived thing is of the highest class among the facts it comes from.
    """

    def __init__(self, document: RuleSetDocument, viewer: Viewer) -> None:
        self._document = document
        self._viewer = viewer
        self._reach = facts_reaching(document)

    def dimensions(self, record: DecisionRecord) -> dict[str, Sensitive[int]]:
        """The dimension scores; the one called risk is risk whatever it is made of."""
        shown: dict[str, Sensitive[int]] = {}
        for name in self._document.dimensions:
            score = record.dimensions[name]
            listed = {Class.RISK} if name == Class.RISK else {Class.INTERNAL}
            found = self._disposition(DIMENSION_PREFIX + name, listed)
            if found is Disposition.CLEAR:
                shown[name] = internal(score)
            else:
                band = _band(score) if found is Disposition.BAND else None
                shown[name] = Sensitive[int].sealed(Class.INTERNAL, band=band)
        return shown

    def outcomes(self, record: DecisionRecord) -> dict[str, Sensitive[str | list[str]]]:
        """What the tables give that have no field of their own, in their order.

        Advice and the extra module are risk, as the role table lists them.
        """
        names = [table.output.name for table in self._document.tables]
        return {
            name: Sensitive(self._class_of_outcome(name), _answer(record.outcomes.get(name)))
            for name in names
            if name not in _NAMED
        }

    def _class_of_outcome(self, name: str) -> SensitivityClass:
        if name in RISK_OUTCOMES | ADVICE_OUTCOMES:
            return Class.RISK
        return least_shown(self._viewer, Class.INTERNAL, *self._classes(name))

    def fired(self, record: DecisionRecord) -> dict[str, Sensitive[str | list[str]]]:
        """The rules that fired, in the order of the tables."""
        shown: dict[str, Sensitive[str | list[str]]] = {}
        for table in self._document.tables:
            rules = record.fired[table.id]
            # A rule's id tells the very values it asks for, and has no band.
            if self._disposition(table.output.name, {Class.INTERNAL}) is not Disposition.CLEAR:
                sealed = Sensitive[str | list[str]].sealed(Class.INTERNAL, masked=GENERAL)
                shown[table.id] = sealed
            elif table.hit_policy is HitPolicy.COLLECT:
                shown[table.id] = internal(list(rules))
            else:
                shown[table.id] = internal(rules[0] if rules else None)
        return shown

    def _disposition(self, name: str, listed: Iterable[SensitivityClass]) -> Disposition:
        return MATRIX.joint_disposition(self._viewer, self._classes(name).union(listed))

    def _classes(self, name: str) -> set[SensitivityClass]:
        return {Class(CATALOGUE[fact].sensitivity) for fact in self._reach[name]}


def _answer(answer: Answer) -> str | list[str] | None:
    return list(answer) if isinstance(answer, tuple) else answer


def _band(score: int) -> str:
    """A fifth of the scale; the last one holds its upper end.

    >>> _band(0), _band(399), _band(1000)
    ('0-199', '200-399', '800-1000')
    """
    low = min(score // _BAND_WIDTH, 4) * _BAND_WIDTH
    return "800-1000" if low == 4 * _BAND_WIDTH else f"{low}-{low + _BAND_WIDTH - 1}"


def _share(completeness: int) -> Decimal:
    return Decimal(completeness) / COMPLETENESS_SCALE
