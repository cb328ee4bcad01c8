"""What an evaluation answers, and how it refuses facts it cannot judge."""

from dataclasses import dataclass
from typing import TypeAlias

from app.domain.errors import Invalid

Answer: TypeAlias = str | tuple[str, ...] | None
"""A table's answer: None where no row matched, a tuple under the collect policy."""

NULL_PROBLEM = "is null, which it can never be"
TYPE_PROBLEM = "is not of its type"
RANGE_PROBLEM = "is outside its range"


class InputError(Invalid):
    """A fact that the rule set cannot judge; the message never tells the value."""

    def __init__(self, fact: str, problem: str) -> None:
        self.fact = fact
        self.problem = problem
        super().__init__("input-error", f"{fact} {problem}")


@dataclass(frozen=True, slots=True)
class Reason:
    """Points lost at one characteristic.

    ``rank`` is ``floor(10^6 * weight * lost / (high - low))`` of its dimension.
    """

    code: str
    characteristic: str
    points: int
    lost: int
    rank: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores, outcomes by output name, the rows that gave them by table id, and reasons.

    ``fired`` names the one row that gave the answer, under collect every matching row.
    """

    dimensions: dict[str, int]
    score: int
    outcomes: dict[str, Answer]
    fired: dict[str, tuple[str, ...]]
    reasons: tuple[Reason, ...]
