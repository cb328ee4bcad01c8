"""Stability: upgrades never wait, downgrades do.

A downgrade to a lower evaluated tier takes effect at the latest of three days: the held tier's
first day plus the minimum dwell, the last downgrade plus the cooldown, and the first lower
evaluation plus the grace. Until then the held tier serves. All clocks run on business days.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, TypeAlias

from app.domain.errors import Conflict
from app.domain.rules.model import DowngradeStep, Stability
from app.domain.tiering.ladder import Ladder

Source: TypeAlias = Literal["evaluated", "grace"]
Clock: TypeAlias = Literal["min_dwell", "cooldown", "grace"]
CLOCKS: Final[tuple[Clock, ...]] = ("min_dwell", "cooldown", "grace")
"""Where several clocks run out on the same day, the first of these is named."""


@dataclass(frozen=True, slots=True)
class StabilityState:
    """What a customer's tier remembers from one evaluation to the next.

    `first_lower_on` is the first day of the unbroken run of evaluations below the held tier.
    """

    tier: str
    since: date
    last_downgrade_on: date | None
    first_lower_on: date | None
    evaluated_on: date


@dataclass(frozen=True, slots=True)
class Settled:
    """The tier that serves after an evaluation.

    `source` is `grace` while a downgrade waits; then `grace_until` is the day it takes effect and
    `held_by` the clock that keeps it. `changed` says that another tier serves than before.
    """

    state: StabilityState
    applied_tier: str
    source: Source
    grace_until: date | None
    held_by: Clock | None
    changed: bool


def settle(
    state: StabilityState | None,
    evaluated_tier: str,
    as_of: date,
    policy: Stability,
    ladder: Ladder,
) -> Settled:
    """Apply one evaluation to a customer's tier.

    Settling the same evaluation twice at one as-of date gives the same state. Settling it daily,
    and settling it only where the evaluated tier changes and on each announced `grace_until`, give
    the same tiers on the days both settle.

    Args:
        state: the state after the previous evaluation, None before the first.
        evaluated_tier: the tier the rule set gives.
        as_of: business day of the evaluation.
        policy: the stability block of the deciding rule set; the state survives a change of it.
        ladder: the tiers in order.

    Raises:
        Conflict: `back-dated` if the customer was already evaluated for a later day.
        Invalid: `unknown-tier` if a tier is not on the ladder.
    """
    if state is None:
        ladder.position(evaluated_tier)
        first = StabilityState(evaluated_tier, as_of, None, None, as_of)
        return Settled(first, evaluated_tier, "evaluated", None, None, changed=True)
    if as_of < state.evaluated_on:
        detail = f"The customer was already evaluated for {state.evaluated_on.isoformat()}."
        raise Conflict("back-dated", detail)
    moved = _move(state, evaluated_tier, as_of, policy, ladder)
    changed = moved.tier != state.tier
    waits = waiting_downgrade(moved, policy)
    if waits is None:
        return Settled(moved, moved.tier, "evaluated", None, None, changed)
    return Settled(moved, moved.tier, "grace", *waits, changed)


def waiting_downgrade(state: StabilityState, policy: Stability) -> tuple[date, Clock] | None:
    """The day a waiting downgrade takes effect and the clock that keeps it, None if none waits."""
    if state.first_lower_on is None:
        return None
    return _due(state, state.first_lower_on, policy)


def days_between_downgrades(policy: Stability) -> int:
    """The cooldown, at least a day: asking twice about one day must not step down twice."""
    return max(policy.downgrade_cooldown_days, 1)


def _move(
    state: StabilityState,
    evaluated_tier: str,
    as_of: date,
    policy: Stability,
    ladder: Ladder,
) -> StabilityState:
    """The state after the evaluation; `first_lower_on` is set exactly while a downgrade waits."""
    if evaluated_tier == state.tier:
        return StabilityState(state.tier, state.since, state.last_downgrade_on, None, as_of)
    if ladder.is_better(evaluated_tier, state.tier):
        return StabilityState(evaluated_tier, as_of, state.last_downgrade_on, None, as_of)
    first_lower = state.first_lower_on or as_of
    due, _ = _due(state, first_lower, policy)
    if as_of < due:
        return StabilityState(state.tier, state.since, state.last_downgrade_on, first_lower, as_of)
    reached = (
        ladder.below(state.tier) if policy.downgrade_step is DowngradeStep.ONE else evaluated_tier
    )
    # A further step down gets its own grace, so that each is announced.
    waits = None if reached == evaluated_tier else as_of
    return StabilityState(reached, as_of, as_of, waits, as_of)


def _due(state: StabilityState, first_lower: date, policy: Stability) -> tuple[date, Clock]:
    """The day a downgrade takes effect, and the clock that runs out last."""
    days: dict[Clock, date] = {"min_dwell": state.since + timedelta(policy.min_dwell_days)}
    if state.last_downgrade_on is not None:
        days["cooldown"] = state.last_downgrade_on + timedelta(days_between_downgrades(policy))
    days["grace"] = first_lower + timedelta(policy.grace_days)
    clock = max(days, key=lambda name: days[name])
    return days[clock], clock
