"""The one facts query, for some customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.facts_query import Scope, facts_query
from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import FactValue
from app.infra.database import raw_connection

#: For so few customers one plan serves all; planning anew takes ten times as long as the answer.
_FEW = 50


async def select_facts(
    session: AsyncSession, customer_ids: Sequence[str], as_of: date
) -> dict[str, dict[str, FactValue]]:
    """Every fact of the customers, by customer id."""
    connection = await raw_connection(session)
    mode = "force_generic_plan" if len(customer_ids) <= _FEW else "force_custom_plan"
    await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
    rows = await connection.fetch(facts_query(Scope.NAMED), as_of, list(customer_ids))
    await connection.execute("SET LOCAL plan_cache_mode = auto")
    return {row["customer_id"]: {name: row[name] for name in CATALOGUE} for row in rows}
