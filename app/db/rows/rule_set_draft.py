"""Drafts of rule sets, and everybody who had a hand in one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped

from app.db.base import Base, column, one_of
from app.domain.words import RULE_SET_LINES


class RuleSetDraftRow(Base):
    """What the next version of a rule set may become; one is open per rule set."""

    __tablename__ = "rule_set_drafts"
    __table_args__ = (
        one_of("product_line", RULE_SET_LINES),
        CheckConstraint("rule_set_id ~ '^[a-z][a-z0-9-]{0,63}$'", name="rule_set_id"),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name="hash"),
        {"comment": "Open drafts of rule sets; a draft goes once it is published or discarded."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    rule_set_id: Mapped[str] = column(
        Text(collation="C"),
        "Id of the rule set, there or to come.",
        sensitivity="open",
        nullable=False,
        unique=True,
    )
    product_line: Mapped[str] = column(
        Text, "Line it would decide for.", sensitivity="open", nullable=False
    )
    revision: Mapped[int] = column(
        Integer, "From 1; every edit is the next.", sensitivity="open", nullable=False
    )
    # Not JSONB, which would forget the order that people gave the keys.
    document: Mapped[dict[str, Any]] = column(
        JSON, "The document as it was written.", sensitivity="open", nullable=False
    )
    hash: Mapped[str] = column(
        Text, "SHA-256 of the RFC 8785 JSON, resolved.", sensitivity="open", nullable=False
    )
    based_on: Mapped[str | None] = column(
        Text, "Version it was made from, as motor@1; null where it was sent.", sensitivity="open"
    )
    created_at: Mapped[datetime] = column(
        DateTime(timezone=True), "When it was opened.", sensitivity="open", nullable=False
    )
    updated_at: Mapped[datetime] = column(
        DateTime(timezone=True), "When it was edited last.", sensitivity="open", nullable=False
    )


class RuleSetDraftEditorRow(Base):
    """Somebody who edited a draft: an author of it, who can never publish it."""

    __tablename__ = "rule_set_draft_editors"
    __table_args__ = ({"comment": "Who edited which draft; all of them are its authors."},)

    draft_id: Mapped[UUID] = column(
        Uuid,
        "Which draft.",
        ForeignKey("rule_set_drafts.id", ondelete="CASCADE"),
        sensitivity="open",
        primary_key=True,
    )
    editor: Mapped[str] = column(
        Text,
        "Who edited it.",
        ForeignKey("actors.actor_digest"),
        sensitivity="internal",
        primary_key=True,
    )
    edited_at: Mapped[datetime] = column(
        DateTime(timezone=True), "When last.", sensitivity="internal", nullable=False
    )


class RuleSetAuthorRow(Base):
    """Somebody who had a hand in a document; triggers note him, and no draft's end forgets him."""

    __tablename__ = "rule_set_authors"
    __table_args__ = (
        {"comment": "Who wrote which document, whatever became of its draft; append-only."},
    )

    rule_set_id: Mapped[str] = column(
        Text(collation="C"), "Of which.", sensitivity="open", primary_key=True
    )
    hash: Mapped[str] = column(
        Text, "Which document, resolved.", sensitivity="open", primary_key=True
    )
    author: Mapped[str] = column(
        Text,
        "Who had a hand in it.",
        ForeignKey("actors.actor_digest"),
        sensitivity="internal",
        primary_key=True,
    )
