"""Explaining one customer: what every table saw, which row answered, and which one nearly did."""

from app.domain.rules.trace.model import (
    FailingCell,
    Seen,
    Trace,
    TracedCharacteristic,
    TracedDimension,
    TracedRow,
    TracedTable,
)
from app.domain.rules.trace.walk import trace

__all__ = [
    "FailingCell",
    "Seen",
    "Trace",
    "TracedCharacteristic",
    "TracedDimension",
    "TracedRow",
    "TracedTable",
    "trace",
]
