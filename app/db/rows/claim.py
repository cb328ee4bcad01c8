"""Claims on policies."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    text,
)
from sqlalchemy.orm import Mapped

from app.db.base import MONEY, Base, Recorded, column


class ClaimRow(Recorded, Base):
    """One claim, or one record that aggregates several (claim_count)."""

    __tablename__ = "claims"
    __table_args__ = (
        ForeignKeyConstraint(
            ["policy_no", "customer_id"],
            ["policies.policy_no", "policies.customer_id"],
            onupdate="CASCADE",
        ),
        CheckConstraint("reported_on >= occurred_on", name="reported_on"),
        CheckConstraint("closed_on >= reported_on", name="closed_on"),
        CheckConstraint("paid_on >= reported_on", name="paid_on"),
        CheckConstraint("claim_count >= 1", name="claim_count"),
        CheckConstraint("claimed >= 0", name="claimed"),
        CheckConstraint("paid >= 0", name="paid"),
        CheckConstraint("paid_on IS NULL OR paid IS NOT NULL", name="paid_pair"),
        Index(None, "customer_id"),
        {"comment": "Claims; visible from the day they were reported."},
    )

    claim_no: Mapped[str] = column(
        Text(collation="C"), "The insurer's claim number.", sensitivity="risk", primary_key=True
    )
    policy_no: Mapped[str] = column(
        Text(collation="C"), "The policy.", sensitivity="internal", nullable=False
    )
    customer_id: Mapped[str] = column(
        Text(collation="C"), "The policyholder.", sensitivity="open", nullable=False
    )
    occurred_on: Mapped[date] = column(Date, "Day of loss.", sensitivity="risk", nullable=False)
    reported_on: Mapped[date] = column(
        Date, "Day the insurer learned of it.", sensitivity="risk", nullable=False
    )
    claim_count: Mapped[int] = column(
        Integer,
        "How many claims the record stands for (aggregated sources).",
        sensitivity="risk",
        nullable=False,
        server_default=text("1"),
    )
    claimed: Mapped[Decimal | None] = column(MONEY, "Amount claimed.", sensitivity="risk")
    paid: Mapped[Decimal | None] = column(MONEY, "Amount paid in all.", sensitivity="risk")
    paid_on: Mapped[date | None] = column(Date, "Day of payment.", sensitivity="risk")
    closed_on: Mapped[date | None] = column(
        Date, "Day the claim was closed; null while open.", sensitivity="risk"
    )
    personal_injury: Mapped[bool] = column(
        Boolean,
        "A person was hurt.",
        sensitivity="risk",
        nullable=False,
        server_default=text("false"),
    )
