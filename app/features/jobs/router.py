"""`/v1/jobs/{job_id}`: what goes on after a request was answered 202."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Path

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.features.jobs import service
from app.features.jobs.schemas import JobRead
from app.infra.auth import requires
from app.infra.description import problem_responses
from app.infra.requester import CurrentRequester
from app.infra.routing import Router
from app.infra.session import ReadSession, WriteSession
from app.infra.turns import TAKES_TURN

router = Router("jobs")

JobId = Annotated[UUID, Path(description="Id of the job.")]
#: The roles that may start jobs.
Starter = Annotated[Actor, requires(Role.INTEGRATION)]


@router.get(
    "/v1/jobs/{job_id}",
    summary="A job",
    response_description="State, progress, and why it died if it did.",
    responses=problem_responses(404),
)
async def get_job(
    job_id: JobId, session: ReadSession, requester: CurrentRequester, _actor: Starter
) -> JobRead:
    """A job is there for the caller and role that started it, and for nobody else."""
    job = await service.get_job(
        session, job_id=job_id, digest=requester.digest, role=requester.role
    )
    return JobRead.from_domain(job)


@router.post(
    "/v1/jobs/{job_id}/cancel",
    summary="Cancel a job",
    response_description="The job; one that runs stops after what is under way is whole.",
    dependencies=[TAKES_TURN],
    responses=problem_responses(404, "job-ended"),
)
async def cancel_job(
    job_id: JobId, session: WriteSession, requester: CurrentRequester, _actor: Starter
) -> JobRead:
    """What was stored stays. Cancelling twice is as once; a job that has ended: 409 `job-ended`."""
    job = await service.get_job(
        session, job_id=job_id, digest=requester.digest, role=requester.role
    )
    return JobRead.from_domain(await service.cancel_job(session, job))


@router.post(
    "/v1/jobs/{job_id}/requeue",
    summary="Let a dead job begin anew",
    response_description="The job, queued.",
    dependencies=[TAKES_TURN],
    responses=problem_responses(404, "job-not-dead"),
)
async def requeue_job(
    job_id: JobId, session: WriteSession, requester: CurrentRequester, _actor: Starter
) -> JobRead:
    """A dead or cancelled job goes on from what it has stored. Any other: 409 `job-not-dead`."""
    job = await service.get_job(
        session, job_id=job_id, digest=requester.digest, role=requester.role
    )
    return JobRead.from_domain(await service.requeue_job(session, job))
