"""Where a customer stands, where he stood, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from app.domain.errors import Conflict
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.cells import value_of
from app.domain.rules.counterfactual.levers import Move
from app.domain.rules.domains import domain_of
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.values import fact_value
from app.domain.tiering.decision import RuleSetReference, is_stale, next_review_on
from app.domain.tiering.explanation import Explanation, Grounds, explain
from app.domain.tiering.ladder import LADDER
from app.domain.tiering.record import GivenReason
from app.domain.tiering.stability import StabilityState, waiting_downgrade
from app.features.facts.service import read_facts
from app.features.rule_sets.service import get_version
from app.features.tiers.repository import read
from app.features.tiers.repository.read import StoredAssignment, StoredTier
from app.infra.database import AsyncSession

__all__ = [
    "ExplainedTier",
    "HistoryPage",
    "Lift",
    "ServedTier",
    "StoredAssignment",
    "get_explanation",
    "get_tier",
    "list_history",
]


@dataclass(frozen=True, slots=True)
class Lift:
    """One change of one fact that would lift the tier; values as people write them."""

    fact: str
    current: str
    wanted: str
    reaches: str


@dataclass(frozen=True, slots=True)
class ServedTier:
    """The tier that serves a customer, from which evaluation, and how far it can be relied on.

    `next_tier` is the tier above the served one, None at the top; `lifts` are the changes that
    would reach it or a better one; `next_review_on` is the day a person looks at the customer's
    prospects again, None where nobody has to.
    """

    stored: StoredTier
    next_tier: str | None
    lifts: tuple[Lift, ...]
    next_review_on: date | None
    evaluated_at: datetime
    data_as_of: date
    stale: bool


async def get_tier(
    session: AsyncSession,
    *,
    customer_id: str,
    now: datetime,
    today: date,
    stale_after_days: int,
) -> ServedTier:
    """Where a customer stands.

    Args:
        session: an open session.
        customer_id: the customer, by the id he is stored under.
        now: the time of asking.
        today: its business day.
        stale_after_days: the age at which an evaluation is not to be relied on any longer.

    Raises:
        Conflict: `not-evaluated` if the customer is known and was never evaluated.
    """
    stored = await _tier(session, customer_id, today)
    next_tier = LADDER.above(stored.tier)
    evaluated_at = stored.run_at or stored.evaluated_at
    return ServedTier(
        stored=stored,
        next_tier=next_tier,
        lifts=_lifts(stored),
        next_review_on=next_review_on(stored.review_cycle, stored.as_of, today),
        evaluated_at=evaluated_at,
        data_as_of=stored.run_as_of or stored.as_of,
        stale=is_stale(
            evaluated_at=evaluated_at,
            now=now,
            stale_after=timedelta(days=stale_after_days),
            has_unapplied_event=False,
            has_newer_rule_set=await _has_newer_rule_set(session, customer_id, stored),
        ),
    )


async def _tier(session: AsyncSession, customer_id: str, today: date) -> StoredTier:
    stored = await read.find_tier(session, customer_id, today=today)
    if stored is None:
        raise Conflict("not-evaluated", "The customer is known and was never evaluated.")
    return stored


async def _has_newer_rule_set(session: AsyncSession, customer_id: str, stored: StoredTier) -> bool:
    """Whether another rule set decides today; where none does, none is newer."""
    if stored.newer_lines:
        facts = (await read_facts(session, [customer_id], stored.as_of))[customer_id]
        if facts["last_line"] in stored.newer_lines:
            return True
    if stored.in_force_id is None:
        return False
    in_force = (stored.in_force_id, stored.in_force_version)
    return in_force != (stored.rule_set_id, stored.rule_set_version)


def _lifts(stored: StoredTier) -> tuple[Lift, ...]:
    """The stored moves that lead above the tier that serves, which may be better than evaluated."""
    moves = () if stored.gap is None else stored.gap["moves"]
    return tuple(
        Lift(move["fact"], move["from"], move["to"], move["reaches"])
        for move in moves
        if LADDER.is_better(move["reaches"], stored.tier)
    )


@dataclass(frozen=True, slots=True)
class ExplainedTier:
    """An explanation, the rule set document it speaks of, and the tier it explains."""

    stored: StoredTier
    document: RuleSetDocument
    explanation: Explanation


async def get_explanation(session: AsyncSession, *, customer_id: str, today: date) -> ExplainedTier:
    """Why a customer has his tier, and what would lift it.

    Raises:
        Conflict: `not-evaluated` if the customer is known and was never evaluated.
    """
    stored = await _tier(session, customer_id, today)
    version = await get_version(
        session, rule_set_id=stored.rule_set_id, version=stored.rule_set_version
    )
    document = version.compiled.document
    state = StabilityState(
        stored.tier,
        stored.since,
        stored.last_downgrade_on,
        stored.first_lower_on,
        stored.evaluated_on,
    )
    waits = waiting_downgrade(state, document.stability)
    grounds = Grounds(
        tier_applied=stored.tier,
        tier_evaluated=stored.tier_evaluated,
        since=stored.since,
        grace_until=None if waits is None else stored.grace_until,
        held_by=None if waits is None else waits[1],
        segment=stored.segment,
        reasons=[GivenReason(**reason) for reason in stored.reasons],
        rule_set=RuleSetReference(
            stored.rule_set_id, stored.rule_set_version, stored.rule_set_hash
        ),
        as_of=stored.as_of,
    )
    moves = [_move(lift) for lift in _lifts(stored)]
    return ExplainedTier(stored, document, explain(grounds, document, moves, LADDER))


def _move(lift: Lift) -> Move:
    """A stored change, with its values as facts carry them."""
    domain = domain_of(CATALOGUE[lift.fact])
    current, wanted = (
        fact_value(domain, value_of(text, domain)) for text in (lift.current, lift.wanted)
    )
    return Move(lift.fact, current, wanted, lift.reaches)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Assignments, the newest first; `after` is where the page ended, None at the end of all."""

    items: list[StoredAssignment]
    after: tuple[date, UUID] | None


async def list_history(
    session: AsyncSession,
    *,
    customer_id: str,
    as_of: date | None = None,
    limit: int,
    before: tuple[date, UUID] | None = None,
) -> HistoryPage:
    """The tiers a customer was served by, the newest first.

    Args:
        session: an open session.
        customer_id: the customer, by the id he is stored under.
        as_of: only the assignment that served on this business day.
        limit: how many at most.
        before: where the page before ended.
    """
    if as_of is not None:
        served = await read.find_assignment_on(session, customer_id, day=as_of)
        return HistoryPage([] if served is None else [served], None)
    found = await read.list_assignments(session, customer_id, limit=limit + 1, before=before)
    items = found[:limit]
    last = items[-1] if len(found) > limit else None
    return HistoryPage(items, None if last is None else (last.valid_from, last.id))
