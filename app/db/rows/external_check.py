"""Third-party checks of what a customer declared."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Boolean, Date, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of
from app.domain.words import CHECK_KINDS


class ExternalCheckRow(Recorded, Base):
    """One comparison of a declaration with a third party's record."""

    __tablename__ = "external_checks"
    __table_args__ = (
        one_of("kind", CHECK_KINDS),
        Index(None, "customer_id"),
        {"comment": "Declared against verified, by third parties; the texts are encrypted."},
    )

    check_no: Mapped[str] = column(
        Text(collation="C"), "The source's number.", sensitivity="internal", primary_key=True
    )
    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "Whose declaration.",
        ForeignKey("customers.customer_id", onupdate="CASCADE"),
        sensitivity="open",
        nullable=False,
    )
    checked_on: Mapped[date] = column(Date, "Business day.", sensitivity="internal", nullable=False)
    kind: Mapped[str] = column(
        Text, "credit, medical or occupation.", sensitivity="internal", nullable=False
    )
    matches: Mapped[bool] = column(
        Boolean, "The declaration agrees.", sensitivity="s.health", nullable=False
    )
    declared_cipher: Mapped[bytes | None] = column(
        LargeBinary, "What the customer declared, encrypted.", sensitivity="free"
    )
    verified_cipher: Mapped[bytes | None] = column(
        LargeBinary, "What the third party says, encrypted.", sensitivity="free"
    )
