"""Insurance contracts and their parties."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of
from app.domain.words import PARTY_ROLES, PRODUCT_LINES, RELATIONS


class PolicyRow(Recorded, Base):
    """One insurance contract of a customer."""

    __tablename__ = "policies"
    __table_args__ = (
        UniqueConstraint("policy_no", "customer_id"),
        one_of("product_line", PRODUCT_LINES),
        CheckConstraint("object_coefficient > 0", name="object_coefficient"),
        CheckConstraint("cooling_off_until >= issued_on", name="cooling_off_until"),
        Index(None, "customer_id"),
        {"comment": "Insurance contracts; the customer is the policyholder."},
    )

    policy_no: Mapped[str] = column(
        Text(collation="C"),
        "The insurer's policy number.",
        sensitivity="internal",
        primary_key=True,
    )
    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "The policyholder.",
        ForeignKey("customers.customer_id", onupdate="CASCADE"),
        sensitivity="open",
        nullable=False,
    )
    product_line: Mapped[str] = column(
        Text, "life, health, motor, property or liability.", sensitivity="internal", nullable=False
    )
    product: Mapped[str] = column(Text, "Product code.", sensitivity="internal", nullable=False)
    issued_on: Mapped[date] = column(
        Date, "Business day of issue.", sensitivity="internal", nullable=False
    )
    cooling_off_until: Mapped[date | None] = column(
        Date, "Last day of the cooling-off period.", sensitivity="internal"
    )
    object_kind: Mapped[str | None] = column(
        Text, "What is insured, as car or home.", sensitivity="internal"
    )
    object_coefficient: Mapped[Decimal | None] = column(
        Numeric(6, 2), "Actuarial coefficient of the object, 1.00 is average.", sensitivity="risk"
    )
    channel: Mapped[str | None] = column(Text, "Sales channel.", sensitivity="internal")


class PolicyPartyRow(Recorded, Base):
    """An insured, beneficiary or payer of a policy; no fact needs a name, so none is kept."""

    __tablename__ = "policy_parties"
    __table_args__ = (
        one_of("role", PARTY_ROLES),
        one_of("relation", RELATIONS),
        CheckConstraint("extract(day FROM birth_month) = 1", name="birth_month"),
        {"comment": "Parties of a policy, without names."},
    )

    policy_no: Mapped[str] = column(
        Text(collation="C"),
        "The policy.",
        ForeignKey("policies.policy_no"),
        sensitivity="internal",
        primary_key=True,
    )
    party_no: Mapped[int] = column(
        SmallInteger,
        "Position of the party in the policy.",
        sensitivity="internal",
        primary_key=True,
        autoincrement=False,
    )
    role: Mapped[str] = column(
        Text, "insured, beneficiary or payer.", sensitivity="internal", nullable=False
    )
    relation: Mapped[str] = column(
        Text, "Relation to the policyholder.", sensitivity="internal", nullable=False
    )
    birth_month: Mapped[date | None] = column(
        Date, "First day of the party's birth month.", sensitivity="c2.birth"
    )
