"""The use cases of jobs; a job is there only for who started it, in the role he started it in."""

from __future__ import annotations

from uuid import UUID

from app.domain.errors import NotFound
from app.infra import jobs
from app.infra.database import AsyncSession
from app.infra.jobs import Job


async def get_job(session: AsyncSession, *, job_id: UUID, digest: str, role: str) -> Job:
    """A job.

    Args:
        session: the caller's transaction.
        job_id: its id.
        digest: of the actor who asks.
        role: his active role.

    Raises:
        NotFound: there is none, or another actor or role started it.
    """
    job = await jobs.find_job(session, job_id)
    if job is None or (job.requested_by, job.requested_role) != (digest, role):
        raise NotFound("not-found")
    return job


async def cancel_job(session: AsyncSession, job: Job) -> Job:
    """Let it not begin, or stop after what is under way is whole.

    Raises:
        Conflict: it has ended.
    """
    await jobs.cancel(session, job)
    return await _again(session, job)


async def requeue_job(session: AsyncSession, job: Job) -> Job:
    """Let it begin anew, where what it stored already is kept.

    Raises:
        Conflict: it is neither dead nor cancelled.
    """
    await jobs.requeue(session, job)
    return await _again(session, job)


async def _again(session: AsyncSession, job: Job) -> Job:
    found = await jobs.find_job(session, job.id)
    if found is None:
        raise NotFound("not-found")
    return found
