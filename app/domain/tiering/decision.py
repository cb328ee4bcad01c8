"""A tier decision: what was decided for one customer, from what, and because of what."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from app.domain.errors import Invalid
from app.domain.facts.model import FactValue
from app.domain.rules.canonical import JsonValue, rfc8785_json
from app.domain.rules.evaluation import Answer, Evaluation
from app.domain.tiering.calendar import months_later
from app.domain.tiering.ladder import LADDER
from app.domain.tiering.override import OverrideInForce, overridden_tier, replaces_tier
from app.domain.tiering.stability import Settled

COMPLETENESS_SCALE: Final = 10_000
"""`facts_completeness` is a decimal with four digits, carried as an integer."""

REVIEW_MONTHS: Final[Mapping[str, int]] = {"half_yearly": 6, "yearly": 12}
"""Months between two reviews, by the outcome `review_cycle`; any other answer means none."""

_REFERENCE: Final = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,198}[^\s\x00-\x1f\x7f])?")


class CauseKind(StrEnum):
    """What made somebody decide."""

    API = "api"
    TIMER = "timer"
    EVENT = "event"
    RUN = "run"
    OVERRIDE = "override"

    @property
    def has_reference(self) -> bool:
        """Whether a cause of this kind names what it was: `event:<id>`."""
        return self not in {CauseKind.API, CauseKind.TIMER}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a decision was made: `api`, `timer`, `event:<id>`, `run:<id>` or `override:<id>`.

    Raises `Invalid` (`bad-cause`) for an id where there is none, a missing one, or one that is not
    1 to 200 printable characters without spaces around them.

    >>> str(Cause(CauseKind.RUN, "2026-q4")), Cause.parse("timer").kind.value
    ('run:2026-q4', 'timer')
    """

    kind: CauseKind
    reference: str | None = None

    def __post_init__(self) -> None:
        if self.kind.has_reference:
            sound = self.reference is not None and bool(_REFERENCE.fullmatch(self.reference))
        else:
            sound = self.reference is None
        if not sound:
            raise _bad_cause()

    def __str__(self) -> str:
        return self.kind.value if self.reference is None else f"{self.kind}:{self.reference}"

    @classmethod
    def parse(cls, text: str) -> "Cause":
        """Read a cause as it is stored."""
        kind, colon, reference = text.partition(":")
        if kind not in set(CauseKind):
            raise _bad_cause()
        return cls(CauseKind(kind), reference if colon else None)


def _bad_cause() -> Invalid:
    detail = "A cause is api, timer, event:<id>, run:<id> or override:<id>."
    return Invalid("bad-cause", detail)


@dataclass(frozen=True, slots=True)
class RuleSetReference:
    """The immutable rule set version that decided."""

    id: str
    version: int
    hash: str


@dataclass(frozen=True, slots=True)
class TierDecision:
    """Everything a decision stores but the encrypted snapshot of its facts.

    `facts_completeness` is scaled by `COMPLETENESS_SCALE`; `gap` is the canonical text of what
    would reach a better tier, None where it was not asked for or nothing is above. `override` is
    the one that serves on the day of the facts, also where it leaves the tier as it is.
    """

    customer_id: str
    as_of: date
    cause: Cause
    rule_set: RuleSetReference
    primary_line: str | None
    evaluation: Evaluation
    settled: Settled
    facts_completeness: int
    gap: str | None = None
    risk_model_version: str | None = None
    benchmark_version: str | None = None
    override: OverrideInForce | None = None

    @property
    def tier_evaluated(self) -> str:
        """The tier the rules give."""
        return single(self.evaluation, "tier")

    @property
    def tier_applied(self) -> str:
        """The tier that serves after stability and override."""
        return overridden_tier(self.settled.applied_tier, self.override, LADDER)

    @property
    def overridden_by(self) -> OverrideInForce | None:
        """The override if it is why the tier serves, None where it changes nothing."""
        replaces = replaces_tier(self.settled.applied_tier, self.override, LADDER)
        return self.override if replaces else None

    @property
    def segment(self) -> str:
        """The value segment."""
        return single(self.evaluation, "segment")

    @property
    def life_cycle_stage(self) -> str:
        """The life-cycle stage."""
        return single(self.evaluation, "life_cycle_stage")

    @property
    def risk_grade(self) -> str:
        """The risk grade, A the lowest risk."""
        return single(self.evaluation, "risk_grade")

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels; none where the rule set gives none."""
        labels = self.evaluation.outcomes.get("labels")
        return labels if isinstance(labels, tuple) else ()


def single(evaluation: Evaluation, output: str) -> str:
    """One outcome that every customer has.

    Raises:
        Invalid: `rule-unmatched` if the rule set has no single answer of that name.
    """
    answer = evaluation.outcomes.get(output)
    if not isinstance(answer, str):
        raise Invalid("rule-unmatched", f"The rule set decides no {output}; complete its table.")
    return answer


def facts_completeness(facts: Mapping[str, FactValue], inputs: Sequence[str]) -> int:
    """Known inputs of the rule set over all of them, half up to four digits, scaled.

    >>> facts_completeness({"age": 40, "nps": None}, ["age", "nps", "clv"])
    3333
    """
    if not inputs:
        return COMPLETENESS_SCALE
    known = sum(facts.get(name) is not None for name in inputs)
    return (2 * COMPLETENESS_SCALE * known + len(inputs)) // (2 * len(inputs))


def outputs_text(decision: TierDecision) -> bytes:
    """The outputs of a decision in one canonical form (RFC 8785).

    Two decisions with equal texts say the same, so a run stores only the first. The day, the cause
    and the version numbers of model and benchmark are where an output comes from, not what it is;
    a rule set counts by its content. That people decided the tier is an output, also where the
    rules give the same one.
    """
    evaluation, override = decision.evaluation, decision.overridden_by
    reasons: list[JsonValue] = [
        {
            "characteristic": reason.characteristic,
            "code": reason.code,
            "lost": reason.lost,
            "points": reason.points,
        }
        for reason in evaluation.reasons
    ]
    return rfc8785_json(
        {
            "dimensions": dict(evaluation.dimensions),
            "facts_completeness": decision.facts_completeness,
            "fired": {table: list(rules) for table, rules in evaluation.fired.items()},
            "gap": decision.gap,
            "outcomes": {name: _json(answer) for name, answer in evaluation.outcomes.items()},
            "overridden_by": None if override is None else str(override.id),
            "primary_line": decision.primary_line,
            "reasons": reasons,
            "rule_set_hash": decision.rule_set.hash,
            "score": evaluation.score,
            "tier_applied": decision.tier_applied,
            "tier_evaluated": decision.tier_evaluated,
        }
    )


def _json(answer: Answer) -> JsonValue:
    return list(answer) if isinstance(answer, tuple) else answer


def outputs_digest(decision: TierDecision) -> bytes:
    """SHA-256 of `outputs_text`: 32 bytes."""
    return hashlib.sha256(outputs_text(decision)).digest()


def is_stale(
    *,
    evaluated_at: datetime,
    now: datetime,
    stale_after: timedelta,
    has_unapplied_event: bool,
    has_newer_rule_set: bool,
) -> bool:
    """Whether a tier should not be relied on any longer.

    Args:
        evaluated_at: the newest evaluation, or the newest applied run that held the customer.
        now: the time of asking.
        stale_after: the configured age; at exactly that age it is not stale yet.
        has_unapplied_event: an accepted event of the customer has not been applied.
        has_newer_rule_set: another rule set came into force since for whoever decides.
    """
    return has_unapplied_event or has_newer_rule_set or now - evaluated_at > stale_after


def next_review_on(cycle: str | None, decided_on: date, as_of: date) -> date | None:
    """The next day a person looks at the customer's prospects again, after `as_of`.

    Reviews fall every so many months after the decision; `cycle` is the outcome `review_cycle`.

    >>> next_review_on("half_yearly", date(2026, 8, 31), date(2027, 3, 1))
    datetime.date(2027, 8, 31)
    """
    months = REVIEW_MONTHS.get(cycle or "")
    if months is None:
        return None
    passed = 12 * (as_of.year - decided_on.year) + as_of.month - decided_on.month
    turn = max(passed // months, 1)
    while (review := months_later(decided_on, turn * months)) <= as_of:
        turn += 1
    return review
