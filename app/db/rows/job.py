"""Jobs: what is done later, by a worker, at least once and with its effect stored once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, DateTime, Index, Integer, Text, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of

JobState: TypeAlias = Literal["queued", "running", "succeeded", "dead", "cancelled"]

_LIVE = sql("state IN ('queued', 'running')")


class JobRow(Recorded, Base):
    """One piece of work; times are the database's, so that no two clocks need agree."""

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("state", get_args(JobState)),
        CheckConstraint("attempts BETWEEN 0 AND max_attempts", name="attempts"),
        CheckConstraint("done >= 0 AND (total IS NULL OR total >= 0)", name="progress"),
        CheckConstraint("(state = 'running') = (leased_until IS NOT NULL)", name="lease"),
        CheckConstraint("(state IN ('queued', 'running')) = (finished_at IS NULL)", name="ended"),
        Index("uq_jobs_live", "dedupe_key", unique=True, postgresql_where=_LIVE),
        Index("ix_jobs_due", "run_after", "id", postgresql_where=_LIVE),
        Index(None, "dedupe_key", "id"),
        {"comment": "Jobs: queued, leased to one worker at a time, fenced by their epoch."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    kind: Mapped[str] = column(Text, "What is to be done.", sensitivity="open", nullable=False)
    state: Mapped[JobState] = column(
        Text, "queued, running, succeeded, dead or cancelled.", sensitivity="open", nullable=False
    )
    payload: Mapped[dict[str, Any]] = column(
        JSONB, "Ids of what it is about, never data.", sensitivity="open", nullable=False
    )
    dedupe_key: Mapped[str] = column(
        Text, "What no two live jobs may be about.", sensitivity="internal", nullable=False
    )
    done: Mapped[int] = column(
        BigInteger, "How much is done.", sensitivity="open", server_default="0", nullable=False
    )
    total: Mapped[int | None] = column(
        BigInteger, "How much there is to do, once it is known.", sensitivity="open"
    )
    error_type: Mapped[str | None] = column(
        Text, "Slug of what ended the latest attempt.", sensitivity="open"
    )
    error_detail: Mapped[str | None] = column(
        Text, "Place and remedy, without any value.", sensitivity="open"
    )
    attempts: Mapped[int] = column(
        Integer, "Attempts begun.", sensitivity="open", server_default="0", nullable=False
    )
    max_attempts: Mapped[int] = column(
        Integer, "Attempts after which it is dead.", sensitivity="open", nullable=False
    )
    epoch: Mapped[int] = column(
        Integer,
        "Counts its owners; who holds an older one may write nothing.",
        sensitivity="internal",
        server_default="0",
        nullable=False,
    )
    leased_until: Mapped[datetime | None] = column(
        DateTime(timezone=True),
        "Until when its worker is taken to live, unless it says so again.",
        sensitivity="internal",
    )
    run_after: Mapped[datetime] = column(
        DateTime(timezone=True),
        "Not before this.",
        sensitivity="internal",
        server_default=sql("now()"),
        nullable=False,
    )
    cancel_requested: Mapped[bool] = column(
        Boolean,
        "Whether it is to stop at the next place where that leaves nothing half done.",
        sensitivity="open",
        server_default=sql("false"),
        nullable=False,
    )
    requested_by: Mapped[str] = column(
        Text, "Digest of the actor who started it.", sensitivity="internal", nullable=False
    )
    requested_role: Mapped[str] = column(
        Text, "The role the actor started it in.", sensitivity="internal", nullable=False
    )
    finished_at: Mapped[datetime | None] = column(
        DateTime(timezone=True), "When it succeeded, died or was cancelled.", sensitivity="open"
    )
