"""Where each customer stands now: the newest decision and the stability clocks."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, DateTime, ForeignKey, Index, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped

from app.db.base import Base, column, one_of
from app.domain.words import LIFE_CYCLE_STAGES, SEGMENTS, TIERS


class ScoringStateRow(Base):
    """One row per evaluated customer; the stability state machine lives here."""

    __tablename__ = "scoring_states"
    __table_args__ = (
        one_of("tier", TIERS),
        one_of("segment", SEGMENTS),
        one_of("life_cycle_stage", LIFE_CYCLE_STAGES),
        # What customers are listed by, page by page in the order of their ids.
        Index("ix_scoring_states_segment", "segment", "customer_id"),
        Index("ix_scoring_states_life_cycle_stage", "life_cycle_stage", "customer_id"),
        Index("ix_scoring_states_labels", "labels", postgresql_using="gin"),
        Index(
            "ix_scoring_states_waiting",
            "customer_id",
            postgresql_where=text("grace_until IS NOT NULL"),
        ),
        {"comment": "Newest decision and stability clocks per customer."},
    )

    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "Whose state.",
        ForeignKey("customers.customer_id", onupdate="CASCADE"),
        sensitivity="open",
        primary_key=True,
    )
    decision_id: Mapped[UUID] = column(
        Uuid, "Newest decision.", ForeignKey("decisions.id"), sensitivity="open", nullable=False
    )
    tier: Mapped[str] = column(
        Text,
        "Tier held by evaluation; an override may serve another.",
        sensitivity="open",
        nullable=False,
    )
    # The next three repeat the newest decision: customers are found by them, and among decisions
    # they would have to be looked for in all that was ever decided.
    segment: Mapped[str] = column(
        Text, "Value segment of the newest decision.", sensitivity="internal", nullable=False
    )
    life_cycle_stage: Mapped[str] = column(
        Text, "Life-cycle stage of the newest decision.", sensitivity="internal", nullable=False
    )
    labels: Mapped[list[str]] = column(
        ARRAY(Text), "Labels of the newest decision.", sensitivity="internal", nullable=False
    )
    since: Mapped[date] = column(
        Date, "Business day it began to be held.", sensitivity="open", nullable=False
    )
    last_downgrade_on: Mapped[date | None] = column(
        Date, "Business day of the last downgrade.", sensitivity="internal"
    )
    first_lower_on: Mapped[date | None] = column(
        Date, "First day the evaluated tier was lower than the held one.", sensitivity="internal"
    )
    grace_until: Mapped[date | None] = column(
        Date, "Day a waiting downgrade takes effect.", sensitivity="internal"
    )
    evaluated_on: Mapped[date] = column(
        Date, "Business day of the newest evaluation.", sensitivity="open", nullable=False
    )
    evaluated_at: Mapped[datetime] = column(
        DateTime(timezone=True),
        "When the newest evaluation was made.",
        sensitivity="open",
        nullable=False,
    )
    outputs_digest: Mapped[bytes] = column(
        LargeBinary,
        "Digest of the newest decision's outputs; a run writes only where it differs.",
        sensitivity="internal",
        nullable=False,
    )
    returned_on: Mapped[date | None] = column(
        Date,
        "Business day the tier held began to serve again after an override.",
        sensitivity="internal",
    )
