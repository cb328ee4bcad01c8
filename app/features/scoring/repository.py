"""SQL of decisions, and of what evaluating a customer needs beside the facts."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.decision import DecisionRow
from app.db.rows.market_benchmark import MarketBenchmarkRow
from app.domain.rules.canonical import rfc8785_json
from app.domain.rules.evaluation import Answer
from app.domain.tiering.decision import COMPLETENESS_SCALE, RuleSetReference
from app.domain.tiering.record import DecisionRecord, GivenReason
from app.infra.database import raw_connection

#: The columns of a chunk of decisions, in the order of its CSV.
COPIED: Final = (
    "id",
    "customer_id",
    "as_of",
    "cause",
    "rule_set_id",
    "rule_set_version",
    "rule_set_hash",
    "primary_line",
    "score",
    "dimensions",
    "segment",
    "life_cycle_stage",
    "risk_grade",
    "tier_evaluated",
    "tier_applied",
    "outcomes",
    "fired",
    "reasons",
    "gap",
    "facts_completeness",
    "snapshot_cipher",
    "risk_model_version",
    "benchmark_version",
    "override_id",
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A stored decision with its snapshot, still encrypted."""

    record: DecisionRecord
    snapshot_cipher: bytes


async def benchmark_versions(session: AsyncSession, as_of: date) -> Mapping[str, str]:
    """The version of the market benchmark over all lines on a day, by kind of customer."""
    row = MarketBenchmarkRow
    query = (
        select(row.customer_kind, row.benchmark_version)
        .where(row.product_line == "all", row.valid_from <= as_of)
        .order_by(row.valid_from)
    )
    # In order of time, so that the newest of each kind is what stays.
    return {row[0]: row[1] for row in await session.execute(query)}


async def insert_decisions(session: AsyncSession, decisions: Sequence[Sealed]) -> None:
    """Append decisions."""
    await session.execute(insert(DecisionRow), [_columns(decision) for decision in decisions])


def _columns(decision: Sealed) -> dict[str, object]:
    record = decision.record
    return {
        "id": record.id,
        "customer_id": record.customer_id,
        "as_of": record.as_of,
        "cause": record.cause,
        "rule_set_id": record.rule_set.id,
        "rule_set_version": record.rule_set.version,
        "rule_set_hash": record.rule_set.hash,
        "primary_line": record.primary_line,
        "score": record.score,
        "dimensions": dict(record.dimensions),
        "segment": record.segment,
        "life_cycle_stage": record.life_cycle_stage,
        "risk_grade": record.risk_grade,
        "tier_evaluated": record.tier_evaluated,
        "tier_applied": record.tier_applied,
        "outcomes": {name: _written(answer) for name, answer in record.outcomes.items()},
        "fired": {table: list(rules) for table, rules in record.fired.items()},
        "reasons": [
            {
                "code": reason.code,
                "characteristic": reason.characteristic,
                "points": reason.points,
                "lost": reason.lost,
            }
            for reason in record.reasons
        ],
        "gap": None if record.gap is None else json.loads(record.gap),
        "facts_completeness": Decimal(record.facts_completeness) / COMPLETENESS_SCALE,
        "snapshot_cipher": decision.snapshot_cipher,
        "risk_model_version": record.risk_model_version,
        "benchmark_version": record.benchmark_version,
        "override_id": record.override_id,
        "recorded_at": record.recorded_at,
    }


async def copy_decisions(session: AsyncSession, csv: bytes) -> None:
    r"""Append many decisions.

    Args:
        session: a session with an open transaction.
        csv: rows with the columns of `COPIED`, no header; empty is null, bytes are `\x` and hex.
    """
    connection = await raw_connection(session)
    await connection.copy_to_table(
        "decisions", source=io.BytesIO(csv), columns=COPIED, format="csv"
    )


async def find_decision(session: AsyncSession, decision_id: UUID) -> Sealed | None:
    """One stored decision."""
    row = await session.scalar(select(DecisionRow).where(DecisionRow.id == decision_id))
    return None if row is None else Sealed(_record(row), row.snapshot_cipher)


def _record(row: DecisionRow) -> DecisionRecord:
    return DecisionRecord(
        id=row.id,
        customer_id=row.customer_id,
        as_of=row.as_of,
        cause=row.cause,
        rule_set=RuleSetReference(row.rule_set_id, row.rule_set_version, row.rule_set_hash),
        primary_line=row.primary_line,
        score=row.score,
        dimensions=row.dimensions,
        outcomes={name: _read(answer) for name, answer in row.outcomes.items()},
        fired={table: tuple(rules) for table, rules in row.fired.items()},
        reasons=tuple(GivenReason(**reason) for reason in row.reasons),
        segment=row.segment,
        life_cycle_stage=row.life_cycle_stage,
        risk_grade=row.risk_grade,
        tier_evaluated=row.tier_evaluated,
        tier_applied=row.tier_applied,
        facts_completeness=int(row.facts_completeness * COMPLETENESS_SCALE),
        gap=None if row.gap is None else _canonical(row.gap),
        risk_model_version=row.risk_model_version,
        benchmark_version=row.benchmark_version,
        override_id=row.override_id,
        recorded_at=row.recorded_at,
    )


def _written(answer: Answer) -> str | list[str] | None:
    return list(answer) if isinstance(answer, tuple) else answer


def _read(answer: str | list[str] | None) -> Answer:
    return tuple(answer) if isinstance(answer, list) else answer


def _canonical(gap: Mapping[str, Any]) -> str:
    return rfc8785_json(gap).decode()
