"""The facts of some customers, as one evaluation reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.domain.facts.model import FactValue
from app.features.facts import repository
from app.infra.database import AsyncSession


async def read_facts(
    session: AsyncSession, customer_ids: Sequence[str], as_of: date
) -> dict[str, dict[str, FactValue]]:
    """The facts of customers as of the end of a business day.

    Args:
        session: an open session.
        customer_ids: the customers; one that does not exist is left out of the answer.
        as_of: the business day.

    Returns:
        By customer id, every fact of the catalogue in its order.
    """
    return await repository.select_facts(session, customer_ids, as_of)
