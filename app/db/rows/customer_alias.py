"""Ids that were merged into another customer."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, customer_id_form


class CustomerAliasRow(Recorded, Base):
    """After a merge the old id answers as the survivor."""

    __tablename__ = "customer_aliases"
    __table_args__ = (
        customer_id_form("alias_id"),
        CheckConstraint("alias_id <> customer_id", name="not_itself"),
        Index(None, "customer_id"),
        {"comment": "Old ids of merged customers, each pointing at the survivor."},
    )

    alias_id: Mapped[str] = column(
        Text(collation="C"), "The id that was merged away.", sensitivity="open", primary_key=True
    )
    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "The survivor.",
        ForeignKey("customers.customer_id", onupdate="CASCADE"),
        sensitivity="open",
        nullable=False,
    )
    merged_on: Mapped[date] = column(
        Date, "Business day of the merge.", sensitivity="internal", nullable=False
    )
