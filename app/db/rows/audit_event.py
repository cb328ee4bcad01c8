"""Who saw what: one append-only event per customer-data answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped

from app.db.base import Base, column, one_of

OUTCOMES = ("answered", "denied", "changed")


class AuditEventRow(Base):
    """One answer, denial or change; it holds no values."""

    __tablename__ = "audit_events"
    __table_args__ = (
        UniqueConstraint("writer", "seq"),
        one_of("outcome", OUTCOMES),
        CheckConstraint("status BETWEEN 100 AND 599", name="status"),
        {"comment": "Append-only audit of customer-data answers, numbered per stream."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="internal", primary_key=True)
    writer: Mapped[str] = column(
        Text,
        "Stream of numbers: of a process, new at its start and after a batch that failed; of an"
        " event stored in the transaction of its change, its own id.",
        sensitivity="internal",
        nullable=False,
    )
    seq: Mapped[int] = column(
        BigInteger,
        "Position in that stream, from 1 without a gap; one that is missing was taken away.",
        sensitivity="internal",
        nullable=False,
    )
    at: Mapped[datetime] = column(
        DateTime(timezone=True), "When.", sensitivity="internal", nullable=False
    )
    actor_digest: Mapped[str] = column(
        Text, "HMAC of issuer and subject.", sensitivity="internal", nullable=False
    )
    role: Mapped[str] = column(Text, "Active role.", sensitivity="internal", nullable=False)
    purpose: Mapped[str | None] = column(Text, "Stated purpose.", sensitivity="internal")
    route: Mapped[str] = column(
        Text, "Method and route template.", sensitivity="internal", nullable=False
    )
    subjects: Mapped[list[str]] = column(
        ARRAY(Text), "Customers concerned.", sensitivity="internal", nullable=False
    )
    subject_count: Mapped[int | None] = column(
        BigInteger, "Customers that a file tells about.", sensitivity="internal"
    )
    policy_version: Mapped[str] = column(
        Text, "Version of the masking matrix.", sensitivity="internal", nullable=False
    )
    record_version: Mapped[str | None] = column(
        Text, "Version of the record shown.", sensitivity="internal"
    )
    dispositions: Mapped[dict[str, Any]] = column(
        JSONB, "Disposition by field.", sensitivity="internal", nullable=False
    )
    body_hmac: Mapped[bytes | None] = column(
        LargeBinary, "HMAC of the body that was sent.", sensitivity="internal"
    )
    status: Mapped[int] = column(
        SmallInteger, "HTTP status.", sensitivity="internal", nullable=False
    )
    outcome: Mapped[str] = column(
        Text, "answered, denied or changed.", sensitivity="internal", nullable=False
    )
