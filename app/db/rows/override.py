"""Overrides: a human's temporary replacement of one customer's tier."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped

from app.db.base import Base, column, one_of
from app.domain.words import CLOSING_CAUSES, OVERRIDE_MODES, OVERRIDE_STATES, TIERS


class OverrideRow(Base):
    """One customer's override, from the request to its end; triggers guard every step."""

    __tablename__ = "overrides"
    __table_args__ = (
        one_of("tier", TIERS),
        one_of("mode", OVERRIDE_MODES),
        one_of("state", OVERRIDE_STATES),
        one_of("evaluated_tier", TIERS),
        one_of("closed_because", CLOSING_CAUSES),
        ForeignKeyConstraint(
            ["request_id", "version"],
            ["override_versions.request_id", "override_versions.version"],
            name="fk_overrides_version",
        ),
        UniqueConstraint("request_id", "customer_id"),
        CheckConstraint(
            "(state IN ('active', 'ended', 'revoked')) = (valid_from IS NOT NULL)"
            " AND (valid_from IS NULL) = (activated_at IS NULL)",
            name="served",
        ),
        CheckConstraint("valid_from < valid_until", name="validity"),
        CheckConstraint(
            "(state IN ('requested', 'active')) = (closed_at IS NULL)"
            " AND (closed_at IS NULL) = (closed_on IS NULL)"
            " AND (closed_at IS NULL) = (closed_because IS NULL)",
            name="closed",
        ),
        CheckConstraint(
            "closed_because IS NULL OR closed_because = state"
            " OR (state = 'withdrawn' AND closed_because = 'merge')"
            " OR (state = 'ended' AND closed_because IN ('validity', 'superseded', 'merge'))",
            name="cause",
        ),
        CheckConstraint(
            "closed_because <> 'validity' OR closed_on >= valid_until", name="ended_early"
        ),
        CheckConstraint(
            "state NOT IN ('revoked', 'rejected') OR closed_by IS NOT NULL", name="closer"
        ),
        Index(
            "uq_overrides_pending",
            "customer_id",
            unique=True,
            postgresql_where=text("state = 'requested'"),
        ),
        Index(
            "uq_overrides_active",
            "customer_id",
            unique=True,
            postgresql_where=text("state = 'active'"),
        ),
        # What the clock looks for, and what lists are made of.
        Index("ix_overrides_state", "state", "valid_until"),
        Index("ix_overrides_customer", "customer_id"),
        {"comment": "Overrides by customer; one waits and one serves at most."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    request_id: Mapped[UUID] = column(
        Uuid,
        "The request it is decided on by.",
        ForeignKey("override_requests.id"),
        sensitivity="open",
        nullable=False,
    )
    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "Whose tier.",
        # No cascade: who was decided for keeps his id.
        ForeignKey("customers.customer_id"),
        sensitivity="open",
        nullable=False,
    )
    version: Mapped[int] = column(
        Integer, "Version of the request it says.", sensitivity="internal", nullable=False
    )
    tier: Mapped[str] = column(Text, "Tier asked for.", sensitivity="internal", nullable=False)
    mode: Mapped[str] = column(
        Text, "pin, floor or ceiling.", sensitivity="internal", nullable=False
    )
    valid_until: Mapped[date] = column(
        Date, "First business day it no longer serves.", sensitivity="internal", nullable=False
    )
    evaluated_tier: Mapped[str] = column(
        Text,
        "Tier the rules gave when the version was written.",
        sensitivity="internal",
        nullable=False,
    )
    decision_id: Mapped[UUID] = column(
        Uuid,
        "The decision that said so.",
        ForeignKey("decisions.id"),
        sensitivity="open",
        nullable=False,
    )
    state: Mapped[str] = column(Text, "Where it stands.", sensitivity="internal", nullable=False)
    valid_from: Mapped[date | None] = column(
        Date, "First business day it served.", sensitivity="internal"
    )
    activated_at: Mapped[datetime | None] = column(
        DateTime(timezone=True), "When both keys had turned.", sensitivity="internal"
    )
    closed_at: Mapped[datetime | None] = column(
        DateTime(timezone=True), "When it was decided against, or ended.", sensitivity="internal"
    )
    closed_on: Mapped[date | None] = column(Date, "Business day of that.", sensitivity="internal")
    closed_because: Mapped[str | None] = column(Text, "What closed it.", sensitivity="internal")
    closed_by: Mapped[str | None] = column(
        Text,
        "Who closed it; null where the clock or a merge did.",
        ForeignKey("actors.actor_digest"),
        sensitivity="internal",
    )
    closing_statement_cipher: Mapped[bytes | None] = column(
        LargeBinary, "Why it was revoked, sealed.", sensitivity="free"
    )
    reminded_at: Mapped[datetime | None] = column(
        DateTime(timezone=True), "When its near end was announced.", sensitivity="internal"
    )
