"""Why this tier, and what would lift it: structured texts in English and Chinese.

The pieces carry what they speak of (reason code, fact), so that a role that may not see one gets a
shorter explanation instead of a leak.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Final, TypedDict, cast

from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import Fact, FactType, FactValue
from app.domain.rules.counterfactual.levers import Move
from app.domain.rules.domains import decimal_text
from app.domain.rules.model import DowngradeStep, ReasonText, RuleSetDocument, Text
from app.domain.tiering.decision import RuleSetReference
from app.domain.tiering.ladder import Ladder
from app.domain.tiering.override import (
    OverrideInForce,
    overridden_tier,
    replaces_tier,
    serving_on,
)
from app.domain.tiering.record import GivenReason
from app.domain.tiering.stability import Clock


class _Texts(TypedDict):
    sentences: dict[str, dict[str, str]]
    held_by: dict[str, dict[str, str]]
    overrides: dict[str, dict[str, str]]
    segments: dict[str, dict[str, str]]
    values: dict[str, dict[str, str]]
    facts: dict[str, dict[str, str]]


def _read() -> _Texts:
    text = resources.files("app.domain.tiering").joinpath("texts.toml").read_text("utf-8")
    return cast("_Texts", tomllib.loads(text))


_TEXTS: Final = _read()


@dataclass(frozen=True, slots=True)
class Grounds:
    """What an explanation rests on: the newest decision, the state after it, and an override.

    `grace_until` and `held_by` are set while a downgrade waits. `tier_held` is what stability
    keeps, and `tier_applied` what serves; `override` is in force, whether or not it is why.
    """

    tier_applied: str
    tier_held: str
    tier_evaluated: str
    since: date
    grace_until: date | None
    held_by: Clock | None
    segment: str
    reasons: Sequence[GivenReason]
    rule_set: RuleSetReference
    as_of: date
    override: OverrideInForce | None = None

    def overridden_by(self, ladder: Ladder) -> OverrideInForce | None:
        """The override if it is why the tier serves."""
        return self.override if replaces_tier(self.tier_held, self.override, ladder) else None


@dataclass(frozen=True, slots=True)
class ReasonPiece:
    """Points lost at one characteristic, said in words.

    `heading` is what the characteristic itself is called: it does not tell which bin it was.
    """

    code: str
    heading: ReasonText
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
    staff). `override` is set where people decided the tier, and `evaluated` then says what would
    serve without them (for staff). `no_lift` is set where `lifts` is empty, and says why.
    """

    tier: Text
    override: Text | None
    evaluated: Text | None
    segment: Text
    waiting: Text | None
    held_by: Text | None
    reasons: tuple[ReasonPiece, ...]
    lifts: tuple[LiftPiece, ...]
    no_lift: Text | None
    rule_set: Text


def explain(
    grounds: Grounds, document: RuleSetDocument, moves: Sequence[Move], ladder: Ladder
) -> Explanation:
    """Say why a customer has this tier and what would lift it.

    Args:
        grounds: the decision and where it left the customer.
        document: the rule set that decided.
        moves: the single changes that would lift the evaluated tier, in the order to tell them.
        ladder: the tiers in order.
    """
    is_top = ladder.above(grounds.tier_evaluated) is ladder.above(grounds.tier_applied) is None
    override = grounds.overridden_by(ladder)
    # While people decide, what stability does below shows only when they no longer do.
    waiting = None if override else _waiting(grounds, document, ladder)
    held_by = grounds.held_by if waiting else None
    return Explanation(
        tier=_sentence(
            "tier",
            tier=ladder.display_names[grounds.tier_applied],
            since=grounds.since.isoformat(),
        ),
        override=None if override is None else _override(override, ladder),
        evaluated=None
        if override is None
        else _sentence("evaluated", tier=ladder.display_names[grounds.tier_held]),
        segment=_sentence("segment", segment=segment_name(grounds.segment)),
        waiting=waiting,
        held_by=None if held_by is None else _text(_TEXTS["held_by"][held_by]),
        reasons=tuple(reason_piece(reason, document) for reason in grounds.reasons),
        lifts=tuple(lift_piece(move, ladder) for move in moves),
        no_lift=None if moves else _sentence("top" if is_top else "no_lift"),
        rule_set=_sentence(
            "rule_set",
            title=document.title,
            id=grounds.rule_set.id,
            version=str(grounds.rule_set.version),
            as_of=grounds.as_of.isoformat(),
        ),
    )


def _waiting(grounds: Grounds, document: RuleSetDocument, ladder: Ladder) -> Text | None:
    if grounds.grace_until is None:
        return None
    following = grounds.tier_evaluated
    if document.stability.downgrade_step is DowngradeStep.ONE:
        following = ladder.below(grounds.tier_held)
    # A floor that changes nothing yet may keep a tier then.
    then = serving_on(grounds.override, grounds.grace_until)
    following = overridden_tier(following, then, ladder)
    if following == grounds.tier_applied:
        return None
    return _sentence(
        "waiting",
        evaluated=ladder.display_names[grounds.tier_evaluated],
        tier=ladder.display_names[grounds.tier_applied],
        until=grounds.grace_until.isoformat(),
        next=ladder.display_names[following],
    )


def _override(override: OverrideInForce, ladder: Ladder) -> Text:
    """That people decided, what, and until when."""
    wanted = _TEXTS["overrides"][override.mode]
    name = ladder.display_names[override.tier]
    return _sentence(
        "override",
        wanted=Text(wanted["en"].format(tier=name.en), wanted["zh"].format(tier=name.zh)),
        until=override.until.isoformat(),
    )


def reason_piece(reason: GivenReason, document: RuleSetDocument) -> ReasonPiece:
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
    return ReasonPiece(reason.code, item.reason, reason.points, reason.lost, sentence)


def lift_piece(move: Move, ladder: Ladder) -> LiftPiece:
    """Say one change that would lift the tier."""
    fact = CATALOGUE[move.fact]
    sentence = _sentence(
        "lift",
        fact=fact_name(move.fact),
        current=value_text(fact, move.current),
        wanted=value_text(fact, move.to),
        tier=ladder.display_names[move.reaches],
    )
    return LiftPiece(move.fact, move.reaches, sentence)


def fact_name(name: str) -> Text:
    """A short name for people; a fact that no customer can change keeps its own name."""
    return _text(_TEXTS["facts"].get(name, {"en": name, "zh": name}))


def segment_name(segment: str) -> Text:
    """The value segment for people."""
    return _text(_TEXTS["segments"][segment])


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
