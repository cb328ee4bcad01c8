"""What is done again and again, and when next."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, Integer, Text
from sqlalchemy.orm import Mapped

from app.db.base import Base, column


class ScheduleRow(Base):
    """One kind of job that is put in by the clock; times are the database's."""

    __tablename__ = "schedules"
    __table_args__ = (
        CheckConstraint("every_seconds > 0", name="every"),
        {"comment": "Kinds of jobs that are put in by the clock."},
    )

    kind: Mapped[str] = column(Text, "The kind of job.", sensitivity="open", primary_key=True)
    every_seconds: Mapped[int] = column(
        Integer, "Seconds from one to the next.", sensitivity="open", nullable=False
    )
    next_due: Mapped[datetime] = column(
        DateTime(timezone=True), "When the next is put in.", sensitivity="open", nullable=False
    )
