"""Published rule sets and when each is in force."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import DATERANGE, JSONB, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped

from app.db.base import Base, column, one_of
from app.domain.words import RULE_SET_LINES, RULE_SET_ORIGINS


class RuleSetVersionRow(Base):
    """One immutable version of a rule set: the resolved document and its hash."""

    __tablename__ = "rule_set_versions"
    __table_args__ = (
        one_of("product_line", RULE_SET_LINES),
        one_of("origin", RULE_SET_ORIGINS),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name="hash"),
        {"comment": "Immutable rule-set versions; the hash is SHA-256 of the canonical document."},
    )

    rule_set_id: Mapped[str] = column(
        Text(collation="C"), "Id of the rule set.", sensitivity="open", primary_key=True
    )
    version: Mapped[int] = column(
        Integer, "Version, from 1.", sensitivity="open", primary_key=True, autoincrement=False
    )
    product_line: Mapped[str] = column(
        Text, "Line it decides for.", sensitivity="open", nullable=False
    )
    document: Mapped[dict[str, Any]] = column(
        JSONB, "The resolved document.", sensitivity="open", nullable=False
    )
    hash: Mapped[str] = column(
        Text, "SHA-256 of the RFC 8785 JSON.", sensitivity="open", nullable=False
    )
    origin: Mapped[str] = column(
        Text, "template (shipped), loaded or published.", sensitivity="open", nullable=False
    )
    created_at: Mapped[datetime] = column(
        DateTime(timezone=True),
        "When it was stored.",
        sensitivity="open",
        server_default=func.now(),
        nullable=False,
    )


class RuleSetActivationRow(Base):
    """The range of business days on which one version decides for a line."""

    __tablename__ = "rule_set_activations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["rule_set_id", "version"],
            ["rule_set_versions.rule_set_id", "rule_set_versions.version"],
        ),
        one_of("product_line", RULE_SET_LINES),
        CheckConstraint("NOT isempty(valid)", name="valid"),
        ExcludeConstraint(
            ("product_line", "="), ("valid", "&&"), name="one_per_line", using="gist"
        ),
        {"comment": "When which version is in force; ranges of one line never overlap."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    product_line: Mapped[str] = column(Text, "The line.", sensitivity="open", nullable=False)
    rule_set_id: Mapped[str] = column(
        Text(collation="C"), "The rule set.", sensitivity="open", nullable=False
    )
    version: Mapped[int] = column(Integer, "Its version.", sensitivity="open", nullable=False)
    valid: Mapped[Range[date]] = column(
        DATERANGE,
        "Business days it is in force, end exclusive.",
        sensitivity="open",
        nullable=False,
    )
    created_at: Mapped[datetime] = column(
        DateTime(timezone=True),
        "When it was put in force.",
        sensitivity="open",
        server_default=func.now(),
        nullable=False,
    )
