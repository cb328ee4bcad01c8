"""What an override makes of the tier that stability lets serve."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.domain.tiering.ladder import LADDER
from app.domain.tiering.override import (
    OverrideInForce,
    overridden_tier,
    replaces_tier,
    serving_on,
)
from app.domain.words import OverrideMode
from tests.domain.tiering.strategies import DAY_ZERO, days, overrides, tiers


def override(mode: OverrideMode, tier: str) -> OverrideInForce:
    return OverrideInForce(UUID(int=1), mode, tier, DAY_ZERO)


@pytest.mark.parametrize(
    ("mode", "tier", "served"),
    [
        ("pin", "gold", ["gold", "gold", "gold"]),
        ("floor", "gold", ["diamond", "gold", "gold"]),
        ("ceiling", "gold", ["gold", "gold", "standard"]),
        ("floor", "diamond", ["diamond", "diamond", "diamond"]),
        ("ceiling", "standard", ["standard", "standard", "standard"]),
    ],
)
def test_each_mode_replaces_what_it_should(
    mode: OverrideMode, tier: str, served: list[str]
) -> None:
    given_override = override(mode, tier)
    assert [overridden_tier(own, given_override, LADDER) for own in LADDER.tiers] == served


def test_a_pin_is_always_why_and_others_only_where_they_change_the_tier() -> None:
    assert replaces_tier("gold", override("pin", "gold"), LADDER)
    assert not replaces_tier("gold", override("floor", "gold"), LADDER)
    assert not replaces_tier("gold", override("ceiling", "gold"), LADDER)
    assert replaces_tier("standard", override("floor", "gold"), LADDER)
    assert not replaces_tier("gold", None, LADDER)


@given(tiers, overrides())
def test_the_bounds_hold(tier: str, given_override: OverrideInForce) -> None:
    served = overridden_tier(tier, given_override, LADDER)
    assert served in {tier, given_override.tier}
    if given_override.mode == "floor":
        assert not LADDER.is_better(given_override.tier, served)
        assert not LADDER.is_better(tier, served)
    if given_override.mode == "ceiling":
        assert not LADDER.is_better(served, given_override.tier)
        assert not LADDER.is_better(served, tier)
    assert overridden_tier(served, given_override, LADDER) == served


@given(days, st.integers(-3, 3))
def test_it_serves_before_its_last_day_and_not_from_it_on(until: date, ahead: int) -> None:
    ends = OverrideInForce(UUID(int=1), "pin", "gold", until)
    assert serving_on(ends, until + timedelta(ahead)) == (ends if ahead < 0 else None)


def test_nothing_serves_where_there_is_none() -> None:
    assert serving_on(None, DAY_ZERO) is None
    assert overridden_tier("gold", None, LADDER) == "gold"


@pytest.mark.parametrize("mode", ["pin", "floor", "ceiling"])
def test_a_tier_that_is_not_on_the_ladder_is_refused(mode: OverrideMode) -> None:
    with pytest.raises(Invalid, match="no tier of that name"):
        overridden_tier("gold", override(mode, "platinum"), LADDER)
