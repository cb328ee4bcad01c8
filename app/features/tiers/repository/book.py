"""SQL on the book by tier."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows import CustomerRow, TierAssignmentRow


async def count_customers(session: AsyncSession) -> int:
    """Customers, evaluated or not."""
    return await session.scalar(select(func.count()).select_from(CustomerRow)) or 0


async def count_by_tier(session: AsyncSession) -> dict[str, int]:
    """Evaluated customers by the tier they were assigned; an override counts until it was ended."""
    row = TierAssignmentRow
    found = await session.execute(
        select(row.tier, func.count().label("customers"))
        .where(row.valid_to.is_(None))
        .group_by(row.tier)
    )
    return {row.tier: row.customers for row in found}


async def find_customer_of(session: AsyncSession, *, tier: str) -> str | None:
    """The first customer by id who is served by a tier."""
    row = TierAssignmentRow
    return await session.scalar(
        select(func.min(row.customer_id)).where(row.tier == tier, row.valid_to.is_(None))
    )


async def find_account_manager(session: AsyncSession) -> str | None:
    """The first account manager by subject who has customers."""
    return await session.scalar(select(func.min(CustomerRow.account_manager)))
