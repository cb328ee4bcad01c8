"""Simulations as they are read, and stopped: state, progress, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from uuid import UUID

from app.domain.errors import Conflict, NotFound
from app.features.simulations.repository import simulations as repository
from app.features.simulations.repository.simulations import Stored
from app.features.simulations.service.candidates import require_rule_set
from app.features.simulations.service.report import Report, read_report
from app.infra import jobs
from app.infra.database import AsyncSession
from app.infra.jobs import JobState
from app.infra.people import find_people

SimulationState: TypeAlias = Literal["queued", "running", "completed", "failed", "cancelled"]

_STATES: Final[Mapping[JobState, SimulationState]] = {
    "queued": "queued",
    "running": "running",
    # Its report is stored with its success, so that one alone is not there.
    "succeeded": "failed",
    "dead": "failed",
    "cancelled": "cancelled",
}


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulation as it stands; the report is None until it is completed, or in a list."""

    stored: Stored
    requested_by: str | None
    report: Report | None

    @property
    def state(self) -> SimulationState:
        """How far it is; a job that is forgotten without success failed."""
        if self.stored.completed_at is not None:
            return "completed"
        job_state = self.stored.job_state
        return "failed" if job_state is None else _STATES[job_state]


@dataclass(frozen=True, slots=True)
class SimulationPage:
    """Some simulations; `before` is the id the page ended with, None at the end of all."""

    items: list[Simulation]
    before: UUID | None


async def get_simulation(
    session: AsyncSession, *, rule_set_id: str, simulation_id: UUID
) -> Simulation:
    """A simulation of a rule set.

    Raises:
        NotFound: there is none.
    """
    found = await repository.find_simulation(
        session, rule_set_id=rule_set_id, simulation_id=simulation_id
    )
    if found is None:
        raise NotFound("not-found")
    return (await _told(session, [found]))[0]


async def list_simulations(
    session: AsyncSession, *, rule_set_id: str, limit: int, before: UUID | None = None
) -> SimulationPage:
    """A page of the simulations of a rule set, the newest first, without their reports.

    Raises:
        NotFound: there is no such rule set.
    """
    found = await repository.list_simulations(
        session, rule_set_id=rule_set_id, before=before, limit=limit + 1
    )
    if not found:
        await require_rule_set(session, rule_set_id)
    items = await _told(session, found[:limit])
    return SimulationPage(items, items[-1].stored.id if len(found) > limit else None)


async def _told(session: AsyncSession, found: Sequence[Stored]) -> list[Simulation]:
    people = await find_people(session, {one.requested_by for one in found})
    return [
        Simulation(
            one,
            people[one.requested_by].subject if one.requested_by in people else None,
            None if one.report is None else read_report(one.report),
        )
        for one in found
    ]


async def cancel_simulation(
    session: AsyncSession, *, rule_set_id: str, simulation_id: UUID
) -> Simulation:
    """Let a simulation not begin, or stop after the batch at hand; twice is as once.

    Raises:
        NotFound: there is none.
        Conflict: `job-ended` if it has ended.
    """
    found = await get_simulation(session, rule_set_id=rule_set_id, simulation_id=simulation_id)
    job_id = found.stored.job_id
    job = None if job_id is None else await jobs.find_job(session, job_id)
    if job is None:
        raise Conflict("job-ended", "the simulation has ended; there is nothing to cancel")
    await jobs.cancel(session, job)
    return await get_simulation(session, rule_set_id=rule_set_id, simulation_id=simulation_id)


async def get_completed(
    session: AsyncSession, *, rule_set_id: str, simulation_id: UUID
) -> tuple[Simulation, Report]:
    """A simulation that is completed, and what it found.

    Raises:
        NotFound: there is none.
        Conflict: `simulation-not-completed`.
    """
    found = await get_simulation(session, rule_set_id=rule_set_id, simulation_id=simulation_id)
    if found.report is None:
        raise Conflict("simulation-not-completed", "Wait until the simulation is completed.")
    return found, found.report


async def has_rehearsed(session: AsyncSession, *, rule_set_id: str, hash_: str) -> bool:
    """Whether exactly this document was rehearsed on the whole book.

    A rehearsal is a completed simulation as of the day it was asked for, against what decided for
    the line that day. It counts whatever has decided since: what decides after a publication is
    what was rehearsed, and who puts an earlier version back in force must not have to wait.
    """
    return await repository.is_rehearsed(session, rule_set_id=rule_set_id, hash_=hash_)
