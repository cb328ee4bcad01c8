"""Simulations that are completed, as if a worker had done them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from app.db.rows import SimulationMoverRow, SimulationRow
from app.features.simulations.service.report import Loads, written_report
from app.features.simulations.service.tally import Tally
from app.infra.database import AsyncSession
from app.infra.ids import new_id

_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class Moved:
    """A customer who moves from gold to diamond."""

    customer_id: str
    segment: str = "mid_market"
    premium: Decimal = Decimal("1000.00")


@dataclass(frozen=True, slots=True)
class Done:
    """A completed simulation of version 1 of a rule set, and whom it moves."""

    rule_set_id: str = "all"
    movers: tuple[Moved, ...] = ()
    id: UUID = field(default_factory=new_id)


async def put_simulation(session: AsyncSession, done: Done) -> None:
    """Store a completed simulation; its report counts nobody."""
    at = datetime(2026, 6, 30, 8, tzinfo=UTC)
    session.add(
        SimulationRow(
            id=done.id,
            rule_set_id=done.rule_set_id,
            product_line="all",
            candidate_version=1,
            document={},
            hash=_HASH,
            baseline_rule_set_id=done.rule_set_id,
            baseline_version=1,
            baseline_document={},
            baseline_hash=_HASH,
            others={},
            objectives=[],
            as_of=date(2026, 6, 30),
            is_rehearsal=False,
            requested_by="nobody-in-particular",
            requested_role="rule_author",
            snapshot_at=at,
            completed_at=at,
            report=written_report(Tally().report(Loads(None, (), ()), [])),
        )
    )
    await session.flush()
    session.add_all(
        SimulationMoverRow(
            simulation_id=done.id,
            customer_id=moved.customer_id,
            line="all",
            segment=moved.segment,
            premium=moved.premium,
            evaluated_before="gold",
            evaluated_after="diamond",
            serving_before="gold",
            serving_after="gold",
        )
        for moved in done.movers
    )
    await session.flush()
