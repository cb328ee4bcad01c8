"""Imports as who ordered them sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.records.reasons import REASONS
from app.features.imports.repository import uploads
from app.features.imports.service.ordering import subject_of
from app.features.imports.service.results import Tally
from app.infra import jobs
from app.infra.database import AsyncSession
from app.infra.exports import csv_lines
from app.infra.jobs import Job

REJECTED_HEADER = ("row", "outcome", "record", "column", "reason", "remedy")

_STATES = {"queued": "queued", "running": "running", "dead": "failed", "cancelled": "cancelled"}


@dataclass(frozen=True, slots=True)
class OrderedImport:
    """An import as it stands, with its newest job."""

    id: UUID
    state: str
    tally: Tally
    job: Job
    created_at: datetime
    finished_at: datetime | None

    @property
    def has_findings(self) -> bool:
        """Whether there is anything to download."""
        return any(counts.rejected or counts.warnings for counts in self.tally.records.values())


async def get_import(
    session: AsyncSession, *, import_id: UUID, digest: str, role: str
) -> OrderedImport:
    """An import.

    Args:
        session: the caller's transaction.
        import_id: its id.
        digest: of the actor who asks.
        role: his active role.

    Raises:
        NotFound: there is none, or this actor did not order it in this role.
    """
    about = await jobs.find_jobs_about(session, subject_of(import_id))
    run = await uploads.find_run_state(session, import_id)
    if run is None or (digest, role) not in {
        (job.requested_by, job.requested_role) for job in about
    }:
        raise NotFound("not-found")
    job = about[0]
    tally = Tally()
    for counts in run.chunks:
        tally.add(Tally.from_json(counts))
    is_completed = run.state == "completed"
    return OrderedImport(
        id=run.id,
        state=run.state if is_completed else _STATES.get(job.state, run.state),
        tally=tally,
        job=job,
        created_at=run.created_at,
        finished_at=run.finished_at if is_completed else job.finished_at,
    )


async def rejected_lines(session: AsyncSession, import_id: UUID) -> AsyncIterator[bytes]:
    """What was rejected or doubted, as a CSV file, piece by piece; no value of any row."""
    yield csv_lines([REJECTED_HEADER])
    async for findings in uploads.read_findings(session, import_id):
        yield csv_lines(
            (
                str(row),
                REASONS[code].outcome,
                record,
                column,
                code,
                REASONS[code].remedy(record, column),
            )
            for row, record, column, code, _ in findings
        )
