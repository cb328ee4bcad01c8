"""Why this tier, and what would lift it: structured texts in English and Chinese.

The pieces carry what they speak of (reason code, fact), so that a role that may not see one gets a
shorter explanation instead of a leak.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final, TypedDict, cast

from app.domain.facts.model import Fact, FactType, FactValue
from app.domain.rules.domains import decimal_text
from app.domain.rules.evaluation import Reason
from app.domain.rules.model import DowngradeStep, RuleSetDocument, Text
from app.domain.tiering.decision import TierDecision
from app.domain.tiering.ladder import Ladder


class _Texts(TypedDict):
    sentences: dict[str, dict[str, str]]
    held_by: dict[str, dict[str, str]]
    segments: dict[str, dict[str, str]]
    values: dict[str, dict[str, str]]
    facts: dict[str, dict[str, str]]


def _read() -> _Texts:
    text = resources.files("app.domain.tiering").joinpath("texts.toml").read_text("utf-8")
    return cast("_Texts", tomllib.loads(text))


_TEXTS: Final = _read()


@dataclass(frozen=True, slots=True)
class Change:
    """One change that would lift the tier: a fact from its value to another, and the tier reached.

    Decimals are scaled integers, as facts always are.
    """

    fact: Fact
    current: FactValue
    wanted: FactValue
    reaches: str


@dataclass(frozen=True, slots=True)
class ReasonPiece:
    """Points lost at one characteristic, said in words."""

    code: str
    points: int
    lost: int
    text: Text


@dataclass(frozen=True, slots=True)
class LiftPiece:
    """One change that would lift the tier, said in words; `fact` is its name."""

    fact: str
    reaches: str
    text: Text


@dataclass(frozen=True, slots=True)
class Explanation:
    """An explanation in pieces.

    `waiting` is set while a downgrade waits, and `held_by` then says what keeps the tier (for
    staff). `no_lift` is set where `lifts` is empty, and says why.
    """

    tier: Text
    segment: Text
    waiting: Text | None
    held_by: Text | None
    reasons: tuple[ReasonPiece, ...]
    lifts: tuple[LiftPiece, ...]
    no_lift: Text | None
    rule_set: Text


def explain(
    decision: TierDecision,
    document: RuleSetDocument,
    changes: Sequence[Change],
    ladder: Ladder,
) -> Explanation:
    """Say why a customer has this tier and what would lift it.

    Args:
        decision: the decision in force.
        document: the rule set that made it.
        changes: the single changes that would lift the evaluated tier, in the order to tell them.
        ladder: the tiers in order.
    """
    settled = decision.settled
    is_top = ladder.above(decision.tier_evaluated) is None
    return Explanation(
        tier=_sentence(
            "tier",
            tier=ladder.display_names[decision.tier_applied],
            since=settled.state.since.isoformat(),
        ),
        segment=_sentence("segment", segment=segment_name(decision.segment)),
        waiting=_waiting(decision, document, ladder),
        held_by=None if settled.held_by is None else _text(_TEXTS["held_by"][settled.held_by]),
        reasons=tuple(reason_piece(reason, document) for reason in decision.evaluation.reasons),
        lifts=tuple(lift_piece(change, ladder) for change in changes),
        no_lift=None if changes else _sentence("top" if is_top else "no_lift"),
        rule_set=_sentence(
            "rule_set",
            title=document.title,
            id=decision.rule_set.id,
            version=str(decision.rule_set.version),
            as_of=decision.as_of.isoformat(),
        ),
    )


def _waiting(decision: TierDecision, document: RuleSetDocument, ladder: Ladder) -> Text | None:
    settled = decision.settled
    if settled.grace_until is None:
        return None
    following = decision.tier_evaluated
    if document.stability.downgrade_step is DowngradeStep.ONE:
        following = ladder.below(settled.applied_tier)
    return _sentence(
        "waiting",
        evaluated=ladder.display_names[decision.tier_evaluated],
        tier=ladder.display_names[settled.applied_tier],
        until=settled.grace_until.isoformat(),
        next=ladder.display_names[following],
    )


def reason_piece(reason: Reason, document: RuleSetDocument) -> ReasonPiece:
    """Say one reason in the words of the rule set that gave it."""
    item = next(c for c in document.characteristics if c.id == reason.characteristic)
    texts = {item.reason.code: item.reason.text}
    texts |= {b.reason.code: b.reason.text for b in item.bins if b.reason is not None}
    sentence = _sentence(
        "reason",
        reason=texts[reason.code],
        lost=str(reason.lost),
        best=str(reason.points + reason.lost),
    )
    return ReasonPiece(reason.code, reason.points, reason.lost, sentence)


def lift_piece(change: Change, ladder: Ladder) -> LiftPiece:
    """Say one change that would lift the tier."""
    sentence = _sentence(
        "lift",
        fact=fact_name(change.fact.name),
        current=value_text(change.fact, change.current),
        wanted=value_text(change.fact, change.wanted),
        tier=ladder.display_names[change.reaches],
    )
    return LiftPiece(change.fact.name, change.reaches, sentence)


def fact_name(name: str) -> Text:
    """A short name for people; a fact that no customer can change keeps its own name."""
    return _text(_TEXTS["facts"].get(name, {"en": name, "zh": name}))


def segment_name(segment: str) -> Text:
    """The value segment for people; one that a rule set invented keeps its own name."""
    return _text(_TEXTS["segments"].get(segment, {"en": segment, "zh": segment}))


def value_text(fact: Fact, value: FactValue) -> Text:
    """A value of a fact for people: money with separators, percentages with their sign."""
    if value is None:
        return _text(_TEXTS["values"]["unknown"])
    if isinstance(value, bool):
        return _text(_TEXTS["values"]["true" if value else "false"])
    if not isinstance(value, int):
        return _same(str(value))
    if fact.unit == "money":
        sign, (whole, cents) = "-" if value < 0 else "", divmod(abs(value), 100)
        return _same(f"{sign}{whole:,}.{cents:02d}")
    if fact.type is FactType.DECIMAL:
        return _same(decimal_text(value, fact.scale))
    return _same(f"{value}%" if fact.unit == "percent" else str(value))


def _same(text: str) -> Text:
    return Text(text, text)


def _text(entry: Mapping[str, str]) -> Text:
    return Text(entry["en"], entry["zh"])


def _sentence(name: str, **parts: Text | str) -> Text:
    """Fill a sentence in both languages; a part that is a Text goes in by its language."""
    entry = _TEXTS["sentences"][name]
    texts = {key: part if isinstance(part, Text) else _same(part) for key, part in parts.items()}
    return Text(
        entry["en"].format_map({key: text.en for key, text in texts.items()}),
        entry["zh"].format_map({key: text.zh for key, text in texts.items()}),
    )
