"""Contacts between a customer and the insurer."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of
from app.domain.words import CONTACT_CHANNELS, INITIATORS


class InteractionRow(Recorded, Base):
    """One contact, on one channel, begun by one side."""

    __tablename__ = "interactions"
    __table_args__ = (
        one_of("channel", CONTACT_CHANNELS),
        one_of("initiated_by", INITIATORS),
        Index(None, "customer_id"),
        {"comment": "Contacts: app log-ins, calls, visits, campaign touches, complaints."},
    )

    interaction_no: Mapped[str] = column(
        Text(collation="C"), "The source's number.", sensitivity="internal", primary_key=True
    )
    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "With whom.",
        ForeignKey("customers.customer_id", onupdate="CASCADE"),
        sensitivity="open",
        nullable=False,
    )
    occurred_on: Mapped[date] = column(
        Date, "Business day.", sensitivity="internal", nullable=False
    )
    channel: Mapped[str] = column(Text, "Channel.", sensitivity="internal", nullable=False)
    kind: Mapped[str] = column(
        Text, "What it was, as app_login.", sensitivity="internal", nullable=False
    )
    topic: Mapped[str | None] = column(Text, "Topic code.", sensitivity="internal")
    initiated_by: Mapped[str] = column(
        Text, "customer or insurer.", sensitivity="internal", nullable=False
    )
