"""Referrals that brought a new customer."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped

from app.db.base import MONEY, Base, Recorded, column


class ReferralRow(Recorded, Base):
    """One successful referral."""

    __tablename__ = "referrals"
    __table_args__ = (
        CheckConstraint("annual_premium >= 0", name="annual_premium"),
        CheckConstraint("referred_customer_id <> customer_id", name="not_itself"),
        Index(None, "customer_id"),
        {"comment": "Successful referrals in number and quality."},
    )

    referral_no: Mapped[str] = column(
        Text(collation="C"), "The source's number.", sensitivity="internal", primary_key=True
    )
    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "Who referred.",
        ForeignKey("customers.customer_id", onupdate="CASCADE"),
        sensitivity="open",
        nullable=False,
    )
    referred_customer_id: Mapped[str | None] = column(
        Text(collation="C"), "Who came, where known as a customer.", sensitivity="internal"
    )
    succeeded_on: Mapped[date] = column(
        Date, "Day the referred business began.", sensitivity="internal", nullable=False
    )
    annual_premium: Mapped[Decimal | None] = column(
        MONEY, "Yearly premium of the referred business.", sensitivity="value"
    )
