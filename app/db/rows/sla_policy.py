"""Service promises by tier, and the floors the law sets."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Integer,
    SmallInteger,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of
from app.domain.words import PRODUCT_LINES, TIERS

SERVICE_TYPES = (
    "basic_question",
    "emergency_claim",
    "service_request",
    "complex_business",
    "complaint",
    "claim_decision",
    "proactive_contact",
)
CLOCKS = ("elapsed", "business_hours", "business_days", "calendar_days", "recurring")


class SlaPolicyRow(Recorded, Base):
    """One version of the whole SLA policy."""

    __tablename__ = "sla_policies"
    __table_args__ = (
        CheckConstraint("version >= 1", name="version"),
        {"comment": "Versions of the SLA policy; the newest valid one holds."},
    )

    version: Mapped[int] = column(
        Integer, "Version, from 1.", sensitivity="open", primary_key=True, autoincrement=False
    )
    valid_from: Mapped[date] = column(
        Date, "First business day.", sensitivity="open", nullable=False, unique=True
    )


class SlaEntryRow(Base):
    """One row of a policy: what it matches and what it promises."""

    __tablename__ = "sla_entries"
    __table_args__ = (
        one_of("tier", TIERS),
        one_of("service_type", SERVICE_TYPES),
        one_of("product_line", PRODUCT_LINES),
        one_of("clock", CLOCKS),
        CheckConstraint(
            "coalesce(response_seconds, response_days, resolution_seconds, resolution_days,"
            " contacts_per_month) > 0",
            name="target",
        ),
        {"comment": "Rows of an SLA policy; the first match by position wins."},
    )

    policy_version: Mapped[int] = column(
        Integer,
        "The policy.",
        ForeignKey("sla_policies.version"),
        sensitivity="open",
        primary_key=True,
    )
    position: Mapped[int] = column(
        Integer, "Order of matching.", sensitivity="open", primary_key=True, autoincrement=False
    )
    tier: Mapped[str | None] = column(Text, "Tier matched; null is any.", sensitivity="open")
    service_type: Mapped[str] = column(
        Text, "Service type matched.", sensitivity="open", nullable=False
    )
    product_line: Mapped[str | None] = column(
        Text, "Product line matched; null is any.", sensitivity="open"
    )
    qualifier: Mapped[str | None] = column(
        Text, "Narrower case matched, as compulsory_motor; null is any.", sensitivity="open"
    )
    clock: Mapped[str] = column(Text, "Which clock runs.", sensitivity="open", nullable=False)
    response_seconds: Mapped[int | None] = column(
        Integer, "Promise of a first response, seconds of the clock.", sensitivity="open"
    )
    response_days: Mapped[int | None] = column(
        SmallInteger, "Promise of a first response, days of the clock.", sensitivity="open"
    )
    resolution_seconds: Mapped[int | None] = column(
        Integer, "Promise of a resolution, seconds of the clock.", sensitivity="open"
    )
    resolution_days: Mapped[int | None] = column(
        SmallInteger, "Promise of a resolution, days of the clock.", sensitivity="open"
    )
    contacts_per_month: Mapped[int | None] = column(
        SmallInteger, "Promised proactive contacts a month.", sensitivity="open"
    )
    milestones: Mapped[list[dict[str, Any]]] = column(
        JSONB, "Further promises: name and seconds.", sensitivity="open", nullable=False
    )
    automated_first: Mapped[bool] = column(
        Boolean, "Automated service answers first.", sensitivity="open", nullable=False
    )
    note_en: Mapped[str | None] = column(Text, "Note in English.", sensitivity="open")
    note_zh: Mapped[str | None] = column(Text, "Note in Chinese.", sensitivity="open")


class StatutoryFloorRow(Recorded, Base):
    """A deadline the law sets; it beats any tier's promise."""

    __tablename__ = "statutory_floors"
    __table_args__ = (
        one_of("service_type", SERVICE_TYPES),
        CheckConstraint("days > 0", name="days"),
        {"comment": "Statutory deadlines with source and state of confirmation."},
    )

    service_type: Mapped[str] = column(Text, "Service type.", sensitivity="open", primary_key=True)
    qualifier: Mapped[str] = column(
        Text, "Narrower case; 'any' otherwise.", sensitivity="open", primary_key=True
    )
    days: Mapped[int] = column(SmallInteger, "Days.", sensitivity="open", nullable=False)
    day_kind: Mapped[str] = column(
        Text, "calendar_days or business_days.", sensitivity="open", nullable=False
    )
    source: Mapped[str] = column(
        Text, "Where the number comes from.", sensitivity="open", nullable=False
    )
    confirmation: Mapped[str] = column(
        Text, "State of confirmation by counsel.", sensitivity="open", nullable=False
    )
