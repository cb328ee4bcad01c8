"""Where a customer stands, where he stood, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
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
from app.domain.tiering.override import overridden_tier
from app.domain.tiering.record import GivenReason
from app.domain.tiering.stability import StabilityState, waiting_downgrade
from app.features.facts.service import read_facts
from app.features.rule_sets.service import get_version
from app.features.tiers.repository import read, standing
from app.features.tiers.repository.read import StoredAssignment
from app.features.tiers.repository.standing import PendingOverride, StandingOf, StoredTier
from app.infra.batcher import Batcher
from app.infra.database import AsyncSession
from app.infra.lanes import Lanes

__all__ = [
    "Asked",
    "ExplainedTier",
    "HistoryPage",
    "Lift",
    "LookedUpTier",
    "PendingOverride",
    "ServedTier",
    "StoredAssignment",
    "TierLookups",
    "find_tiers",
    "get_explanation",
    "get_tier",
    "list_history",
]

FoundT = TypeVar("FoundT")


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
    asked = Asked(now, today, stale_after_days)
    found = await find_tiers(session, customer_ids=[customer_id], asked=asked)
    return _evaluated(found.get(customer_id))


@dataclass(frozen=True, slots=True)
class Asked:
    """When a tier is asked for, and the age at which an evaluation is not relied on any longer."""

    now: datetime
    today: date
    stale_after_days: int


def _served(stored: StoredTier, asked: Asked, *, is_outdated: bool) -> ServedTier:
    evaluated_at = stored.run_at or stored.evaluated_at
    return ServedTier(
        stored=stored,
        next_tier=LADDER.above(stored.tier),
        lifts=_lifts(stored),
        next_review_on=next_review_on(stored.review_cycle, stored.as_of, asked.today),
        evaluated_at=evaluated_at,
        data_as_of=stored.run_as_of or stored.as_of,
        stale=is_stale(
            evaluated_at=evaluated_at,
            now=asked.now,
            stale_after=timedelta(days=asked.stale_after_days),
            has_unapplied_event=False,
            has_newer_rule_set=is_outdated,
        ),
    )


async def find_tiers(
    session: AsyncSession, *, customer_ids: Sequence[str], asked: Asked
) -> dict[str, ServedTier]:
    """Where customers stand, by id; who was never evaluated is left out.

    Args:
        session: an open session.
        customer_ids: the customers, by the ids they are stored under.
        asked: when, and what is too old.
    """
    distinct = list(dict.fromkeys(customer_ids))
    found = await standing.find_tiers(session, distinct, today=asked.today)
    outdated = {own_id for own_id, stored in found.items() if _is_outdated(stored)}
    doubtful: dict[date, list[str]] = {}
    for own_id, stored in found.items():
        if stored.newer_lines and own_id not in outdated:
            doubtful.setdefault(stored.as_of, []).append(own_id)
    for as_of, own_ids in doubtful.items():
        facts = await read_facts(session, own_ids, as_of)
        outdated |= {
            own_id for own_id in own_ids if facts[own_id]["last_line"] in found[own_id].newer_lines
        }
    return {
        own_id: _served(stored, asked, is_outdated=own_id in outdated)
        for own_id, stored in found.items()
    }


class TierLookups:
    """The tiers of all who are asked for at the moment, in one question to the database.

    Args:
        lanes: where the batches are sent.
    """

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._batcher = Batcher(self._send)

    async def find(self, customer_id: str, asked: Asked) -> LookedUpTier | None:
        """Where a customer stands; None for what a batch cannot tell.

        That is an id that nobody has or that was merged away, a customer who was never evaluated,
        or one of whom his facts have to be asked to know whether another rule set decides:
        `get_tier` tells.
        """
        found = await self._batcher.ask((customer_id, asked.today))
        if found is None or found.tier is None or found.tier.newer_lines:
            return None
        served = _served(found.tier, asked, is_outdated=_is_outdated(found.tier))
        return LookedUpTier(found.customer_id, found.account_manager, served)

    async def _send(self, asked: list[tuple[str, date]]) -> list[StandingOf | None]:
        async with self._lanes.lend() as connection:
            return await standing.find_standings(connection, asked)


@dataclass(frozen=True, slots=True)
class LookedUpTier:
    """A tier with whom it serves: the id he is stored under, and his account manager."""

    customer_id: str
    account_manager: str | None
    served: ServedTier


def _evaluated(found: FoundT | None) -> FoundT:
    if found is None:
        raise Conflict("not-evaluated", "The customer is known and was never evaluated.")
    return found


def _is_outdated(stored: StoredTier) -> bool:
    """Whether another rule set decides today; where none does, none is newer."""
    if stored.in_force_id is None:
        return False
    in_force = (stored.in_force_id, stored.in_force_version)
    return in_force != (stored.rule_set_id, stored.rule_set_version)


def _lifts(stored: StoredTier) -> tuple[Lift, ...]:
    """The stored moves that lead above the tier that serves, which may be better than evaluated.

    What an override would not let serve, no change of facts reaches while it is in force.
    """
    return tuple(
        Lift(move["fact"], move["from"], move["to"], move["reaches"])
        for move in stored.moves
        if LADDER.is_better(overridden_tier(move["reaches"], stored.override, LADDER), stored.tier)
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
    found = await standing.find_tiers(session, [customer_id], today=today)
    stored = _evaluated(found.get(customer_id))
    version = await get_version(
        session, rule_set_id=stored.rule_set_id, version=stored.rule_set_version
    )
    document = version.compiled.document
    state = StabilityState(
        stored.held_tier,
        stored.held_since,
        stored.last_downgrade_on,
        stored.first_lower_on,
        stored.evaluated_on,
    )
    waits = waiting_downgrade(state, document.stability)
    reasons = await read.list_reasons(session, stored.decision_id)
    grounds = Grounds(
        tier_applied=stored.tier,
        tier_held=stored.held_tier,
        tier_evaluated=stored.tier_evaluated,
        since=stored.since,
        grace_until=None if waits is None else stored.grace_until,
        held_by=None if waits is None else waits[1],
        override=stored.override,
        segment=stored.segment,
        reasons=[GivenReason(**reason) for reason in reasons],
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
