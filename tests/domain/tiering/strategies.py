"""Random tiers, policies and states that stability can really be in."""

from datetime import date, timedelta
from typing import Final

from hypothesis import strategies as st

from app.domain.rules.model import DowngradeStep, Stability
from app.domain.tiering.ladder import LADDER
from app.domain.tiering.override import OverrideInForce
from app.domain.tiering.stability import StabilityState
from app.domain.words import OVERRIDE_MODES

DAY_ZERO: Final = date(2026, 1, 31)
tiers = st.sampled_from(LADDER.tiers)
days = st.integers(0, 400).map(lambda days: DAY_ZERO + timedelta(days))
policies = st.builds(
    Stability,
    downgrade_cooldown_days=st.sampled_from([0, 1, 7, 90]),
    downgrade_step=st.sampled_from(DowngradeStep),
    grace_days=st.sampled_from([0, 1, 10, 30]),
    min_dwell_days=st.sampled_from([0, 1, 14, 30]),
)


@st.composite
def states(draw: st.DrawFn) -> StabilityState:
    """A state with its clocks in order: nothing in it lies after its evaluation."""
    evaluated_on = draw(days)
    before = st.dates(DAY_ZERO - timedelta(200), evaluated_on)
    since = draw(before)
    last_downgrade = draw(st.none() | st.dates(DAY_ZERO - timedelta(200), since))
    first_lower = draw(st.none() | st.dates(since, evaluated_on))
    return StabilityState(draw(tiers), since, last_downgrade, first_lower, evaluated_on)


def overrides() -> st.SearchStrategy[OverrideInForce]:
    """Overrides in force, of whichever day."""
    modes = st.sampled_from(OVERRIDE_MODES)
    return st.builds(OverrideInForce, id=st.uuids(), mode=modes, tier=tiers, until=days)
