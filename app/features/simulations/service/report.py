"""What a simulation found, as it is stored: counts of customers and sums of premiums.

Everything is exact here; `disclosure` says what of it a role is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from pydantic import TypeAdapter

from app.domain.privacy.classes import SensitivityClass
from app.features.rule_sets.service import WordedFinding

UNKNOWN: Final = "unknown"
"""Stands for an attribute that is not recorded, and for an outcome that no row gave."""

View: TypeAlias = Literal["evaluated", "serving"]
Direction: TypeAlias = Literal["up", "down", "same"]
Attribute: TypeAlias = Literal["age", "gender", "region", "channel"]


@dataclass(frozen=True, slots=True)
class Move:
    """Customers of one tier before and one after; `premium` is yearly, in minor units."""

    before: str
    after: str
    customers: int
    premium: int


@dataclass(frozen=True, slots=True)
class Moves:
    """By the rules alone, and as a run would let tiers serve; moves of nobody are left out."""

    evaluated: tuple[Move, ...]
    serving: tuple[Move, ...]

    def of(self, view: View) -> tuple[Move, ...]:
        """The moves of one view."""
        return self.evaluated if view == "evaluated" else self.serving


@dataclass(frozen=True, slots=True)
class Part:
    """The moves of a product line, a segment, or under an objective."""

    name: str
    moves: Moves


@dataclass(frozen=True, slots=True)
class Shift:
    """Customers with one answer of a table, before and after."""

    outcome: str
    value: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class InputErrors:
    """Customers whose facts cannot be judged, by what is wrong, under baseline and candidate."""

    error: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Fairness:
    """How the customers of one group move by the rules alone."""

    attribute: Attribute
    group: str
    up: int
    down: int
    same: int


@dataclass(frozen=True, slots=True)
class SlaLoad:
    """A promise to a tier, whose customers it holds for; None where nothing recurs."""

    tier: str
    service_type: str
    contacts_per_month: int | None


@dataclass(frozen=True, slots=True)
class BenefitLoad:
    """A benefit of a tier; `uses_per_year` of each customer, None for as needed."""

    tier: str
    code: str
    uses_per_year: int | None


@dataclass(frozen=True, slots=True)
class Loads:
    """What the tiers that serve are promised and granted, as in force on the day."""

    sla_policy_version: int | None
    sla: tuple[SlaLoad, ...]
    benefits: tuple[BenefitLoad, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """What the check finds of the candidate, and how many customers its box holds."""

    finding: WordedFinding
    customers: int


@dataclass(frozen=True, slots=True)
class Effects:
    """Customers whom the candidate decides for, and whom of them findings of its check are about.

    `unlisted` findings, no more severe than those that are listed, are not even counted. `classes`
    are the sensitivity classes of the facts that the candidate reads.
    """

    customers: int
    listed: tuple[Effect, ...]
    unlisted: int
    classes: tuple[SensitivityClass, ...]

    def by_effect(self, unit: int = 1) -> list[Effect]:
        """The worst first, and of equal ones those that affect most full units of customers.

        Who is told no more than full units learns no more by the order.
        """
        return sorted(
            self.listed, key=lambda one: (one.finding.severity.rank, -(one.customers // unit))
        )


@dataclass(frozen=True, slots=True)
class Report:
    """What a simulation found.

    Args:
        customers: of the book.
        undecided: for whom decides the same rule set before and after.
        refused: evaluated for a later day already; they are in no count below.
        unjudged: whose facts one of the rule sets cannot judge; likewise.
        movers: whose tier differs, in one view or both.
        moves: of everybody who could be compared.
        lines: by the line whose rule set decides after.
        segments: by the segment before.
        objectives: likewise, with the candidate weighed by another profile.
        shifts: answers of all tables.
        input_errors: why `unjudged` could not be judged.
        fairness: by what customers are, beside what they do.
        loads: see `Loads`.
        effects: see `Effects`; whoever cannot be compared counts there, too.
    """

    customers: int
    undecided: int
    refused: int
    unjudged: int
    movers: int
    moves: Moves
    lines: tuple[Part, ...]
    segments: tuple[Part, ...]
    objectives: tuple[Part, ...]
    shifts: tuple[Shift, ...]
    input_errors: tuple[InputErrors, ...]
    fairness: tuple[Fairness, ...]
    loads: Loads
    effects: Effects


_REPORT: Final = TypeAdapter(Report)


def written_report(report: Report) -> dict[str, Any]:
    """The report as its row keeps it."""
    written: dict[str, Any] = _REPORT.dump_python(report, mode="json")
    return written


def read_report(written: object) -> Report:
    """The report of a row."""
    return _REPORT.validate_python(written)


def tiers_of(moves: Moves, view: View) -> tuple[dict[str, int], dict[str, int]]:
    """Customers by tier before, and after."""
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    for move in moves.of(view):
        before[move.before] = before.get(move.before, 0) + move.customers
        after[move.after] = after.get(move.after, 0) + move.customers
    return before, after
