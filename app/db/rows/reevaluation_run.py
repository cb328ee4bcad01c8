"""Whole-book runs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.db.base import Base, column, one_of

MODES = ("recommend", "apply")
RUN_STATES = ("running", "completed", "failed", "cancelled")


class ReevaluationRunRow(Base):
    """One pass over the book as of one business day."""

    __tablename__ = "reevaluation_runs"
    __table_args__ = (
        one_of("mode", MODES),
        one_of("state", RUN_STATES),
        CheckConstraint("customers_done <= customers_total", name="customers_done"),
        {"comment": "Re-evaluation runs over the whole book."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    as_of: Mapped[date] = column(Date, "Business day.", sensitivity="open", nullable=False)
    mode: Mapped[str] = column(Text, "recommend or apply.", sensitivity="open", nullable=False)
    state: Mapped[str] = column(Text, "State of the run.", sensitivity="open", nullable=False)
    snapshot_at: Mapped[datetime] = column(
        DateTime(timezone=True), "When the book was read.", sensitivity="open", nullable=False
    )
    finished_at: Mapped[datetime | None] = column(
        DateTime(timezone=True), "When the run ended.", sensitivity="open"
    )
    customers_total: Mapped[int] = column(
        Integer, "Customers in the snapshot.", sensitivity="open", nullable=False
    )
    customers_done: Mapped[int] = column(
        Integer, "Customers evaluated so far.", sensitivity="open", nullable=False
    )
    customers_changed: Mapped[int] = column(
        Integer, "Customers whose outputs changed.", sensitivity="open", nullable=False
    )
    summary: Mapped[dict[str, Any]] = column(
        JSONB,
        "Counts by tier, migrations, refused and failed customers.",
        sensitivity="internal",
        nullable=False,
    )
