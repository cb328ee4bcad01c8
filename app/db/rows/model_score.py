"""Outputs of models that scoring reads, effective-dated."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import Date, ForeignKey, Integer, Text
from sqlalchemy.orm import Mapped

from app.db.base import MONEY, Base, Recorded, column


class ModelScoreRow(Recorded, Base):
    """What the models say of a customer from one day on."""

    __tablename__ = "model_scores"
    __table_args__ = ({"comment": "Model outputs: uplift, life-time value, behaviour cluster."},)

    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "Of whom.",
        ForeignKey("customers.customer_id", onupdate="CASCADE"),
        sensitivity="open",
        primary_key=True,
    )
    valid_from: Mapped[date] = column(
        Date, "First day the outputs hold.", sensitivity="internal", primary_key=True
    )
    uplift_3y: Mapped[int | None] = column(
        Integer, "Expected premium growth over three years, per cent.", sensitivity="s.income"
    )
    clv: Mapped[Decimal | None] = column(MONEY, "Customer life-time value.", sensitivity="value")
    behaviour_cluster: Mapped[str | None] = column(
        Text, "Behaviour cluster.", sensitivity="internal"
    )
