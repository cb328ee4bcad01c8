"""One digest over everything a decision says, so that a run writes only what changed."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.rules.evaluation import Answer, Evaluation, Reason
from app.domain.tiering.stability import Settled


@dataclass(frozen=True, slots=True)
class Basis:
    """What a decision rests on, beside the facts.

    Args:
        rule_set_hash: hash of the rule set that decided.
        primary_line: the customer's primary line, if any.
        completeness: known inputs per ten thousand inputs of the rule set.
        benchmark_version: the market benchmark the ratios were computed against, if any.
    """

    rule_set_hash: str
    primary_line: str | None
    completeness: int
    benchmark_version: str | None


def outputs_digest(evaluation: Evaluation, settled: Settled, basis: Basis) -> bytes:
    """SHA-256 of the outputs of one decision.

    The gap to the next tier is not part of it: it repeats the facts as they were, which change
    without anything being decided otherwise.
    """
    parts = (
        basis.rule_set_hash,
        basis.primary_line or "",
        str(basis.completeness),
        str(evaluation.score),
        *(str(score) for score in evaluation.dimensions.values()),
        *(_answer(answer) for answer in evaluation.outcomes.values()),
        *(",".join(rules) for rules in evaluation.fired.values()),
        _reasons(evaluation.reasons),
        settled.applied_tier,
        settled.source,
        settled.grace_until.isoformat() if settled.grace_until else "",
        # Last, since it alone is free text: nothing that follows can be mistaken for its end.
        basis.benchmark_version or "",
    )
    return digest_of("|".join(parts))


def digest_of(text: str) -> bytes:
    """The digest of outputs written as text, as `outputs_digest` and its frame twin write them."""
    return hashlib.sha256(text.encode()).digest()


def _answer(answer: Answer) -> str:
    """Names are never empty, so nothing can stand for no match."""
    return ",".join(answer) if isinstance(answer, tuple) else answer or ""


def _reasons(reasons: Iterable[Reason]) -> str:
    return ";".join(
        f"{reason.code}:{reason.characteristic}:{reason.points}:{reason.lost}" for reason in reasons
    )
