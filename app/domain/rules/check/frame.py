"""Counting real customers inside the boxes of findings: one pass over a frame of their facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from app.domain.rules.cell_sets import Cell
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.findings import Box, Side
from app.domain.rules.frame import Decided, decide, result_column
from app.domain.rules.ingress.frame import class_column, fact_classes
from app.domain.rules.partition import Partition

ROWS_AT_ONCE = 32_768


def count_inside(
    compiled: CompiledRuleSet,
    facts: pl.DataFrame,
    boxes: Sequence[Box],
    tables: Sequence[str | None] = (),
) -> list[int]:
    """Return for each box how many rows of a facts frame lie inside; see `BoxCounter`."""
    return BoxCounter.of(compiled, boxes, tables).count(facts)


@dataclass(frozen=True, slots=True)
class BoxCounter:
    """Boxes of one rule set, whose rows are counted in any number of frames.

    The rule set may be unproved: where rows of a table overlap, the better one decides what later
    tables read, under ``unique`` the first. A row with an input error is in no box. Nor is a row
    that a complete table leaves without an answer in any box that bounds this answer, or something
    decided by it: there is no value to look at.

    It keeps what is asked of every row: distinct sides by name, and per box its sides and inputs.
    """

    compiled: CompiledRuleSet
    sides: Mapping[str, pl.Expr]
    boxes: Sequence[tuple[frozenset[str], frozenset[int]]]

    @classmethod
    def of(
        cls, compiled: CompiledRuleSet, boxes: Sequence[Box], tables: Sequence[str | None] = ()
    ) -> "BoxCounter":
        """Return the counter of some boxes.

        Where ``tables`` names the table of each box, a row that this table cannot be looked up
        for, since one of its inputs has no value, is in the box neither, bounded or not.

        Every side must be a union of the rule set's classes, as the checker's are; ValueError says
        which is not.
        """
        slots = {partition.name: at for at, partition in enumerate(compiled.inputs)}
        read = {table.table.id: frozenset(table.slots) for table in compiled.tables}
        names: dict[tuple[int, tuple[bool, ...]], str] = {}
        planned: list[tuple[frozenset[str], frozenset[int]]] = []
        for box, table in zip(boxes, tables or [None] * len(boxes), strict=True):
            keys = [(slots[side.input], _accepted(compiled, slots, side)) for side in box]
            wanted = {names.setdefault(key, f"side {len(names)}") for key in keys}
            inputs = {slot for slot, _ in keys} | read.get(table or "", frozenset())
            planned.append((frozenset(wanted), frozenset(inputs)))
        sides = {
            name: pl.lit(pl.Series(accepted)).gather(pl.col(class_column(slot))).alias(name)
            for (slot, accepted), name in names.items()
        }
        return cls(compiled, sides, planned)

    def count(self, facts: pl.DataFrame) -> list[int]:
        """Return for each box how many rows of a facts frame lie inside.

        Sides that boxes share are looked at once, and the memory taken does not grow with the
        frame.
        """
        counts = [0] * len(self.boxes)
        for rows in facts.iter_slices(ROWS_AT_ONCE):
            counts = [before + more for before, more in zip(counts, self._count(rows), strict=True)]
        return counts

    def _count(self, facts: pl.DataFrame) -> list[int]:
        classes, errors = fact_classes(self.compiled, facts)
        if errors is not None:
            classes = classes.filter(errors.is_null())
        decided = decide(self.compiled, classes, self.compiled.tables)
        undecided = _undecided(self.compiled, decided)
        looked_at = decided.numbers.with_columns(*self.sides.values(), *undecided.values())
        every = looked_at.height
        conditions = [
            [
                *(pl.col(side) for side in sorted(sides)),
                *(~pl.col(_undecided_column(slot)) for slot in sorted(inputs & set(undecided))),
            ]
            for sides, inputs in self.boxes
        ]
        counted = looked_at.select(
            (pl.all_horizontal(met).sum() if met else pl.lit(every)).alias(str(at))
            for at, met in enumerate(conditions)
        )
        return [int(total) for total in counted.row(0)] if conditions else []


def _undecided(compiled: CompiledRuleSet, decided: Decided) -> dict[int, pl.Series]:
    """Say of each answer that is read later in which rows there is none; most are always there."""
    found: dict[int, pl.Series] = {}
    for table, results in zip(compiled.tables, decided.results, strict=True):
        if table.slot < 0:
            continue
        reasons = [found[slot] for slot in table.slots if slot in found]
        if table.table.complete:
            nothing = pl.Series([result.answer is None for result in results])
            reasons.append(nothing.gather(decided.numbers[result_column(table)]))
        if any(reason.any() for reason in reasons):
            name = _undecided_column(table.slot)
            found[table.slot] = pl.select(pl.any_horizontal(reasons)).to_series().alias(name)
    return found


def _undecided_column(slot: int) -> str:
    return f"undecided {slot}"


def _accepted(compiled: CompiledRuleSet, slots: Mapping[str, int], side: Side) -> tuple[bool, ...]:
    """Return which classes of its input a side holds."""
    partition = compiled.inputs[slots[side.input]]
    found: dict[int, set[bool]] = {}
    for code, is_inside in _atoms(partition, side.cell):
        found.setdefault(code, set()).add(is_inside)
    if any(len(both) > 1 for both in found.values()):
        raise _cut(partition)
    return tuple(found[code] == {True} for code in range(partition.size))


def _atoms(partition: Partition, cell: Cell) -> list[tuple[int, bool]]:
    """Return the class of each atom and whether the cell holds it."""
    atoms: list[tuple[int, bool]] = []
    if partition.domain.is_ordered:
        atoms += [
            (code, _holds(partition, cell, low, high)) for low, high, code in partition.spans()
        ]
    words = partition.word_classes
    atoms += [(code, (word in cell.words) != cell.others) for word, code in words.items()]
    if partition.other_class >= 0:
        if not words.keys() >= set(cell.words):
            raise _cut(partition)
        atoms.append((partition.other_class, cell.others))
    if partition.null_class >= 0:
        atoms.append((partition.null_class, cell.has_null))
    return atoms


def _holds(partition: Partition, cell: Cell, low: int, high: int) -> bool:
    touching = [(first, last) for first, last in cell.spans if low <= last and first <= high]
    if any(first > low or last < high for first, last in touching):
        raise _cut(partition)
    return bool(touching)


def _cut(partition: Partition) -> ValueError:
    return ValueError(f"a side of {partition.name} cuts through a class")
