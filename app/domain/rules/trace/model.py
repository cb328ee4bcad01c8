"""What a trace tells: an evaluation, and at every step what it was made of."""

from dataclasses import dataclass

from app.domain.facts.model import FactValue
from app.domain.rules.cell_sets import Cell
from app.domain.rules.cells import print_cell
from app.domain.rules.domains import Domain, decimal_text
from app.domain.rules.evaluation import Answer, Evaluation
from app.domain.rules.model import Bin, Characteristic, ReasonText, Rule, Table
from app.domain.rules.values import value_text


@dataclass(frozen=True, slots=True)
class Seen:
    """One input, and the value that was seen at it: of a fact, a score or an earlier answer."""

    input: str
    value: FactValue
    domain: Domain

    @property
    def text(self) -> str:
        """The value as people write it; `null` where there is none."""
        return value_text(self.domain, self.value)


@dataclass(frozen=True, slots=True)
class FailingCell:
    """One condition of a row that the value seen does not meet.

    ``nearest`` is the closest value that would meet it, and ``distance`` how far away that is, in
    units of the input's last decimal digit or in days. Both are None where the input has no
    order, where no value was seen, and where the cell takes nothing but null.
    """

    seen: Seen
    cell: Cell
    nearest: FactValue = None
    distance: int | None = None

    @property
    def condition(self) -> str:
        """The cell as documents write it."""
        return print_cell(self.cell, self.seen.domain)

    @property
    def nearest_text(self) -> str | None:
        """The closest value that would do, as people write it."""
        return None if self.nearest is None else value_text(self.seen.domain, self.nearest)

    @property
    def distance_text(self) -> str | None:
        """How far away that is: a number of the input's own unit, or of days."""
        return (
            None if self.distance is None else decimal_text(self.distance, self.seen.domain.scale)
        )


@dataclass(frozen=True, slots=True)
class TracedRow:
    """One row of a table, and its cells that fail; none do where it matches."""

    rule: Rule
    table: Table
    failing: tuple[FailingCell, ...] = ()

    @property
    def conditions(self) -> dict[str, str]:
        """What the row asks for, by input, as documents write it."""
        return {
            name: print_cell(cell, self.table.domains[name])
            for name, cell in self.rule.when.items()
        }


@dataclass(frozen=True, slots=True)
class TracedTable:
    """How one table came to its answer.

    ``fired`` gave the answer: one row, under collect all that match, none where nothing does.
    ``passed_over`` match too, and a better one was preferred. ``nearest`` does not match and has
    the fewest failing cells; among equals the one with the better answer, then the one declared
    first. It is None where every row matches.
    """

    table: Table
    answer: Answer
    inputs: tuple[Seen, ...]
    fired: tuple[TracedRow, ...]
    passed_over: tuple[TracedRow, ...]
    nearest: TracedRow | None

    @property
    def is_unmatched(self) -> bool:
        """Whether no row matches at all."""
        return not self.fired


@dataclass(frozen=True, slots=True)
class TracedCharacteristic:
    """The points of one characteristic: the bin that took the value, and the best one's points.

    ``rank`` is ``floor(10^6 * weight * lost / (high - low))`` of its dimension; what has rank 0 is
    no reason.
    """

    characteristic: Characteristic
    seen: Seen
    bin: Bin
    best: int
    weight: int
    rank: int

    @property
    def condition(self) -> str:
        """The bin's cell as documents write it."""
        return print_cell(self.bin.when, self.seen.domain)

    @property
    def lost(self) -> int:
        """The points that the best bin gives beyond this one."""
        return self.best - self.bin.points

    @property
    def reason(self) -> ReasonText:
        """The reason that stands for lost points here: the bin's own, else the characteristic's."""
        return self.bin.reason or self.characteristic.reason


@dataclass(frozen=True, slots=True)
class TracedDimension:
    """One dimension: its raw sum of points, what that can reach, and the score from 0 to 1000."""

    name: str
    weight: int
    raw: int
    low: int
    high: int
    score: int

    @property
    def weighted(self) -> int:
        """What it adds to the score, in thousandths of a point."""
        return self.weight * self.score


@dataclass(frozen=True, slots=True)
class Trace:
    """An evaluation step by step, in the order of the document.

    The score is ``floor((weighted + 500) / 1000)``.
    """

    evaluation: Evaluation
    characteristics: tuple[TracedCharacteristic, ...]
    dimensions: tuple[TracedDimension, ...]
    tables: tuple[TracedTable, ...]

    @property
    def weighted(self) -> int:
        """The sum over the dimensions of weight and score, in thousandths of a point."""
        return sum(dimension.weighted for dimension in self.dimensions)
