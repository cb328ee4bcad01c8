"""Tiers as served, with history."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of
from app.domain.words import TIER_SOURCES, TIERS


class TierAssignmentRow(Recorded, Base):
    """The tier a customer was served by, from one business day to the next change."""

    __tablename__ = "tier_assignments"
    __table_args__ = (
        one_of("tier", TIERS),
        one_of("source", TIER_SOURCES),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="validity"),
        CheckConstraint("(source = 'override') = (override_id IS NOT NULL)", name="override"),
        one_of("ended_by", ("merge",)),
        CheckConstraint("ended_by IS NULL OR valid_to IS NOT NULL", name="ended_pair"),
        Index(
            "uq_tier_assignments_open",
            "customer_id",
            unique=True,
            postgresql_where=text("valid_to IS NULL"),
        ),
        # Each row but that of a merged customer ends where the next that served begins, and no two
        # of those end alike, so that on any day one tier serves. An exclusion constraint would cost
        # a run much more.
        Index(
            "uq_tier_assignments_end",
            "customer_id",
            "valid_to",
            unique=True,
            postgresql_where=text("valid_to > valid_from"),
        ),
        UniqueConstraint("customer_id", "serves_from"),
        ForeignKeyConstraint(
            ["customer_id", "followed_on"],
            ["tier_assignments.customer_id", "tier_assignments.serves_from"],
            deferrable=True,
            initially="DEFERRED",
        ),
        Index(None, "customer_id", "valid_from"),
        # Customers are listed by the tier that serves them.
        Index(
            "ix_tier_assignments_serving",
            "tier",
            "customer_id",
            postgresql_where=text("valid_to IS NULL"),
        ),
        {"comment": "Tier assignments; one is open per customer."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "Whose tier.",
        ForeignKey("customers.customer_id", onupdate="CASCADE"),
        sensitivity="open",
        nullable=False,
    )
    tier: Mapped[str] = column(Text, "The tier served.", sensitivity="open", nullable=False)
    source: Mapped[str] = column(
        Text, "evaluated, override or grace.", sensitivity="open", nullable=False
    )
    decision_id: Mapped[UUID] = column(
        Uuid,
        "Decision that set it.",
        ForeignKey("decisions.id"),
        sensitivity="open",
        nullable=False,
    )
    override_id: Mapped[UUID | None] = column(
        Uuid,
        "Override that replaced the evaluated tier; null where none did.",
        ForeignKey("overrides.id"),
        sensitivity="open",
    )
    valid_from: Mapped[date] = column(
        Date, "First business day.", sensitivity="open", nullable=False
    )
    valid_to: Mapped[date | None] = column(
        Date,
        "First business day it no longer served; equal to valid_from if replaced the same day.",
        sensitivity="open",
    )
    serves_from: Mapped[date | None] = column(
        Date,
        "valid_from of what served for a day at least; null if replaced the same day.",
        Computed(
            "CASE WHEN valid_to IS NULL OR valid_to > valid_from THEN valid_from END",
            persisted=True,
        ),
        sensitivity="open",
    )
    ended_by: Mapped[str | None] = column(
        Text,
        "Why nothing follows: merge, where the customer was merged into another.",
        sensitivity="open",
    )
    followed_on: Mapped[date | None] = column(
        Date,
        "Day the next assignment begins; null if none has to.",
        Computed("CASE WHEN ended_by IS NULL THEN valid_to END", persisted=True),
        sensitivity="open",
    )
