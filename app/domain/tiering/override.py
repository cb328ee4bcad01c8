"""What an override makes of the tier that stability lets serve; stability itself goes on below."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domain.tiering.ladder import Ladder
from app.domain.words import OverrideMode


@dataclass(frozen=True, slots=True)
class OverrideInForce:
    """An approved override of one customer; `until` is the first day it no longer serves."""

    id: UUID
    mode: OverrideMode
    tier: str
    until: date


def serving_on(override: OverrideInForce | None, day: date) -> OverrideInForce | None:
    """The override if it serves on that business day, which it does before its `until`."""
    return override if override is not None and day < override.until else None


def overridden_tier(tier: str, override: OverrideInForce | None, ladder: Ladder) -> str:
    """The tier that serves: a pin serves its own, a floor no lower and a ceiling no better one.

    Args:
        tier: what stability lets serve.
        override: the override that serves on the day, if any.
        ladder: the tiers in order.

    Raises:
        Invalid: `unknown-tier` if a tier is not on the ladder.
    """
    if override is None:
        return tier
    if override.mode == "pin":
        return ladder.tiers[ladder.position(override.tier)]
    is_better = ladder.is_better(override.tier, tier)
    replaces = is_better if override.mode == "floor" else override.tier != tier and not is_better
    return override.tier if replaces else tier


def replaces_tier(tier: str, override: OverrideInForce | None, ladder: Ladder) -> bool:
    """Whether the override is why the tier serves: a pin always, the others where they change it.

    Args:
        tier: what stability lets serve.
        override: the override that serves on the day, if any.
        ladder: the tiers in order.
    """
    if override is None:
        return False
    return override.mode == "pin" or overridden_tier(tier, override, ladder) != tier
