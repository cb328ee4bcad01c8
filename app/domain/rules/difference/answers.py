"""Where the answers of tables differ, whichever rows they come from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from app.domain.rules.bitmasks import members, transposed
from app.domain.rules.domains import Domain
from app.domain.rules.evaluation import Answer
from app.domain.rules.findings import Box, Side
from app.domain.rules.model import HitPolicy, RuleSetDocument, Table
from app.domain.rules.partition import Partition, build_partition

STEPS = 20_000
MAX_BOXES = 100

Pair: TypeAlias = tuple[Answer, Answer]
Regions: TypeAlias = tuple[tuple[Pair, tuple[int, ...]], ...]
"""The two answers, and per column the set of classes they are for, as a bitmask."""


@dataclass(frozen=True, slots=True)
class AnswerShift:
    """What a table answers before and after for all that is inside a box."""

    table: str
    box: Box
    before: Answer
    after: Answer


@dataclass(frozen=True, slots=True)
class AnswerShifts:
    """All of them, and the tables that would take too long or differ in too many places."""

    items: tuple[AnswerShift, ...]
    uncompared: tuple[str, ...]


class _TooManyError(Exception):
    """A comparison takes too many steps, or tells too much."""


def answer_shifts(old: RuleSetDocument, new: RuleSetDocument, steps: int = STEPS) -> AnswerShifts:
    """Return where the tables on both sides answer otherwise, as boxes that share nothing.

    Together the boxes of a table are exactly what it answers otherwise. Scores and earlier outputs
    count as independent of each other and of the facts. What is read on both sides with other
    values, as an earlier output may be, is not compared.
    """
    before = {table.id: table for table in old.tables}
    items: list[AnswerShift] = []
    uncompared: list[str] = []
    for table in new.tables:
        if table.id not in before or table == before[table.id]:
            continue
        try:
            items += _shifts(before[table.id], table, steps)
        except _TooManyError:
            uncompared.append(table.id)
    return AnswerShifts(tuple(items), tuple(uncompared))


def _shifts(old: Table, new: Table, steps: int) -> list[AnswerShift]:
    columns = [_column(name, old, new) for name in dict.fromkeys((*new.inputs, *old.inputs))]
    search = _Search(old, new, columns, steps)
    everyone = [(1 << len(table.rules)) - 1 for table in (old, new)]
    return [
        AnswerShift(new.id, _box(columns, region), *pair)
        for pair, region in search.below(0, everyone[0], everyone[1])
    ]


@dataclass(frozen=True, slots=True)
class _Column:
    """One input cut by the cells of both tables; per class the rows of each that accept it."""

    partition: Partition
    accepted: tuple[tuple[int, int], ...]

    @property
    def everything(self) -> int:
        """The set of all classes."""
        return (1 << self.partition.size) - 1


def _column(name: str, old: Table, new: Table) -> _Column:
    domain = _domain(name, old, new)
    tables = old, new
    cells = [rule.when[name] for table in tables for rule in table.rules if name in rule.when]
    partition, masks = build_partition(name, domain, cells)
    left = iter(masks)
    everything = (1 << partition.size) - 1
    rows = [
        transposed(
            [next(left) if name in rule.when else everything for rule in table.rules],
            partition.size,
        )
        for table in tables
    ]
    return _Column(partition, tuple(zip(*rows, strict=True)))


def _domain(name: str, old: Table, new: Table) -> Domain:
    domains = {table.domains[name] for table in (old, new) if name in table.domains}
    if len(domains) > 1:
        raise _TooManyError
    return domains.pop()


def _box(columns: Sequence[_Column], region: Sequence[int]) -> Box:
    return tuple(
        Side(
            column.partition.name,
            column.partition.cell(classes),
            column.partition.domain,
        )
        for column, classes in zip(columns, region, strict=True)
        if classes != column.everything
    )


@dataclass(slots=True)
class _Search:
    """Follows the rows of both tables that still match, column by column."""

    old: Table
    new: Table
    columns: Sequence[_Column]
    steps: int
    known: dict[tuple[int, int, int], Regions] = field(default_factory=dict)

    def below(self, depth: int, old: int, new: int) -> Regions:
        """Return where, in the columns from a depth on, rows of two sets answer otherwise."""
        key = depth, old, new
        if key in self.known:
            return self.known[key]
        if self.steps == 0:
            raise _TooManyError
        self.steps -= 1
        found = self._compared(old, new) if depth == len(self.columns) else self._split(key)
        if len(found) > MAX_BOXES:
            raise _TooManyError
        self.known[key] = found
        return found

    def _split(self, key: tuple[int, int, int]) -> Regions:
        depth, old, new = key
        # Classes below which all is alike are one side of a box.
        alike: dict[Regions, int] = {}
        for code, (old_rows, new_rows) in enumerate(self.columns[depth].accepted):
            rest = self.below(depth + 1, old & old_rows, new & new_rows)
            alike[rest] = alike.get(rest, 0) | 1 << code
        return tuple(
            (pair, (classes, *sides)) for rest, classes in alike.items() for pair, sides in rest
        )

    def _compared(self, old: int, new: int) -> Regions:
        before, after = _answer(self.old, old), _answer(self.new, new)
        is_same = before == after
        if isinstance(before, tuple) and isinstance(after, tuple):
            is_same = set(before) == set(after)
        return () if is_same else (((before, after), ()),)


def _answer(table: Table, matching: int) -> Answer:
    """Return the answer of a table by the set of its rows that match."""
    given = {table.rules[row].then for row in members(matching)}
    ranked = tuple(value for value in table.output.values if value in given)
    if table.hit_policy is HitPolicy.COLLECT:
        return ranked
    if not matching:
        return None
    if table.hit_policy is HitPolicy.PRIORITY:
        return ranked[0]
    return table.rules[next(members(matching))].then
