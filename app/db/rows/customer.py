"""Customers (policyholders): identity, with identifiers encrypted and masked beside."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, Index, LargeBinary, Text, func, text
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, customer_id_form, one_of
from app.domain.words import CUSTOMER_KINDS, GENDERS, ID_DOCUMENTS, SALES_CHANNELS


class CustomerRow(Recorded, Base):
    """One policyholder (投保人), individual or corporate."""

    __tablename__ = "customers"
    __table_args__ = (
        customer_id_form("customer_id"),
        one_of("kind", CUSTOMER_KINDS),
        one_of("gender", GENDERS),
        one_of("id_type", ID_DOCUMENTS),
        one_of("channel", SALES_CHANNELS),
        CheckConstraint(
            "credit_code IS NULL OR (kind = 'corporate' AND credit_code ~ '^[0-9A-Z]{18}$')",
            name="credit_code",
        ),
        CheckConstraint("(name_cipher IS NULL) = (name_masked IS NULL)", name="name_pair"),
        CheckConstraint("(phone_cipher IS NULL) = (phone_masked IS NULL)", name="phone_pair"),
        CheckConstraint("(email_cipher IS NULL) = (email_masked IS NULL)", name="email_pair"),
        CheckConstraint("(id_no_cipher IS NULL) = (id_no_masked IS NULL)", name="id_no_pair"),
        CheckConstraint(
            "(birth_date_cipher IS NULL) = (birth_band IS NULL)", name="birth_date_pair"
        ),
        # Without the sealed value its HMAC tells of somebody who is no longer known.
        CheckConstraint("phone_index IS NULL OR phone_cipher IS NOT NULL", name="phone_index"),
        CheckConstraint("id_no_index IS NULL OR id_no_cipher IS NOT NULL", name="id_no_index"),
        Index(None, "phone_index", postgresql_where=text("phone_index IS NOT NULL")),
        Index(None, "id_no_index", postgresql_where=text("id_no_index IS NOT NULL")),
        # An account manager lists his own customers, page by page.
        Index("ix_customers_account_manager", "account_manager", "customer_id"),
        {"comment": "Policyholders; identifiers are encrypted, their masked forms stored beside."},
    )

    customer_id: Mapped[str] = column(
        Text(collation="C"), "The insurer's own id.", sensitivity="open", primary_key=True
    )
    kind: Mapped[str] = column(Text, "individual or corporate.", sensitivity="open", nullable=False)
    name_cipher: Mapped[bytes | None] = column(
        LargeBinary, "Name, AES-256-GCM under the subject's key.", sensitivity="c2.name"
    )
    name_masked: Mapped[str | None] = column(
        Text, "Masked name; a corporate's name stands in full (class open).", sensitivity="c2.name"
    )
    phone_cipher: Mapped[bytes | None] = column(
        LargeBinary, "Phone number, encrypted.", sensitivity="c2.contact"
    )
    phone_masked: Mapped[str | None] = column(Text, "Masked phone.", sensitivity="c2.contact")
    phone_index: Mapped[bytes | None] = column(
        LargeBinary,
        "HMAC of the phone number's normal form, which exact look-ups go by.",
        sensitivity="c2.contact",
    )
    email_cipher: Mapped[bytes | None] = column(
        LargeBinary, "E-mail address, encrypted.", sensitivity="c2.contact"
    )
    email_masked: Mapped[str | None] = column(Text, "Masked e-mail.", sensitivity="c2.contact")
    id_type: Mapped[str | None] = column(
        Text, "Which document the ID number belongs to.", sensitivity="internal"
    )
    id_no_cipher: Mapped[bytes | None] = column(
        LargeBinary, "ID number, encrypted.", sensitivity="c2.id_no"
    )
    id_no_masked: Mapped[str | None] = column(Text, "Masked ID number.", sensitivity="c2.id_no")
    id_no_index: Mapped[bytes | None] = column(
        LargeBinary,
        "HMAC of the ID number's normal form, which exact look-ups go by.",
        sensitivity="c2.id_no",
    )
    birth_date_cipher: Mapped[bytes | None] = column(
        LargeBinary, "Birth date, encrypted.", sensitivity="c2.birth"
    )
    birth_band: Mapped[str | None] = column(
        Text, "Five-year band of the birth year, as 1980-1984.", sensitivity="c2.birth"
    )
    gender: Mapped[str | None] = column(Text, "Gender, where stated.", sensitivity="internal")
    city: Mapped[str | None] = column(Text, "City of residence or seat.", sensitivity="internal")
    channel: Mapped[str | None] = column(
        Text, "Channel the customer came through.", sensitivity="internal"
    )
    credit_code: Mapped[str | None] = column(
        Text, "Unified social credit code of a corporate.", sensitivity="open"
    )
    account_manager: Mapped[str | None] = column(
        Text, "Subject of the customer's account manager.", sensitivity="internal"
    )
    income_cipher: Mapped[bytes | None] = column(
        LargeBinary, "Declared yearly income, encrypted.", sensitivity="s.income"
    )
    assets_cipher: Mapped[bytes | None] = column(
        LargeBinary, "Declared assets, encrypted.", sensitivity="s.income"
    )
    occupation_cipher: Mapped[bytes | None] = column(
        LargeBinary, "Occupation title, encrypted.", sensitivity="risk"
    )
    updated_at: Mapped[datetime] = column(
        DateTime(timezone=True),
        "When the record last changed.",
        sensitivity="internal",
        server_default=func.now(),
        nullable=False,
    )
