"""Requests for overrides: who asks for what, in versions, and for whom."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped

from app.db.base import Base, column, one_of
from app.domain.words import OVERRIDE_MODES, OVERRIDE_REASONS, TIERS


class OverrideRequestRow(Base):
    """What two officers decide on as one: an override of one customer, or of many alike."""

    __tablename__ = "override_requests"
    __table_args__ = (
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint(
            "expires_at > requested_at AND expires_at <= requested_at + interval '72:00:00'",
            name="expiry",
        ),
        UniqueConstraint("id", "requested_by"),
        {"comment": "Requests for overrides; decided on as one, whatever the number of customers."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    is_bulk: Mapped[bool] = column(
        Boolean,
        "Whether it is for many customers; otherwise its one override has its id.",
        sensitivity="internal",
        nullable=False,
    )
    version: Mapped[int] = column(
        Integer, "Version that is decided on.", sensitivity="internal", nullable=False
    )
    requested_by: Mapped[str] = column(
        Text, "Who asks.", ForeignKey("actors.actor_digest"), sensitivity="internal", nullable=False
    )
    requested_at: Mapped[datetime] = column(
        DateTime(timezone=True), "When he asked first.", sensitivity="internal", nullable=False
    )
    expires_at: Mapped[datetime] = column(
        DateTime(timezone=True),
        "When nobody can decide on it any more.",
        sensitivity="internal",
        nullable=False,
    )
    reminded_at: Mapped[datetime | None] = column(
        DateTime(timezone=True), "When its officers were reminded.", sensitivity="internal"
    )
    key_id: Mapped[str] = column(
        Text, "Id of the master key that wraps the key.", sensitivity="internal", nullable=False
    )
    wrapped_key: Mapped[bytes] = column(
        LargeBinary,
        "The request's own key, wrapped; it seals what people wrote.",
        sensitivity="internal",
        nullable=False,
    )


class OverrideVersionRow(Base):
    """What is asked for, word by word; a change is another version."""

    __tablename__ = "override_versions"
    __table_args__ = (
        one_of("tier", TIERS),
        one_of("mode", OVERRIDE_MODES),
        one_of("reason", OVERRIDE_REASONS),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint(
            "valid_until > written_on AND valid_until <= written_on + 366", name="validity"
        ),
        CheckConstraint(
            "abs(written_on - (written_at AT TIME ZONE 'UTC')::date) <= 1", name="written_on"
        ),
        CheckConstraint("statement_characters >= 20", name="statement"),
        CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest"),
        # What reads and approvals are bound to.
        UniqueConstraint("request_id", "version", "digest"),
        {"comment": "Versions of requests for overrides; append-only."},
    )

    request_id: Mapped[UUID] = column(
        Uuid,
        "Of which request.",
        ForeignKey("override_requests.id"),
        sensitivity="open",
        primary_key=True,
    )
    version: Mapped[int] = column(
        Integer, "From 1.", sensitivity="internal", primary_key=True, autoincrement=False
    )
    tier: Mapped[str] = column(Text, "Tier asked for.", sensitivity="internal", nullable=False)
    mode: Mapped[str] = column(
        Text, "pin, floor or ceiling.", sensitivity="internal", nullable=False
    )
    reason: Mapped[str] = column(Text, "Reason code.", sensitivity="internal", nullable=False)
    valid_until: Mapped[date] = column(
        Date, "First business day it no longer serves.", sensitivity="internal", nullable=False
    )
    written_on: Mapped[date] = column(
        Date, "Business day of the version.", sensitivity="internal", nullable=False
    )
    written_at: Mapped[datetime] = column(
        DateTime(timezone=True), "When.", sensitivity="internal", nullable=False
    )
    statement_cipher: Mapped[bytes] = column(
        LargeBinary, "Why, in words, sealed.", sensitivity="free", nullable=False
    )
    statement_characters: Mapped[int] = column(
        Integer, "Length of the statement.", sensitivity="internal", nullable=False
    )
    salt: Mapped[bytes] = column(
        LargeBinary,
        "Random bytes in the digest, so that it tells nothing of the statement.",
        sensitivity="internal",
        nullable=False,
    )
    digest: Mapped[str] = column(
        Text, "SHA-256 of the whole content.", sensitivity="internal", nullable=False
    )
