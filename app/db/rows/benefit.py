"""The benefit catalogue and what each tier is granted."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Integer, SmallInteger, Text
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of
from app.domain.words import TIERS

BENEFIT_KINDS = (
    "adviser",
    "fast_claim_lane",
    "emergency_help",
    "health_plan",
    "birthday_gift",
    "event_invitation",
    "cover_upgrade",
    "premium_discount",
    "points",
    "gift",
    "referral_reward",
    "education",
    "legal_advice",
    "safety_training",
    "hazard_inspection",
    "inheritance_consultation",
    "tax_consultation",
    "road_assistance",
)
PERIODS = ("month", "quarter", "year")


class BenefitRow(Recorded, Base):
    """One benefit of the catalogue."""

    __tablename__ = "benefits"
    __table_args__ = (
        one_of("kind", BENEFIT_KINDS),
        one_of("legal_class", ("service", "monetary")),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="validity"),
        CheckConstraint(
            "NOT is_enabled OR filing_ref IS NOT NULL OR kind NOT IN ('premium_discount',"
            " 'cover_upgrade', 'points', 'gift', 'birthday_gift', 'referral_reward')",
            name="filing",
        ),
        {"comment": "Benefits; price and cover kinds need a filing reference to be enabled."},
    )

    code: Mapped[str] = column(Text, "Code.", sensitivity="open", primary_key=True)
    position: Mapped[int] = column(Integer, "Order of display.", sensitivity="open", nullable=False)
    kind: Mapped[str] = column(Text, "Kind.", sensitivity="open", nullable=False)
    legal_class: Mapped[str] = column(
        Text, "service or monetary.", sensitivity="open", nullable=False
    )
    name_en: Mapped[str] = column(Text, "Name in English.", sensitivity="open", nullable=False)
    name_zh: Mapped[str] = column(Text, "Name in Chinese.", sensitivity="open", nullable=False)
    text_en: Mapped[str] = column(Text, "Text in English.", sensitivity="open", nullable=False)
    text_zh: Mapped[str] = column(Text, "Text in Chinese.", sensitivity="open", nullable=False)
    is_enabled: Mapped[bool] = column(
        Boolean, "Offered to customers.", sensitivity="open", nullable=False
    )
    filing_ref: Mapped[str | None] = column(
        Text, "Regulatory filing a price or cover benefit rests on.", sensitivity="open"
    )
    valid_from: Mapped[date] = column(
        Date, "First business day offered.", sensitivity="open", nullable=False
    )
    valid_to: Mapped[date | None] = column(
        Date, "First business day no longer offered.", sensitivity="open"
    )


class BenefitGrantRow(Base):
    """How much of a benefit a tier is granted."""

    __tablename__ = "benefit_grants"
    __table_args__ = (
        one_of("tier", TIERS),
        one_of("period", PERIODS),
        CheckConstraint("quota IS NULL OR quota > 0", name="quota"),
        CheckConstraint("(quota IS NULL) = (period IS NULL)", name="quota_pair"),
        {"comment": "Benefits by tier with quota per period; no quota means as needed."},
    )

    code: Mapped[str] = column(
        Text, "The benefit.", ForeignKey("benefits.code"), sensitivity="open", primary_key=True
    )
    tier: Mapped[str] = column(Text, "The tier.", sensitivity="open", primary_key=True)
    quota: Mapped[int | None] = column(
        SmallInteger, "Uses per period; null is as needed.", sensitivity="open"
    )
    period: Mapped[str | None] = column(Text, "month, quarter or year.", sensitivity="open")
