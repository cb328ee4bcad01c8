"""Tries to verify who somebody is, counted so that nobody guesses on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, Text, Uuid
from sqlalchemy.orm import Mapped

from app.db.base import Base, column, one_of
from app.domain.words import VERIFIABLE_FIELDS


class VerificationAttemptRow(Base):
    """One try; neither what was said nor whether it was right."""

    __tablename__ = "verification_attempts"
    __table_args__ = (
        one_of("field", VERIFIABLE_FIELDS),
        Index("ix_verification_attempts_who", "customer_id", "actor_digest", "attempted_at"),
        {"comment": "Tries to verify a customer, by actor; older ones than the window go."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "The customer.",
        ForeignKey("customers.customer_id", onupdate="CASCADE"),
        sensitivity="open",
        nullable=False,
    )
    actor_digest: Mapped[str] = column(
        Text, "HMAC of who tried, as in the audit.", sensitivity="internal", nullable=False
    )
    field: Mapped[str] = column(Text, "What was verified.", sensitivity="internal", nullable=False)
    attempted_at: Mapped[datetime] = column(
        DateTime(timezone=True), "When.", sensitivity="internal", nullable=False
    )
