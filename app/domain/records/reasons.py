"""Why a row was rejected or doubted, read once from the package's own `reasons.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from importlib import resources
from types import MappingProxyType
from typing import Final, TypedDict, cast

from app.domain.records.specs import EARLIEST_DAY, LATEST_DAY, RECORDS, Column, ColumnType


class Outcome(StrEnum):
    """What a finding means for its record."""

    REJECTED = "rejected"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable code with its consequence and its remedy."""

    code: str
    outcome: Outcome
    template: str

    def remedy(self, record: str, column: str) -> str:
        """What to do, in words for one column.

        >>> REASONS["unknown-word"].remedy("surveys", "nps")
        'use one of  in nps'
        >>> REASONS["out-of-range"].remedy("surveys", "nps")
        'check nps: it lies between 0 and 10'
        """
        known = RECORDS[record].columns.get(column)
        parent = RECORDS[record].parent
        return self.template.format(
            column=column,
            parent=parent.record if parent else "",
            values=", ".join(known.values) if known else "",
            scale=known.scale if known else "",
            length=known.length if known else "",
            minimum=_bound(known, known.minimum, EARLIEST_DAY) if known else "",
            maximum=_bound(known, known.maximum, LATEST_DAY) if known else "",
        )


def _bound(column: Column, bound: int | None, day: date) -> str:
    if column.type in {ColumnType.DATE, ColumnType.MONTH}:
        return day.isoformat()
    return "" if bound is None else str(Decimal(bound).scaleb(-column.scale))


class _Entry(TypedDict):
    outcome: str
    remedy: str


class _Document(TypedDict):
    format: str
    reasons: dict[str, _Entry]


def _read() -> Mapping[str, Reason]:
    text = resources.files("app.domain.records").joinpath("reasons.toml").read_text("utf-8")
    document = cast("_Document", tomllib.loads(text))
    return MappingProxyType(
        {
            code: Reason(code, Outcome(entry["outcome"]), entry["remedy"])
            for code, entry in document["reasons"].items()
        }
    )


REASONS: Final = _read()
REJECTING: Final = frozenset(
    code for code, reason in REASONS.items() if reason.outcome is Outcome.REJECTED
)
