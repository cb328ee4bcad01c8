"""What a customer of a tier has, and what the next tier would add."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any

from app.domain.benefits.catalogue import Benefit, Grant, GrantedBenefit, added_by, granted_to
from app.features.benefits import repository
from app.infra.database import AsyncSession

#: The shipped catalogue holds for all time, as templates do.
_ALWAYS = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class TierBenefits:
    """A tier's benefits, and those the next better tier would add."""

    granted: list[GrantedBenefit]
    added_by_next: list[GrantedBenefit]


async def get_benefits(
    session: AsyncSession, *, tier: str, next_tier: str | None, on: date
) -> TierBenefits:
    """The benefits of a tier on a business day.

    Args:
        session: an open session.
        tier: the tier served.
        next_tier: the next better tier, or None at the top.
        on: the business day.
    """
    offered = await repository.list_offered(session, on=on)
    added = [] if next_tier is None else added_by(next_tier, tier, offered)
    return TierBenefits(granted_to(tier, offered), added)


async def install_benefits(session: AsyncSession) -> None:
    """Store the shipped catalogue where there is none yet."""
    if not await repository.has_benefits(session):
        await repository.save_benefits(session, shipped_benefits(), valid_from=_ALWAYS)


def shipped_benefits() -> list[Benefit]:
    """The catalogue in `defaults.toml`."""
    text = files(__package__).joinpath("defaults.toml").read_text(encoding="utf-8")
    data: dict[str, list[dict[str, Any]]] = tomllib.loads(text)
    return [
        Benefit(
            position=position,
            grants=tuple(
                Grant(item["tier"], item.get("quota"), item.get("period"))
                for item in row.pop("grant", [])
            ),
            **row,
        )
        for position, row in enumerate(data["benefit"], start=1)
    ]
