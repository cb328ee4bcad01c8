"""Facts that somebody made up, and what a rule set says of them: nothing of it is masked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)

from app.domain.facts.catalogue import CATALOGUE
from app.domain.tiering.explanation import ReasonPiece, reason_piece
from app.domain.tiering.ladder import in_language
from app.domain.tiering.record import given_reason
from app.features.scoring.schemas.sight import answered, share
from app.features.scoring.schemas.steps import TraceRead
from app.features.scoring.service import Trial
from app.infra.description.facts import fact_schema
from app.infra.locale import Locale
from app.infra.masking import Open, ReadModel
from app.infra.written import PRINTABLE, WHOLE


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
    objective: (
        Annotated[str, Field(min_length=1, max_length=64, pattern="^[a-z][a-z0-9_-]*$")] | None
    ) = Field(
        default=None,
        description="One of its profiles to weigh by; without it the one that it decides by.",
        examples=["renewal"],
    )
    explain: StrictBool = Field(
        default=False, description="Whether to tell the whole way to the answer, step by step."
    )


class TrialRuleSetRead(ReadModel):
    """The rule set version that was tried."""

    id: Open[str] = Field(description="Its id.")
    version: Open[int] = Field(description="Its version.")
    hash: Open[str] = Field(description="SHA-256 of its document.")
    objective: Open[str] = Field(description="The profile that the dimensions were weighed by.")


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
    trace: TraceRead | None = Field(
        default=None, description="The way to the answer; null unless `explain` asked for it."
    )

    @classmethod
    def from_domain(cls, trial: Trial, locale: Locale) -> TrialRead:
        """What a trial found."""
        decision, stored = trial.decision, trial.rule_set.stored
        evaluation = decision.evaluation
        document = trial.rule_set.compiled.document
        return cls(
            score=evaluation.score,
            dimensions=evaluation.dimensions,
            outcomes={name: answered(answer) for name, answer in evaluation.outcomes.items()},
            tier=decision.tier_evaluated,
            reasons=[
                TrialReasonRead.from_domain(reason_piece(given_reason(reason), document), locale)
                for reason in evaluation.reasons
            ],
            fired={table: list(rules) for table, rules in evaluation.fired.items()},
            rule_set=TrialRuleSetRead(
                id=stored.rule_set_id,
                version=stored.version,
                hash=stored.hash,
                objective=document.objective,
            ),
            data_as_of=decision.as_of,
            facts_completeness=share(decision.facts_completeness),
            trace=None if trial.trace is None else TraceRead.from_domain(trial.trace, locale),
        )
