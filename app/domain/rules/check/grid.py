"""A compiled table as the checker sees it: rows and boxes as products of class sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from app.domain.rules.bitmasks import members, transposed
from app.domain.rules.cell_sets import Cell
from app.domain.rules.compiled import CompiledTable
from app.domain.rules.findings import Box, Side
from app.domain.rules.model import Rule, Table
from app.domain.rules.partition import Partition

Region: TypeAlias = tuple[int, ...]
"""A product of class sets: per column of a table the set of its own classes, as a bitmask."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table over those of its classes that can occur.

    ``accepted`` holds, per column and class, the rows that accept it, ``rows`` the region of each
    row, and ``live`` the classes that can occur, per column. ``alike`` has for each answer the rows
    that give it. Rows are counted as their bits in
    the compiled table, better ones first: row 0 answers wherever it matches.
    """

    compiled: CompiledTable
    path: str
    rules: tuple[Rule, ...]
    alike: Mapping[str, int]
    partitions: tuple[Partition, ...]
    accepted: tuple[tuple[int, ...], ...]
    rows: tuple[Region, ...]
    live: Region

    @property
    def table(self) -> Table:
        """The table as it was written."""
        return self.compiled.table

    @property
    def everyone(self) -> int:
        """The set of all rows."""
        return (1 << len(self.rows)) - 1

    def rule_path(self, row: int) -> str:
        """Return where a row stands in the document."""
        return f"{self.path}.rules[{self.rules[row].id}]"

    def cell(self, column: int, classes: int) -> Cell:
        """Return the values of a set of classes of one column."""
        codes = enumerate(self.compiled.columns[column])
        inside = sum(1 << code for code, own in codes if classes >> own & 1)
        return self.partitions[column].cell(inside)

    def box(self, region: Region) -> Box:
        """Return the region as a box; a column that it does not bound gets no side."""
        return tuple(
            Side(name, self.cell(at, classes), self.partitions[at].domain)
            for at, (name, classes) in enumerate(zip(self.table.inputs, region, strict=True))
            if classes != self.live[at]
        )

    def null_class(self, column: int) -> int:
        """Return the class of null as a set, if null is told apart from every value."""
        partition = self.partitions[column]
        null = partition.null_class
        own = self.compiled.columns[column]
        # Neither the input nor the table may hold null together with a value in one class.
        if null < 0 or own[null] in {own[code] for code in partition.value_classes}:
            return 0
        return 1 << own[null] & self.live[column]


def grid_of(
    compiled: CompiledTable, path: str, inputs: Sequence[Partition], live: Sequence[int]
) -> Grid:
    """Return the grid of a table; ``live`` has for each slot the classes that can occur."""
    occurring = []
    for slot, own in zip(compiled.slots, compiled.columns, strict=True):
        classes = 0
        for code in members(live[slot]):
            classes |= 1 << own[code]
        occurring.append(classes)
    rules = tuple(compiled.table.rules[at] for at in compiled.ranked)
    alike: dict[str, int] = {}
    for row, rule in enumerate(rules):
        alike[rule.then] = alike.get(rule.then, 0) | 1 << row
    count = len(rules)
    by_column = [
        [mask & classes for mask in transposed(masks, count)]
        for masks, classes in zip(compiled.masks, occurring, strict=True)
    ]
    return Grid(
        compiled=compiled,
        path=path,
        rules=rules,
        alike=alike,
        partitions=tuple(inputs[slot] for slot in compiled.slots),
        accepted=compiled.masks,
        rows=tuple(zip(*by_column, strict=True)),
        live=tuple(occurring),
    )


def meeting(left: Region, right: Region) -> Region | None:
    """Return what two regions share, None where that is nothing."""
    shared = tuple(a & b for a, b in zip(left, right, strict=True))
    return shared if all(shared) else None


def contains(outer: Region, inner: Region) -> bool:
    """Say whether a region lies within another."""
    return all(b & ~a == 0 for a, b in zip(outer, inner, strict=True))


def size_of(region: Region) -> int:
    """Return how many combinations of classes a region holds."""
    size = 1
    for classes in region:
        size *= classes.bit_count()
    return size


def bounded(region: Region, column: int, classes: int) -> Region:
    """Return the region with other classes in one column."""
    return (*region[:column], classes, *region[column + 1 :])
