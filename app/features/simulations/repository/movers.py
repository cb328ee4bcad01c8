"""Who moves in a simulation: written in chunks, leafed through, streamed."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.simulation_mover import SimulationMoverRow
from app.infra.database import raw_connection

#: What is known of every customer beside the facts, for the snapshot of the book.
PEOPLE_QUERY: Final = "SELECT customer_id, gender, city, channel FROM customers"

COPIED: Final = (
    "simulation_id",
    "customer_id",
    "line",
    "segment",
    "premium",
    "evaluated_before",
    "evaluated_after",
    "serving_before",
    "serving_after",
)
"""The columns of written movers, in the order of their CSV."""

_AT_A_TIME: Final = 1000


@dataclass(frozen=True, slots=True)
class MoverFilter:
    """Which movers: such as move in one view, from one tier, to another; None leaves all."""

    view: Literal["evaluated", "serving"] = "evaluated"
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Mover:
    """A customer who moves."""

    customer_id: str
    account_manager: str | None
    line: str
    segment: str | None
    premium: Decimal | None
    evaluated_before: str
    evaluated_after: str
    serving_before: str
    serving_after: str


# Who was merged away since is listed no more, as in every list of customers.
_ROWS: Final = """
    SELECT mover.customer_id, customer.account_manager, mover.line, mover.segment, mover.premium,
        mover.evaluated_before, mover.evaluated_after, mover.serving_before, mover.serving_after
    FROM simulation_movers AS mover JOIN customers AS customer USING (customer_id)
    WHERE mover.simulation_id = :simulation_id AND mover.customer_id > :after_id
        AND NOT EXISTS (
            SELECT FROM customer_aliases AS alias WHERE alias.alias_id = mover.customer_id
        )
"""


def _query(wanted: MoverFilter) -> tuple[str, dict[str, Any]]:
    """The query of a filter, and its values."""
    old, new = f"mover.{wanted.view}_before", f"mover.{wanted.view}_after"
    clauses = [f"{old} <> {new}"]
    values: dict[str, Any] = {}
    for name, column in (("before", old), ("after", new)):
        if (tier := getattr(wanted, name)) is not None:
            clauses.append(f"{column} = :{name}")
            values[name] = tier
    conditions = "".join(f" AND {clause}" for clause in clauses)
    return f"{_ROWS}{conditions} ORDER BY mover.customer_id LIMIT :limit", values


async def remove_movers(session: AsyncSession, simulation_id: UUID) -> None:
    """Forget whoever an earlier attempt found."""
    row = SimulationMoverRow
    await session.execute(delete(row).where(row.simulation_id == simulation_id))


async def copy_movers(session: AsyncSession, csv: bytes) -> None:
    """Write movers from a CSV in the order of `COPIED`."""
    connection = await raw_connection(session)
    await connection.copy_to_table(
        SimulationMoverRow.__tablename__, source=io.BytesIO(csv), columns=COPIED, format="csv"
    )


async def list_movers(
    session: AsyncSession, simulation_id: UUID, wanted: MoverFilter, *, after: str, limit: int
) -> list[Mover]:
    """Movers in the order of their ids.

    Args:
        session: an open session.
        simulation_id: of which simulation.
        wanted: which of them.
        after: the id that the page before ended with.
        limit: how many at most.
    """
    query, values = _query(wanted)
    given = {**values, "simulation_id": simulation_id, "after_id": after, "limit": limit}
    return [Mover(*row) for row in await session.execute(text(query), given)]


async def stream_movers(
    session: AsyncSession, simulation_id: UUID, wanted: MoverFilter, *, most: int
) -> AsyncIterator[Sequence[Mover]]:
    """Movers in the order of their ids, a thousand at a time, as of one instant."""
    query, values = _query(wanted)
    given = {**values, "simulation_id": simulation_id, "after_id": "", "limit": most}
    found = await session.stream(text(query), given, execution_options={"yield_per": _AT_A_TIME})
    async for part in found.partitions(_AT_A_TIME):
        yield [Mover(*row) for row in part]
