"""Tier decisions: append-only, replayable."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of
from app.domain.words import LIFE_CYCLE_STAGES, PRODUCT_LINES, RISK_GRADES, SEGMENTS, TIERS


class DecisionRow(Recorded, Base):
    """What was decided for one customer, why, and from what."""

    __tablename__ = "decisions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["rule_set_id", "rule_set_version"],
            ["rule_set_versions.rule_set_id", "rule_set_versions.version"],
        ),
        one_of("tier_evaluated", TIERS),
        one_of("tier_applied", TIERS),
        one_of("segment", SEGMENTS),
        one_of("life_cycle_stage", LIFE_CYCLE_STAGES),
        one_of("risk_grade", RISK_GRADES),
        one_of("primary_line", PRODUCT_LINES),
        CheckConstraint("score BETWEEN 0 AND 1000", name="score"),
        CheckConstraint("facts_completeness BETWEEN 0 AND 1", name="facts_completeness"),
        CheckConstraint(
            "cause ~ '^(api|timer|event:.+|run:.+|override:.+)$'",
            name="cause",
        ),
        Index(None, "customer_id", "recorded_at"),
        {"comment": "Append-only tier decisions with everything a replay needs."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "Of whom.",
        # No cascade: a decision is never changed, so whoever was decided for keeps his id.
        ForeignKey("customers.customer_id"),
        sensitivity="open",
        nullable=False,
    )
    as_of: Mapped[date] = column(
        Date, "Business day of the facts.", sensitivity="open", nullable=False
    )
    cause: Mapped[str] = column(
        Text,
        "api, timer, event:<id>, run:<id> or override:<id>.",
        sensitivity="internal",
        nullable=False,
    )
    rule_set_id: Mapped[str] = column(
        Text(collation="C"), "The rule set that decided.", sensitivity="internal", nullable=False
    )
    rule_set_version: Mapped[int] = column(
        Integer, "Its version.", sensitivity="internal", nullable=False
    )
    rule_set_hash: Mapped[str] = column(Text, "Its hash.", sensitivity="internal", nullable=False)
    primary_line: Mapped[str | None] = column(
        Text, "The customer's primary line, if any.", sensitivity="internal"
    )
    score: Mapped[int] = column(
        SmallInteger, "Weighted score, 0 to 1000.", sensitivity="internal", nullable=False
    )
    dimensions: Mapped[dict[str, int]] = column(
        JSONB, "Dimension scores, 0 to 1000 each.", sensitivity="risk", nullable=False
    )
    segment: Mapped[str] = column(Text, "Value segment.", sensitivity="internal", nullable=False)
    life_cycle_stage: Mapped[str] = column(
        Text, "Life-cycle stage.", sensitivity="internal", nullable=False
    )
    risk_grade: Mapped[str] = column(
        Text, "Risk grade, A is the lowest risk.", sensitivity="risk", nullable=False
    )
    tier_evaluated: Mapped[str] = column(
        Text, "Tier the rules give.", sensitivity="internal", nullable=False
    )
    tier_applied: Mapped[str] = column(
        Text, "Tier served, after stability and override.", sensitivity="open", nullable=False
    )
    outcomes: Mapped[dict[str, Any]] = column(
        JSONB, "Every table's outcome by name.", sensitivity="risk", nullable=False
    )
    fired: Mapped[dict[str, list[str]]] = column(
        JSONB, "Rules that fired, by table.", sensitivity="risk", nullable=False
    )
    reasons: Mapped[list[dict[str, Any]]] = column(
        JSONB, "Reason codes with points and lost points.", sensitivity="risk", nullable=False
    )
    gap: Mapped[dict[str, Any] | None] = column(
        JSONB(none_as_null=True), "What would reach a better tier.", sensitivity="internal"
    )
    facts_completeness: Mapped[Decimal] = column(
        Numeric(5, 4), "Non-null inputs over inputs.", sensitivity="internal", nullable=False
    )
    snapshot_cipher: Mapped[bytes] = column(
        LargeBinary,
        "The facts as evaluated, encrypted under the subject's key.",
        sensitivity="free",
        nullable=False,
    )
    risk_model_version: Mapped[str | None] = column(
        Text,
        "Version of the risk model that the rule set names, if it names one.",
        sensitivity="internal",
    )
    benchmark_version: Mapped[str | None] = column(
        Text, "Version of the market benchmark.", sensitivity="internal"
    )
    override_id: Mapped[UUID | None] = column(
        Uuid, "Override that the tier served took into account, if any.", sensitivity="open"
    )
