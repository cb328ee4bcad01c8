"""Giving a customer the tier an evaluation ended in, with history."""

from __future__ import annotations

from app.domain.errors import NotFound
from app.features.tiers.repository import assignments
from app.features.tiers.repository.assignments import STAGED, Held, Standing
from app.infra.database import AsyncSession

__all__ = [
    "STAGED",
    "Held",
    "Standing",
    "apply_staged",
    "assign",
    "lock_held",
    "stage_standings",
]


async def lock_held(session: AsyncSession, *, customer_id: str) -> Held | None:
    """Where a customer stands, None before the first evaluation; others wait for this transaction.

    Raises:
        NotFound: there is no such customer.
    """
    # The customer's own row comes first: before the first evaluation there is no other to lock.
    if not await assignments.lock_customer(session, customer_id):
        raise NotFound("not-found", "There is no such customer.")
    return await assignments.lock_held(session, customer_id)


async def assign(session: AsyncSession, *, standing: Standing) -> None:
    """Store where a customer stands after a stored decision; `lock_held` came first."""
    await assignments.replace_assignment(session, standing)
    await assignments.save_standing(session, standing)


async def stage_standings(session: AsyncSession, *, csv: bytes) -> list[str]:
    r"""Make a chunk of the book ready to be written, and lock its customers.

    Args:
        session: a session whose transaction will hold the whole chunk.
        csv: rows with the columns of `STAGED`, no header; empty is null, bytes are `\x` and hex.

    Returns:
        The ids of customers who were evaluated otherwise, or left, since the book was read; they
        will not be written, so their decisions must not be stored either.
    """
    await assignments.stage(session, csv)
    return await assignments.drop_overtaken(session)


async def apply_staged(session: AsyncSession) -> None:
    """Write the staged standings, after their decisions were stored."""
    await assignments.apply_staged(session)
