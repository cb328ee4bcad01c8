"""Who put which version of a rule set in force, or took it out, and by which right."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped

from app.db.base import Base, column, one_of
from app.domain.words import PUBLICATION_KINDS, RULE_SET_LINES


class RuleSetPublicationRow(Base):
    """One act of a publisher: a draft published, a version published anew, a rule set retired."""

    __tablename__ = "rule_set_publications"
    __table_args__ = (
        one_of("kind", PUBLICATION_KINDS),
        one_of("product_line", RULE_SET_LINES),
        CheckConstraint("(kind = 'retired') = (version IS NULL)", name="version"),
        CheckConstraint("(kind = 'retired') = (activation_id IS NULL)", name="activation"),
        CheckConstraint("kind <> 'retired' OR product_line <> 'all'", name="all_decides"),
        CheckConstraint("kind <> 'published' OR cardinality(authors) > 0", name="authors"),
        CheckConstraint("published_by <> ALL (authors)", name="publisher_is_author"),
        CheckConstraint("pia_ref IS NULL OR length(pia_ref) BETWEEN 1 AND 200", name="pia_ref"),
        ForeignKeyConstraint(
            ["rule_set_id", "version"],
            ["rule_set_versions.rule_set_id", "rule_set_versions.version"],
            name="fk_rule_set_publications_version",
        ),
        Index("ix_rule_set_publications_rule_set", "rule_set_id", "id"),
        {"comment": "What publishers did with rule sets; append-only."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    rule_set_id: Mapped[str] = column(
        Text(collation="C"), "Which rule set.", sensitivity="open", nullable=False
    )
    kind: Mapped[str] = column(
        Text, "published, republished or retired.", sensitivity="open", nullable=False
    )
    product_line: Mapped[str] = column(
        Text, "Line it decides for.", sensitivity="open", nullable=False
    )
    version: Mapped[int | None] = column(
        Integer, "Version put in force; null for a retirement.", sensitivity="open"
    )
    effective_on: Mapped[date] = column(
        Date,
        "First business day it decides; of a retirement, the first it no longer does.",
        sensitivity="open",
        nullable=False,
    )
    activation_id: Mapped[UUID | None] = column(
        Uuid, "Range it was given; gone where it never came into force.", sensitivity="open"
    )
    pia_ref: Mapped[str | None] = column(
        Text, "Privacy assessment it rests on.", sensitivity="open"
    )
    authors: Mapped[list[str]] = column(
        ARRAY(Text), "Who edited what was published.", sensitivity="internal", nullable=False
    )
    published_by: Mapped[str] = column(
        Text,
        "Who did it.",
        ForeignKey("actors.actor_digest"),
        sensitivity="internal",
        nullable=False,
    )
    published_at: Mapped[datetime] = column(
        DateTime(timezone=True), "When.", sensitivity="open", nullable=False
    )
