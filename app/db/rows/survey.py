"""Answers to the NPS survey."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, Text
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column


class SurveyRow(Recorded, Base):
    """One answer to “would you recommend us”, 0 to 10."""

    __tablename__ = "surveys"
    __table_args__ = (
        CheckConstraint("nps BETWEEN 0 AND 10", name="nps"),
        Index(None, "customer_id"),
        {"comment": "NPS survey answers."},
    )

    survey_no: Mapped[str] = column(
        Text(collation="C"), "The source's number.", sensitivity="internal", primary_key=True
    )
    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "Who answered.",
        ForeignKey("customers.customer_id", onupdate="CASCADE"),
        sensitivity="open",
        nullable=False,
    )
    answered_on: Mapped[date] = column(
        Date, "Business day.", sensitivity="internal", nullable=False
    )
    nps: Mapped[int] = column(
        SmallInteger, "0 (never) to 10 (surely).", sensitivity="internal", nullable=False
    )
