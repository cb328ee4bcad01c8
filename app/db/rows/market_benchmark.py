"""Market averages that premiums are compared with."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, Text
from sqlalchemy.orm import Mapped

from app.db.base import MONEY, Base, Recorded, column, one_of
from app.domain.words import ALL, CUSTOMER_KINDS, PRODUCT_LINES


class MarketBenchmarkRow(Recorded, Base):
    """Average yearly premium per policyholder, of one line or of all, from one day on."""

    __tablename__ = "market_benchmarks"
    __table_args__ = (
        one_of("product_line", (*PRODUCT_LINES, ALL)),
        one_of("customer_kind", CUSTOMER_KINDS),
        CheckConstraint("average_premium > 0", name="average_premium"),
        {"comment": "Average premiums per policyholder, effective-dated."},
    )

    product_line: Mapped[str] = column(
        Text, "A product line, or all.", sensitivity="open", primary_key=True
    )
    customer_kind: Mapped[str] = column(
        Text, "individual or corporate.", sensitivity="open", primary_key=True
    )
    valid_from: Mapped[date] = column(
        Date, "First day the average holds.", sensitivity="open", primary_key=True
    )
    average_premium: Mapped[Decimal] = column(
        MONEY, "Average yearly premium.", sensitivity="open", nullable=False
    )
    benchmark_version: Mapped[str] = column(
        Text, "Which publication it comes from.", sensitivity="open", nullable=False
    )
