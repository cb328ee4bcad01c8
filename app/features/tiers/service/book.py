"""The book by tier."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.tiering.ladder import LADDER
from app.features.tiers.repository import book as repository
from app.infra.database import AsyncSession


@dataclass(frozen=True, slots=True)
class BookByTier:
    """How many customers there are, how many each tier serves, and whom to look at.

    Args:
        customers: evaluated or not.
        tiers: evaluated ones by the tier that serves them.
        example: one of these.
        account_manager: subject of somebody who has customers.
    """

    customers: int
    tiers: dict[str, int]
    example: str | None
    account_manager: str | None


async def get_book_by_tier(session: AsyncSession) -> BookByTier:
    """Count the book; the example comes from the second-best tier where it has anyone.

    A customer of that tier has something below and something above, which shows most.
    """
    tiers = await repository.count_by_tier(session)
    ranked = sorted(tiers, key=lambda tier: (tier != LADDER.tiers[1], LADDER.position(tier)))
    example = await repository.find_customer_of(session, tier=ranked[0]) if ranked else None
    return BookByTier(
        await repository.count_customers(session),
        tiers,
        example,
        await repository.find_account_manager(session),
    )
