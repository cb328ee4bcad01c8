"""The ladder of service tiers."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, SmallInteger, Text
from sqlalchemy.orm import Mapped

from app.db.base import Base, column, one_of
from app.db.rows.decision import TIERS


class TierRow(Base):
    """One rung of the ladder."""

    __tablename__ = "tiers"
    __table_args__ = (
        one_of("tier", TIERS),
        CheckConstraint("rank >= 1", name="rank"),
        {"comment": "Service tiers with display names, rank 1 is the best."},
    )

    tier: Mapped[str] = column(Text, "Code.", sensitivity="open", primary_key=True)
    rank: Mapped[int] = column(
        SmallInteger, "1 is the best.", sensitivity="open", nullable=False, unique=True
    )
    name_en: Mapped[str] = column(Text, "Name in English.", sensitivity="open", nullable=False)
    name_zh: Mapped[str] = column(Text, "Name in Chinese.", sensitivity="open", nullable=False)
    text_en: Mapped[str] = column(
        Text, "What it stands for, in English.", sensitivity="open", nullable=False
    )
    text_zh: Mapped[str] = column(
        Text, "What it stands for, in Chinese.", sensitivity="open", nullable=False
    )
