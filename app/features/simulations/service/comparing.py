"""Two simulations side by side."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.domain.errors import Conflict, NotFound
from app.features.simulations.repository import simulations as repository
from app.features.simulations.service.reading import Simulation, get_completed
from app.features.simulations.service.report import Report
from app.infra.database import AsyncSession


@dataclass(frozen=True, slots=True)
class Side:
    """One of two simulations that are compared, completed."""

    simulation: Simulation
    report: Report


async def compare_simulations(
    session: AsyncSession, *, rule_set_id: str, simulation_id: UUID, other_id: UUID
) -> tuple[Side, Side]:
    """Two completed simulations of one day against one baseline, perhaps of two rule sets.

    Raises:
        NotFound: one of them is not there.
        Conflict: `simulation-not-completed`; `simulations-differ` if day or baseline differ.
    """
    this = Side(*await get_completed(session, rule_set_id=rule_set_id, simulation_id=simulation_id))
    stored = await repository.find_simulation(session, simulation_id=other_id)
    if stored is None:
        raise NotFound("not-found")
    other = Side(
        *await get_completed(session, rule_set_id=stored.rule_set_id, simulation_id=other_id)
    )
    mine, theirs = this.simulation.stored, other.simulation.stored
    ground = [(one.as_of, one.product_line, one.baseline_hash) for one in (mine, theirs)]
    if ground[0] != ground[1]:
        raise Conflict("simulations-differ", "Simulate both on one day against one baseline.")
    return this, other
