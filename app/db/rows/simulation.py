"""Simulations: a rule set rehearsed on the whole book, and what came of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Date, DateTime, Index, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of
from app.domain.words import RULE_SET_LINES


class SimulationRow(Recorded, Base):
    """One candidate against one baseline on one business day; the job of its id does it."""

    __tablename__ = "simulations"
    __table_args__ = (
        one_of("product_line", RULE_SET_LINES),
        CheckConstraint("candidate_version >= 1", name="candidate_version"),
        CheckConstraint("baseline_version >= 1", name="baseline_version"),
        CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name="hash"),
        CheckConstraint("baseline_hash ~ '^[0-9a-f]{64}$'", name="baseline_hash"),
        CheckConstraint("(report IS NULL) = (completed_at IS NULL)", name="completed"),
        CheckConstraint("(report IS NULL) = (snapshot_at IS NULL)", name="snapshot"),
        Index(None, "rule_set_id", "id"),
        Index(None, "rule_set_id", "hash"),
        {"comment": "Rule sets rehearsed on the whole book; what was rehearsed is frozen."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    rule_set_id: Mapped[str] = column(
        Text(collation="C"), "Rule set of the candidate.", sensitivity="open", nullable=False
    )
    product_line: Mapped[str] = column(
        Text, "Line the candidate decides for.", sensitivity="open", nullable=False
    )
    candidate_version: Mapped[int | None] = column(
        Integer, "Stored version of the candidate; null for a draft.", sensitivity="open"
    )
    document: Mapped[dict[str, Any]] = column(
        JSONB, "The candidate, resolved, as it was then.", sensitivity="open", nullable=False
    )
    hash: Mapped[str] = column(
        Text, "SHA-256 of the candidate's RFC 8785 JSON.", sensitivity="open", nullable=False
    )
    baseline_rule_set_id: Mapped[str] = column(
        Text(collation="C"), "Rule set it is compared with.", sensitivity="open", nullable=False
    )
    baseline_version: Mapped[int | None] = column(
        Integer, "Stored version of the baseline; null for a draft.", sensitivity="open"
    )
    baseline_document: Mapped[dict[str, Any]] = column(
        JSONB, "The baseline, resolved, as it was then.", sensitivity="open", nullable=False
    )
    baseline_hash: Mapped[str] = column(
        Text, "SHA-256 of the baseline's RFC 8785 JSON.", sensitivity="open", nullable=False
    )
    others: Mapped[dict[str, Any]] = column(
        JSONB,
        "Id and version of what decides beside them, by product line.",
        sensitivity="open",
        nullable=False,
    )
    objectives: Mapped[list[str]] = column(
        ARRAY(Text),
        "Profiles of the candidate that are compared besides its own.",
        sensitivity="open",
        nullable=False,
    )
    as_of: Mapped[date] = column(Date, "Business day.", sensitivity="open", nullable=False)
    is_rehearsal: Mapped[bool] = column(
        Boolean,
        "Whether it compares with what decided on the day it was asked for, as of that day.",
        sensitivity="open",
        nullable=False,
    )
    requested_by: Mapped[str] = column(
        Text, "Digest of the actor who asked for it.", sensitivity="internal", nullable=False
    )
    requested_role: Mapped[str] = column(
        Text, "The role he asked for it in.", sensitivity="internal", nullable=False
    )
    snapshot_at: Mapped[datetime | None] = column(
        DateTime(timezone=True), "When the book was read.", sensitivity="open"
    )
    completed_at: Mapped[datetime | None] = column(
        DateTime(timezone=True), "When it was completed.", sensitivity="open"
    )
    report: Mapped[dict[str, Any] | None] = column(
        JSONB,
        "Counts of customers and sums of premiums; small ones are told to few roles.",
        sensitivity="value",
    )
    has_movers: Mapped[bool] = column(
        Boolean,
        "Whether who moves is still listed.",
        sensitivity="open",
        server_default="true",
        nullable=False,
    )
