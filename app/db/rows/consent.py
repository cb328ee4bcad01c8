"""Consents: without one the facts it covers are null."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Text
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of
from app.domain.words import PURPOSES


class ConsentRow(Recorded, Base):
    """One consent to one purpose, until withdrawn."""

    __tablename__ = "consents"
    __table_args__ = (
        one_of("purpose", PURPOSES),
        CheckConstraint("withdrawn_on >= given_on", name="withdrawn_on"),
        {"comment": "Consents by purpose, with the text agreed to."},
    )

    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "Who consented.",
        ForeignKey("customers.customer_id", onupdate="CASCADE"),
        sensitivity="open",
        primary_key=True,
    )
    purpose: Mapped[str] = column(
        Text, "What the data may serve.", sensitivity="internal", primary_key=True
    )
    given_on: Mapped[date] = column(
        Date, "First day it holds.", sensitivity="internal", primary_key=True
    )
    basis: Mapped[str] = column(
        Text, "Legal basis.", sensitivity="internal", nullable=False, server_default="consent"
    )
    text_version: Mapped[str | None] = column(
        Text, "Version of the text agreed to.", sensitivity="internal"
    )
    withdrawn_on: Mapped[date | None] = column(
        Date, "First day it no longer holds.", sensitivity="internal"
    )
