"""Who moves in a simulation."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text, Uuid
from sqlalchemy.orm import Mapped

from app.db.base import MONEY, Base, column, customer_id_form, one_of
from app.domain.words import RULE_SET_LINES, SEGMENTS, TIERS

_VIEWS = ("evaluated_before", "evaluated_after", "serving_before", "serving_after")


class SimulationMoverRow(Base):
    """A customer whose tier differs between baseline and candidate.

    The customer is no foreign key: each row would lock a customer, and in a rehearsal of new rules
    half of the book may move.
    """

    __tablename__ = "simulation_movers"
    __table_args__ = (
        customer_id_form("customer_id"),
        one_of("line", RULE_SET_LINES),
        one_of("segment", SEGMENTS),
        *(one_of(name, TIERS) for name in _VIEWS),
        CheckConstraint(
            "evaluated_before <> evaluated_after OR serving_before <> serving_after", name="moves"
        ),
        CheckConstraint("premium >= 0", name="premium"),
        {"comment": "Customers whose tier a simulated rule set would change."},
    )

    simulation_id: Mapped[UUID] = column(
        Uuid,
        "The simulation.",
        ForeignKey("simulations.id", ondelete="CASCADE"),
        sensitivity="open",
        primary_key=True,
    )
    customer_id: Mapped[str] = column(
        Text(collation="C"), "Who moves.", sensitivity="open", primary_key=True
    )
    line: Mapped[str] = column(
        Text, "Line whose rule set decides.", sensitivity="internal", nullable=False
    )
    segment: Mapped[str | None] = column(
        Text, "Value segment by the baseline.", sensitivity="internal"
    )
    premium: Mapped[Decimal | None] = column(
        MONEY, "Annual premium in force; null if unknown.", sensitivity="value"
    )
    evaluated_before: Mapped[str] = column(
        Text, "Tier by the baseline's rules alone.", sensitivity="internal", nullable=False
    )
    evaluated_after: Mapped[str] = column(
        Text, "Tier by the candidate's rules alone.", sensitivity="internal", nullable=False
    )
    serving_before: Mapped[str] = column(
        Text,
        "Tier a run by the baseline would let serve.",
        sensitivity="internal",
        nullable=False,
    )
    serving_after: Mapped[str] = column(
        Text,
        "Tier a run by the candidate would let serve.",
        sensitivity="internal",
        nullable=False,
    )
