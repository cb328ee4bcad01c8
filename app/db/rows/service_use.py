"""Add-on services: what was used, and which product entitles to what."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column


class ServiceUseRow(Recorded, Base):
    """One use of an add-on service."""

    __tablename__ = "service_uses"
    __table_args__ = (
        Index(None, "customer_id"),
        {"comment": "Uses of add-on services (health management, road assistance, …)."},
    )

    use_no: Mapped[str] = column(
        Text(collation="C"),
        "The source's number of the use.",
        sensitivity="internal",
        primary_key=True,
    )
    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "Who used it.",
        ForeignKey("customers.customer_id", onupdate="CASCADE"),
        sensitivity="open",
        nullable=False,
    )
    service_code: Mapped[str] = column(
        Text, "Code of the service.", sensitivity="internal", nullable=False
    )
    used_on: Mapped[date] = column(Date, "Business day.", sensitivity="internal", nullable=False)


class ProductServiceRow(Recorded, Base):
    """An add-on service that a product entitles its policyholder to."""

    __tablename__ = "product_services"
    __table_args__ = ({"comment": "Which product entitles to which add-on service."},)

    product: Mapped[str] = column(
        Text(collation="C"), "Product code.", sensitivity="internal", primary_key=True
    )
    service_code: Mapped[str] = column(
        Text(collation="C"), "Code of the service.", sensitivity="internal", primary_key=True
    )
