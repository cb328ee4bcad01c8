"""What can occur in each column: reachable scores, and answers that some input really yields.

Columns count as independent of each other: exact over the product of what each can hold.
"""

from dataclasses import dataclass, field

from app.domain.rules.bitmasks import members
from app.domain.rules.check.cover import Budget, Cover, InconclusiveError
from app.domain.rules.check.grid import Grid, grid_of
from app.domain.rules.check.overlaps import meets
from app.domain.rules.check.scores import Reached, reached_scores
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.limits import Limits
from app.domain.rules.partition import Partition


@dataclass(slots=True)
class Examined:
    """One table over what can occur; ``met`` has for each row the other rows that it meets."""

    at: int
    grid: Grid
    met: tuple[int, ...]
    cover: Cover
    _dead: dict[int, bool] = field(default_factory=dict)

    def never_answers(self, row: int) -> bool:
        """Say whether better rows take all that a row matches, or nothing can match it.

        Raises InconclusiveError.
        """
        if row not in self._dead:
            better = self.met[row] & ((1 << row) - 1)
            self._dead[row] = self.cover.covers(self.grid.rows[row], better)
        return self._dead[row]

    def gives(self, answer: str) -> bool:
        """Say whether some case gets this answer; raises InconclusiveError."""
        rows = members(self.grid.alike.get(answer, 0))
        if self.grid.compiled.is_collect:
            return any(all(self.grid.rows[row]) for row in rows)
        return any(not self.never_answers(row) for row in rows)

    def has_gap(self) -> bool:
        """Say whether some case has no row; raises InconclusiveError."""
        return not self.cover.covers(self.grid.live, self.grid.everyone)


@dataclass(frozen=True, slots=True)
class Examination:
    """A rule set over what can occur: per slot the classes of its input that can."""

    compiled: CompiledRuleSet
    scores: Reached
    live: tuple[int, ...]
    tables: tuple[Examined, ...]


def examine(compiled: CompiledRuleSet, limits: Limits) -> Examination:
    """Find out what can occur, table by table; each table has all the steps of the limits."""
    scores = reached_scores(compiled)
    live = [(1 << partition.size) - 1 for partition in compiled.inputs]
    for item, values in zip(compiled.dimensions, scores.dimensions, strict=True):
        if item.slot >= 0:
            live[item.slot] = _classes_of(compiled.inputs[item.slot], values)
    if compiled.score_slot >= 0:
        live[compiled.score_slot] = _classes_of(compiled.inputs[compiled.score_slot], scores.score)
    tables = []
    for at, table in enumerate(compiled.tables):
        grid = grid_of(table, f"tables[{at}]", compiled.inputs, live)
        met = meets(grid)
        cover = Cover(grid, Budget(limits.proof_steps), disjoint=not any(met))
        tables.append(Examined(at, grid, met, cover))
        if table.slot >= 0:
            live[table.slot] = _answer_classes(tables[-1], compiled.inputs[table.slot])
    return Examination(compiled, scores, tuple(live), tuple(tables))


def _classes_of(partition: Partition, values: int) -> int:
    """Return the classes that hold some of the values, a set of 0 to 1000."""
    classes = 0
    for low, high, code in partition.spans():
        if values >> low & ((1 << (high - low + 1)) - 1):
            classes |= 1 << code
    return classes


def _answer_classes(examined: Examined, partition: Partition) -> int:
    """Return the classes of the answers that a table gives; all of them if that stays open."""
    classes = 0
    try:
        for answer, code in partition.word_classes.items():
            classes |= examined.gives(answer) << code
        if partition.null_class >= 0:
            classes |= examined.has_gap() << partition.null_class
    except InconclusiveError:
        return (1 << partition.size) - 1
    return classes
