"""Upgrades never wait, downgrades do: examples by hand, then the laws."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Conflict, Invalid
from app.domain.rules.model import DowngradeStep, Stability
from app.domain.tiering.ladder import LADDER
from app.domain.tiering.stability import (
    Settled,
    StabilityState,
    days_between_downgrades,
    settle,
)
from tests.domain.tiering.strategies import DAY_ZERO, days, policies, states, tiers

POLICY = Stability(90, DowngradeStep.ONE, grace_days=30, min_dwell_days=30)
PATIENT = Stability(90, DowngradeStep.ANY, grace_days=30, min_dwell_days=60)


def day(number: int) -> date:
    return DAY_ZERO + timedelta(number)


def at(
    tier: str, since: int, *, down: int | None = None, lower: int | None = None, seen: int = 0
) -> StabilityState:
    return StabilityState(
        tier,
        day(since),
        None if down is None else day(down),
        None if lower is None else day(lower),
        day(max(since, seen)),
    )


def test_the_first_evaluation_sets_the_tier() -> None:
    settled = settle(None, "gold", day(0), POLICY, LADDER)
    assert settled == Settled(at("gold", 0), "gold", "evaluated", None, None, changed=True)


def test_an_upgrade_takes_effect_at_once_and_keeps_the_cooldown_running() -> None:
    settled = settle(at("standard", 0, down=0), "diamond", day(1), POLICY, LADDER)
    assert settled.state == at("diamond", 1, down=0)
    assert (settled.source, settled.changed) == ("evaluated", True)


def test_a_first_lower_evaluation_starts_the_grace() -> None:
    settled = settle(at("diamond", 0), "gold", day(100), POLICY, LADDER)
    assert settled.state == at("diamond", 0, lower=100, seen=100)
    assert (settled.applied_tier, settled.source) == ("diamond", "grace")
    assert (settled.grace_until, settled.held_by) == (day(130), "grace")
    assert not settled.changed


def test_the_minimum_dwell_holds_longer_than_the_grace_where_it_ends_later() -> None:
    settled = settle(at("diamond", 0), "gold", day(10), PATIENT, LADDER)
    assert (settled.grace_until, settled.held_by) == (day(60), "min_dwell")


def test_the_cooldown_holds_longest_after_a_downgrade() -> None:
    settled = settle(at("gold", 100, down=100), "standard", day(140), POLICY, LADDER)
    assert (settled.grace_until, settled.held_by) == (day(190), "cooldown")


def test_a_downgrade_takes_effect_on_its_day_and_not_the_day_before() -> None:
    waiting = at("diamond", 0, lower=100, seen=100)
    assert settle(waiting, "gold", day(129), POLICY, LADDER).applied_tier == "diamond"
    settled = settle(waiting, "gold", day(130), POLICY, LADDER)
    assert settled.state == at("gold", 130, down=130)
    assert (settled.source, settled.grace_until, settled.changed) == ("evaluated", None, True)


def test_one_step_at_a_time_announces_the_next_step_with_its_own_grace() -> None:
    settled = settle(at("diamond", 0, lower=100), "standard", day(130), POLICY, LADDER)
    assert settled.state == at("gold", 130, down=130, lower=130)
    assert (settled.applied_tier, settled.source) == ("gold", "grace")
    assert (settled.grace_until, settled.held_by) == (day(220), "cooldown")


def test_without_steps_a_downgrade_goes_all_the_way() -> None:
    settled = settle(at("diamond", 0, lower=100), "standard", day(130), PATIENT, LADDER)
    assert settled.state == at("standard", 130, down=130)


@pytest.mark.parametrize("evaluated", ["gold", "diamond"])
def test_an_evaluation_at_or_above_the_held_tier_clears_the_grace(evaluated: str) -> None:
    settled = settle(at("gold", 0, lower=100), evaluated, day(120), POLICY, LADDER)
    assert settled.state.first_lower_on is None
    again = settle(settled.state, "standard", day(125), POLICY, LADDER)
    assert again.state.first_lower_on == day(125)


def test_a_day_before_the_newest_evaluation_is_refused() -> None:
    with pytest.raises(Conflict, match=r"already evaluated for 2026-01-31\.") as refused:
        settle(at("gold", 0), "gold", day(-1), POLICY, LADDER)
    assert refused.value.type == "back-dated"


@pytest.mark.parametrize("state", [None, at("gold", 0)])
def test_a_tier_that_is_not_on_the_ladder_is_refused(state: StabilityState | None) -> None:
    with pytest.raises(Invalid, match="diamond, gold, standard") as refused:
        settle(state, "platinum", day(0), POLICY, LADDER)
    assert refused.value.type == "unknown-tier"


evaluations = st.lists(st.tuples(st.integers(0, 40), tiers), min_size=1, max_size=25)


def played(steps: list[tuple[int, str]], policy: Stability) -> list[tuple[date, str, Settled]]:
    """Settle evaluations, given as days since the one before and the evaluated tier."""
    state: StabilityState | None = None
    as_of = DAY_ZERO
    settled: list[tuple[date, str, Settled]] = []
    for passed, tier in steps:
        as_of += timedelta(passed)
        step = settle(state, tier, as_of, policy, LADDER)
        settled.append((as_of, tier, step))
        state = step.state
    return settled


@given(state=states(), tier=tiers, passed=st.integers(0, 100), policy=policies)
def test_law_no_upgrade_waits(
    state: StabilityState, tier: str, passed: int, policy: Stability
) -> None:
    as_of = state.evaluated_on + timedelta(passed)
    settled = settle(state, tier, as_of, policy, LADDER)
    assert not LADDER.is_better(tier, settled.applied_tier)


@given(steps=evaluations, policy=policies)
def test_law_no_two_downgrades_within_the_cooldown(
    steps: list[tuple[int, str]], policy: Stability
) -> None:
    served = "standard"
    falls: list[date] = []
    for as_of, _, settled in played(steps, policy):
        if LADDER.is_better(served, settled.applied_tier):
            falls.append(as_of)
        served = settled.applied_tier
    gaps = [later - earlier for earlier, later in pairwise(falls)]
    assert all(gap.days >= days_between_downgrades(policy) for gap in gaps)


@given(steps=evaluations, policy=policies)
def test_law_the_serving_tier_is_evaluated_or_a_better_one_in_grace(
    steps: list[tuple[int, str]], policy: Stability
) -> None:
    for as_of, tier, settled in played(steps, policy):
        if settled.source == "evaluated":
            assert (settled.applied_tier, settled.grace_until) == (tier, None)
        else:
            assert LADDER.is_better(settled.applied_tier, tier)
            assert settled.grace_until is not None
            assert settled.grace_until > as_of


@given(state=st.none() | states(), tier=tiers, as_of=days, policy=policies)
def test_law_settling_twice_at_one_day_gives_the_same(
    state: StabilityState | None, tier: str, as_of: date, policy: Stability
) -> None:
    if state is not None:
        as_of = max(as_of, state.evaluated_on)
    once = settle(state, tier, as_of, policy, LADDER)
    twice = settle(once.state, tier, as_of, policy, LADDER)
    assert twice.state == once.state
    assert (twice.applied_tier, twice.source) == (once.applied_tier, once.source)
    assert (twice.grace_until, twice.changed) == (once.grace_until, False)


@given(
    steps=st.lists(st.tuples(st.integers(1, 40), tiers), min_size=1, max_size=8), policy=policies
)
def test_law_daily_runs_and_runs_at_changes_with_timers_serve_the_same_tiers(
    steps: list[tuple[int, str]], policy: Stability
) -> None:
    """Without the timers an announced downgrade would wait for the next change."""
    changes: dict[date, str] = {}
    as_of = DAY_ZERO
    for passed, tier in steps:
        as_of += timedelta(passed)
        changes[as_of] = tier
    end = as_of + timedelta(250)
    daily: dict[date, Settled] = {}
    sparse: dict[date, Settled] = {}
    evaluated, today = "", min(changes)
    every: StabilityState | None = None
    some: StabilityState | None = None
    timer: date | None = None
    while today <= end:
        evaluated = changes.get(today, evaluated)
        daily[today] = settle(every, evaluated, today, policy, LADDER)
        every = daily[today].state
        if today in changes or today == timer:
            sparse[today] = settle(some, evaluated, today, policy, LADDER)
            some, timer = sparse[today].state, sparse[today].grace_until
        today += timedelta(1)
    served = [(day, settled.applied_tier, settled.grace_until) for day, settled in sparse.items()]
    assert served == [(day, daily[day].applied_tier, daily[day].grace_until) for day in sparse]
    assert some is not None
    assert every is not None
    assert (some.tier, some.since) == (every.tier, every.since)
