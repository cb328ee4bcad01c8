"""A job as it is answered."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from app.infra.jobs import Job, JobState
from app.infra.masking import Open, ReadModel


class ProgressRead(ReadModel):
    """How far a job is."""

    done: Open[int] = Field(description="Rows done, or whatever the kind counts.", ge=0)
    total: Open[int | None] = Field(description="Of how many; null until it is known.")


class JobErrorRead(ReadModel):
    """What ended the latest attempt."""

    type: Open[str] = Field(description="Stable slug, as `file-unreadable`.")
    detail: Open[str] = Field(description="Place and remedy, in English; no value of the input.")


class JobRead(ReadModel):
    """One job."""

    id: Open[UUID] = Field(description="Id of the job.")
    kind: Open[str] = Field(description="What is done, as `import`.")
    state: Open[JobState] = Field(
        description="`dead` after an error that stays, or after the last attempt."
    )
    progress: ProgressRead = Field(description="How far it is.")
    error: JobErrorRead | None = Field(description="What ended the latest attempt, if anything.")
    attempts: Open[int] = Field(description="Attempts begun.", ge=0)
    max_attempts: Open[int] = Field(description="Attempts there are, at most.", ge=1)
    cancel_requested: Open[bool] = Field(description="Whether it was asked to stop.")
    created_at: Open[datetime] = Field(description="When it was put in.")
    finished_at: Open[datetime | None] = Field(description="When it ended.")

    @classmethod
    def from_domain(cls, job: Job) -> JobRead:
        """A job for who started it."""
        error = None
        if job.error_type is not None:
            error = JobErrorRead(type=job.error_type, detail=job.error_detail or "")
        return cls(
            id=job.id,
            kind=job.kind,
            state=job.state,
            progress=ProgressRead(done=job.done, total=job.total),
            error=error,
            attempts=job.attempts,
            max_attempts=job.max_attempts,
            cancel_requested=job.cancel_requested,
            created_at=job.recorded_at,
            finished_at=job.finished_at,
        )
