"""What a run found, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

NO_TIER = "none"
"""Stands for the tier before the first evaluation."""


@dataclass(slots=True)
class Tally:
    """Counts of one part of the book, or of all of it.

    `moves` counts customers by the tier held by evaluation before and after, whatever overrides let
    serve; `refused` were already evaluated for a later day, `input_errors` by what is wrong,
    `overtaken` were evaluated otherwise, or overridden, while the run was under way. None of those
    three were given anything.
    """

    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    segments: Counter[str] = field(default_factory=Counter)
    life_cycle_stages: Counter[str] = field(default_factory=Counter)
    risk_grades: Counter[str] = field(default_factory=Counter)
    input_errors: Counter[str] = field(default_factory=Counter)
    customers: int = 0
    refused: int = 0
    changed: int = 0
    overtaken: int = 0

    def add(self, other: Tally) -> None:
        """Count another part in."""
        self.moves += other.moves
        self.segments += other.segments
        self.life_cycle_stages += other.life_cycle_stages
        self.risk_grades += other.risk_grades
        self.input_errors += other.input_errors
        self.customers += other.customers
        self.refused += other.refused
        self.changed += other.changed
        self.overtaken += other.overtaken

    @property
    def tiers(self) -> Counter[str]:
        """Customers by tier after the run."""
        tiers: Counter[str] = Counter()
        for (_, after), number in self.moves.items():
            tiers[after] += number
        return tiers

    def as_json(self) -> dict[str, object]:
        """The counts as the run's row keeps them."""
        return {
            "moves": {f"{old}>{new}": count for (old, new), count in sorted(self.moves.items())},
            "tiers": dict(sorted(self.tiers.items())),
            "segments": dict(sorted(self.segments.items())),
            "life_cycle_stages": dict(sorted(self.life_cycle_stages.items())),
            "risk_grades": dict(sorted(self.risk_grades.items())),
            "input_errors": dict(sorted(self.input_errors.items())),
            "refused": self.refused,
            "overtaken": self.overtaken,
        }


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A completed run.

    `tally.changed` is how many customers were written, or without `applied` would be.
    """

    run_id: UUID
    as_of: date
    applied: bool
    tally: Tally


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come; `total` is 0 while the book is being read."""

    done: int
    total: int
    changed: int
