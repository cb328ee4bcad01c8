"""Jobs on a table of our own: put in by whoever changes something, done by workers.

A job runs at least once and its effect is stored once: whoever works on it writes everything in
transactions that `Lease.confirm` fences, and a worker that lost its lease can commit none.
"""

from app.db.rows.job import JobState
from app.infra.jobs.lease import (
    JobCancelledError,
    JobStoppedError,
    Lease,
    LeaseLostError,
)
from app.infra.jobs.loop import Handler, JobLoop, Pace
from app.infra.jobs.queue import (
    Job,
    Order,
    cancel,
    enqueue,
    find_job,
    find_jobs_about,
    remove_ended,
    requeue,
)
from app.infra.jobs.schedule import Schedule

__all__ = [
    "Handler",
    "Job",
    "JobCancelledError",
    "JobLoop",
    "JobState",
    "JobStoppedError",
    "Lease",
    "LeaseLostError",
    "Order",
    "Pace",
    "Schedule",
    "cancel",
    "enqueue",
    "find_job",
    "find_jobs_about",
    "remove_ended",
    "requeue",
]
