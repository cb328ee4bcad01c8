"""Giving customers the tiers that evaluations ended in, with history, and tiers back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from app.domain.errors import NotFound
from app.features.tiers.repository import assignments, returning, staged
from app.features.tiers.repository.assignments import Held, Standing
from app.features.tiers.repository.returning import Return
from app.features.tiers.repository.staged import STAGED
from app.infra.database import AsyncSession

__all__ = [
    "STAGED",
    "Held",
    "Standing",
    "apply_staged",
    "assign",
    "lock_held",
    "return_to_evaluated",
    "stage_standings",
]


async def lock_held(session: AsyncSession, *, customer_ids: Sequence[str]) -> dict[str, Held]:
    """Where customers stand, by id; others wait for this transaction, in the order of ids.

    Who was never evaluated is left out; he is locked all the same.

    Raises:
        NotFound: there is no such customer; the error names him in `customer_id`.
    """
    # The customers' own rows come first: before the first evaluation there is no other to lock.
    known = await assignments.lock_customers(session, customer_ids)
    for customer_id in customer_ids:
        if customer_id not in known:
            error = NotFound("not-found", "There is no such customer.")
            error.customer_id = customer_id
            raise error
    return await assignments.lock_held(session, customer_ids)


async def assign(
    session: AsyncSession, *, standings: Sequence[Standing], held: Mapping[str, Held], on: date
) -> None:
    """Store where customers stand after decisions for one business day, which are stored.

    Args:
        session: the session whose transaction holds all of it.
        standings: where each stands now.
        held: where they stood, as `lock_held` told in the same transaction.
        on: the business day.
    """
    await assignments.save_standings(session, standings, held, on=on)


async def return_to_evaluated(
    session: AsyncSession, *, customer_id: str, on: date, now: datetime
) -> bool:
    """Let the tier held by evaluation serve again, without evaluating.

    It serves from the day, or from the last day of the override if that was before. An evaluation
    for a day before it is refused from now on.

    Args:
        session: the session whose transaction holds it, and the end of the override.
        customer_id: the customer, by the id he is stored under.
        on: business day on which the override ended.
        now: the present instant.

    Returns:
        Whether an override replaced his tier until now.

    Raises:
        NotFound: there is no such customer.
    """
    held = (await lock_held(session, customer_ids=[customer_id])).get(customer_id)
    assigned = None if held is None else held.assigned
    if assigned is None or assigned.override_until is None:
        return False
    day = max(assigned.valid_from, min(on, assigned.override_until))
    await returning.give_back(session, [Return(customer_id, assigned.tier, day)], at=now)
    return True


async def stage_standings(session: AsyncSession, *, csv: bytes) -> list[str]:
    r"""Make a chunk of the book ready to be written, and lock its customers.

    Args:
        session: a session whose transaction will hold the whole chunk.
        csv: rows with the columns of `STAGED`, no header; empty is null, bytes are `\x` and hex.

    Returns:
        The ids of customers who were evaluated otherwise, who left, or of whom an override began
        or ended since the book was read; they will not be written, so their decisions must not be
        stored either.
    """
    await staged.stage(session, csv)
    return await staged.drop_overtaken(session)


async def apply_staged(session: AsyncSession) -> None:
    """Write the staged standings, after their decisions were stored."""
    await staged.apply_staged(session)
