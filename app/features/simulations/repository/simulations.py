"""Simulations: what was asked for, how far its job is, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import exists, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.job import JobRow
from app.db.rows.simulation import SimulationRow
from app.infra.jobs import JobState

JOB_KIND: Final = "simulation"
"""What the worker knows the job by; its `dedupe_key` goes on with the id."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a simulation rehearses, frozen when it was asked for.

    `others` gives id and version of what decides beside candidate and baseline, by product line.
    """

    id: UUID
    rule_set_id: str
    product_line: str
    candidate_version: int | None
    document: Mapping[str, Any]
    hash: str
    baseline_rule_set_id: str
    baseline_version: int | None
    baseline_document: Mapping[str, Any]
    baseline_hash: str
    others: Mapping[str, Sequence[Any]]
    objectives: Sequence[str]
    as_of: date
    is_rehearsal: bool
    requested_by: str
    requested_role: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A simulation as it stands, without its documents; the job is None once it is forgotten."""

    id: UUID
    rule_set_id: str
    product_line: str
    candidate_version: int | None
    hash: str
    baseline_rule_set_id: str
    baseline_version: int | None
    baseline_hash: str
    objectives: Sequence[str]
    as_of: date
    is_rehearsal: bool
    requested_by: str
    requested_role: str
    recorded_at: datetime
    snapshot_at: datetime | None
    completed_at: datetime | None
    has_movers: bool
    job_id: UUID | None
    job_state: JobState | None
    done: int | None
    total: int | None
    error_type: str | None
    error_detail: str | None
    finished_at: datetime | None
    report: Mapping[str, Any] | None = None


_OF_JOB: Final = {
    "job_id": JobRow.id,
    "job_state": JobRow.state,
    **{
        name: getattr(JobRow, name)
        for name in ("done", "total", "error_type", "error_detail", "finished_at")
    },
}
_COLUMNS: Final = [
    _OF_JOB[name] if name in _OF_JOB else getattr(SimulationRow, name)
    for name in Stored.__dataclass_fields__
    if name != "report"
]
_WITH_REPORT: Final = [*_COLUMNS, SimulationRow.report]
_DOCUMENTS: Final = [getattr(SimulationRow, name) for name in Rehearsed.__dataclass_fields__]
#: A requeued job stays the same one, so that there is one at most.
_JOB: Final = JobRow.dedupe_key == func.concat(f"{JOB_KIND}:", SimulationRow.id)

#: What the rehearsed document was put in force after, keeps its rehearsal as evidence.
_PUBLISHED: Final = """EXISTS (
    SELECT FROM rule_set_versions AS version
    JOIN rule_set_activations AS activation USING (rule_set_id, version)
    WHERE version.rule_set_id = simulation.rule_set_id AND version.hash = simulation.hash
        AND activation.created_at >= simulation.completed_at
)"""
_IS_OLD: Final = """
    simulation.recorded_at < now() - make_interval(days => :days)
    AND NOT EXISTS (
        SELECT FROM jobs WHERE dedupe_key = :kind || ':' || simulation.id
            AND state IN ('queued', 'running')
    )
"""
_REMOVE: Final = text(
    f"DELETE FROM simulations AS simulation WHERE {_IS_OLD} AND NOT {_PUBLISHED}"  # noqa: S608 - texts of ours.
)
_FORGET_MOVERS: Final = text(f"""
    WITH kept AS (
        UPDATE simulations AS simulation SET has_movers = false
        WHERE has_movers AND {_IS_OLD} AND {_PUBLISHED} RETURNING id
    )
    DELETE FROM simulation_movers WHERE simulation_id IN (SELECT id FROM kept)
""")  # noqa: S608 - texts of ours.


async def insert_simulation(session: AsyncSession, rehearsed: Rehearsed) -> None:
    """Store what is to be rehearsed."""
    await session.execute(insert(SimulationRow).values(**asdict(rehearsed)))


async def find_rehearsed(session: AsyncSession, simulation_id: UUID) -> Rehearsed | None:
    """What a simulation rehearses."""
    found = await session.execute(select(*_DOCUMENTS).where(SimulationRow.id == simulation_id))
    row = found.one_or_none()
    return None if row is None else Rehearsed(*row)


async def find_simulation(
    session: AsyncSession, *, simulation_id: UUID, rule_set_id: str | None = None
) -> Stored | None:
    """A simulation with its report, of one rule set or of any."""
    row = SimulationRow
    query = select(*_WITH_REPORT).outerjoin(JobRow, _JOB).where(row.id == simulation_id)
    if rule_set_id is not None:
        query = query.where(row.rule_set_id == rule_set_id)
    one = (await session.execute(query)).one_or_none()
    return None if one is None else Stored(*one)


async def list_simulations(
    session: AsyncSession, *, rule_set_id: str, before: UUID | None, limit: int
) -> list[Stored]:
    """The simulations of a rule set, the newest first, without their reports."""
    row = SimulationRow
    query = select(*_COLUMNS).outerjoin(JobRow, _JOB).where(row.rule_set_id == rule_set_id)
    if before is not None:
        query = query.where(row.id < before)
    rows = await session.execute(query.order_by(row.id.desc()).limit(limit))
    return [Stored(*found) for found in rows]


async def complete(
    session: AsyncSession,
    *,
    simulation_id: UUID,
    snapshot_at: datetime,
    report: Mapping[str, Any],
) -> None:
    """Store what a simulation found."""
    await session.execute(
        update(SimulationRow)
        .where(SimulationRow.id == simulation_id)
        .values(snapshot_at=snapshot_at, report=dict(report), completed_at=func.clock_timestamp())
    )


async def is_rehearsed(session: AsyncSession, *, rule_set_id: str, hash_: str) -> bool:
    """Whether a document has a completed rehearsal."""
    row = SimulationRow
    rehearsal = exists().where(
        row.rule_set_id == rule_set_id,
        row.hash == hash_,
        row.is_rehearsal,
        row.completed_at.is_not(None),
    )
    return bool(await session.scalar(select(rehearsal)))


async def remove_old(session: AsyncSession, *, days: int) -> None:
    """Remove simulations of so many days ago; of what was put in force after, only who moved."""
    values = {"days": days, "kind": JOB_KIND}
    # Of a simulation that moves half of the book there is much to remove.
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    await session.execute(_FORGET_MOVERS, values)
    await session.execute(_REMOVE, values)
