"""Customers who stand somewhere: a decision, the state after it, and the assignment it gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db.rows import (
    DecisionRow,
    ReevaluationRunRow,
    ScoringStateRow,
    TierAssignmentRow,
)
from app.infra.database import AsyncSession
from app.infra.ids import new_id

REASONS: Sequence[Mapping[str, Any]] = (
    {"code": "L03", "characteristic": "product_lines", "points": 5, "lost": 20},
)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a customer stands; the decision is of the rule set `all` unless changed."""

    customer_id: str
    tier: str = "gold"
    source: str = "evaluated"
    tier_evaluated: str = "gold"
    since: date = date(2020, 2, 3)
    first_lower_on: date | None = None
    grace_until: date | None = None
    evaluated_on: date = date(2020, 10, 31)
    evaluated_at: datetime = datetime(2020, 11, 1, 2, 3, 4, tzinfo=UTC)
    score: int = 613
    segment: str = "mid_market"
    life_cycle_stage: str = "stable"
    risk_grade: str = "B"
    labels: tuple[str, ...] | str = ("vip_care",)
    primary_line: str | None = "motor"
    rule_set_id: str = "all"
    reasons: Sequence[Mapping[str, Any]] = ()
    gap: Mapping[str, Any] | None = None
    decision_id: UUID = field(default_factory=new_id)

    def but(self, **changes: Any) -> Stand:  # noqa: ANN401 - any of the fields above.
        """The same with changes, and a decision of its own."""
        return replace(self, **{"decision_id": new_id(), **changes})


def _decision(stand: Stand, hash_: str, tables: Sequence[str]) -> DecisionRow:
    return DecisionRow(
        id=stand.decision_id,
        customer_id=stand.customer_id,
        as_of=stand.evaluated_on,
        cause="api",
        rule_set_id=stand.rule_set_id,
        rule_set_version=1,
        rule_set_hash=hash_,
        primary_line=stand.primary_line,
        score=stand.score,
        dimensions={"value": 600, "risk": 700, "loyalty": 500, "potential": 400},
        segment=stand.segment,
        life_cycle_stage=stand.life_cycle_stage,
        risk_grade=stand.risk_grade,
        tier_evaluated=stand.tier_evaluated,
        tier_applied=stand.tier,
        outcomes={
            "labels": stand.labels,
            "segment": stand.segment,
            "tier": stand.tier_evaluated,
        },
        fired={table: [] for table in tables},
        reasons=[dict(reason) for reason in stand.reasons],
        gap=None if stand.gap is None else dict(stand.gap),
        facts_completeness=Decimal("0.9"),
        snapshot_cipher=b"no snapshot",
        recorded_at=stand.evaluated_at,
    )


async def write_stand(session: AsyncSession, stand: Stand) -> Stand:
    """Store where a customer stands; what stood before is closed on the day of the evaluation."""
    query = text("SELECT hash, document FROM rule_set_versions WHERE rule_set_id = :id")
    hash_, document = (await session.execute(query, {"id": stand.rule_set_id})).one()
    session.add(_decision(stand, hash_, [table["id"] for table in document["tables"]]))
    await session.flush()
    day = {"day": stand.evaluated_on, "id": stand.customer_id}
    await session.execute(
        text(
            "UPDATE tier_assignments SET valid_to = :day"
            " WHERE customer_id = :id AND valid_to IS NULL"
        ),
        day,
    )
    session.add(
        TierAssignmentRow(
            id=new_id(),
            customer_id=stand.customer_id,
            tier=stand.tier,
            source=stand.source,
            decision_id=stand.decision_id,
            valid_from=stand.evaluated_on,
        )
    )
    await session.merge(
        ScoringStateRow(
            customer_id=stand.customer_id,
            decision_id=stand.decision_id,
            tier=stand.tier,
            since=stand.since,
            last_downgrade_on=None,
            first_lower_on=stand.first_lower_on,
            evaluated_on=stand.evaluated_on,
            evaluated_at=stand.evaluated_at,
            outputs_digest=b"",
            grace_until=stand.grace_until,
            segment=stand.segment,
            life_cycle_stage=stand.life_cycle_stage,
            labels=[] if isinstance(stand.labels, str) else list(stand.labels),
        )
    )
    await session.commit()
    return stand


def run(snapshot_at: datetime, as_of: date, **changes: object) -> ReevaluationRunRow:
    """A completed and applied run over the whole book."""
    columns: dict[str, object] = {
        "mode": "apply",
        "state": "completed",
        "finished_at": snapshot_at,
        "customers_total": 1,
        "customers_done": 1,
        "customers_changed": 0,
        "summary": {},
    }
    return ReevaluationRunRow(
        id=new_id(), as_of=as_of, snapshot_at=snapshot_at, **{**columns, **changes}
    )
