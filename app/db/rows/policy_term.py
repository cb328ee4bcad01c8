"""Policy years: premium, validity and how each ended."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.orm import Mapped

from app.db.base import MONEY, Base, Recorded, column, one_of
from app.domain.words import PAY_MODES, PREMIUM_KINDS, TERM_ENDS, TERM_STARTS


class PolicyTermRow(Recorded, Base):
    """One policy year (or one single premium or top-up with the span it buys)."""

    __tablename__ = "policy_terms"
    __table_args__ = (
        ForeignKeyConstraint(
            ["policy_no", "customer_id"],
            ["policies.policy_no", "policies.customer_id"],
            onupdate="CASCADE",
        ),
        one_of("premium_kind", PREMIUM_KINDS),
        one_of("pay_mode", PAY_MODES),
        one_of("started_as", TERM_STARTS),
        one_of("ended_how", TERM_ENDS),
        CheckConstraint("term_end > term_start", name="term_end"),
        CheckConstraint("premium >= 0", name="premium"),
        CheckConstraint("ended_on >= term_start", name="ended_on"),
        CheckConstraint("(ended_on IS NULL) = (ended_how IS NULL)", name="ended_pair"),
        Index(None, "customer_id"),
        # Customers are listed by the end of their regular terms.
        Index(
            "ix_policy_terms_renewal",
            "term_end",
            postgresql_where=text("premium_kind = 'regular'"),
        ),
        # Where payments are not tracked at all, this says so without reading the table.
        Index("ix_policy_terms_due_on", "due_on", postgresql_using="brin"),
        {"comment": "One row per policy year; a term is in force from start to the earlier end."},
    )

    policy_no: Mapped[str] = column(
        Text(collation="C"), "The policy.", sensitivity="internal", primary_key=True
    )
    term_start: Mapped[date] = column(
        Date, "First day of the term.", sensitivity="internal", primary_key=True
    )
    premium_kind: Mapped[str] = column(
        Text, "regular, single, top_up or paid_up.", sensitivity="internal", primary_key=True
    )
    customer_id: Mapped[str] = column(
        Text(collation="C"), "The policyholder.", sensitivity="open", nullable=False
    )
    term_end: Mapped[date] = column(
        Date, "First day after the agreed term.", sensitivity="internal", nullable=False
    )
    premium: Mapped[Decimal] = column(
        MONEY, "Premium of the term at its yearly rate.", sensitivity="value", nullable=False
    )
    pay_mode: Mapped[str] = column(
        Text, "How often the premium is paid.", sensitivity="internal", nullable=False
    )
    started_as: Mapped[str] = column(
        Text, "new, renewal or reinstatement.", sensitivity="internal", nullable=False
    )
    ended_on: Mapped[date | None] = column(
        Date, "First day without cover, where the term has ended.", sensitivity="internal"
    )
    ended_how: Mapped[str | None] = column(Text, "How the term ended.", sensitivity="internal")
    voluntary: Mapped[bool | None] = column(
        Boolean, "The renewal was the customer's own act.", sensitivity="internal"
    )
    due_on: Mapped[date | None] = column(Date, "Day the premium fell due.", sensitivity="internal")
    paid_on: Mapped[date | None] = column(Date, "Day it was paid.", sensitivity="internal")
