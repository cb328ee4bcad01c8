"""Who moves in a simulation, page by page or as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domain.errors import Conflict, Invalid
from app.features.simulations.repository import movers as repository
from app.features.simulations.repository.movers import Mover, MoverFilter
from app.features.simulations.service.reading import get_completed
from app.infra.database import AsyncSession


@dataclass(frozen=True, slots=True)
class MoverPage:
    """Some movers; `after` is the id the page ended with, None at the end of all."""

    items: list[Mover]
    after: str | None


async def require_movers(session: AsyncSession, *, rule_set_id: str, simulation_id: UUID) -> None:
    """See to it that who moves is known.

    Raises:
        NotFound: there is no such simulation.
        Conflict: `simulation-not-completed`, or `movers-removed` once they are kept no more.
    """
    found, _ = await get_completed(session, rule_set_id=rule_set_id, simulation_id=simulation_id)
    if not found.stored.has_movers:
        raise Conflict("movers-removed", "Who moves is not kept any more; simulate anew.")


async def list_movers(
    session: AsyncSession,
    *,
    simulation_id: UUID,
    wanted: MoverFilter,
    limit: int,
    after: str = "",
) -> MoverPage:
    """A page of the movers that a filter leaves, in the order of their ids."""
    found = await repository.list_movers(
        session, simulation_id, wanted, after=after, limit=limit + 1
    )
    items = found[:limit]
    return MoverPage(items, items[-1].customer_id if len(found) > limit else None)


async def list_all_movers(
    session: AsyncSession, *, simulation_id: UUID, wanted: MoverFilter, most: int
) -> AsyncIterator[Sequence[Mover]]:
    """All the movers that a filter leaves, as they were at one instant, some at a time.

    Raises:
        Invalid: `list-too-long` if there are more than `most`.
    """
    read = 0
    async for part in repository.stream_movers(session, simulation_id, wanted, most=most + 1):
        read += len(part)
        if read > most:
            raise Invalid("list-too-long", "The filter leaves more movers than one list may hold.")
        yield part
    await session.rollback()
