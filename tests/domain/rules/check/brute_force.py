"""What is true of a table, found by looking at every combination of every value.

It shares with the checker the documents alone: reachable scores come from every combination of
facts in fractions, reachable answers from every case of the earlier table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TypeAlias

from app.domain.rules.cell_sets import Cell
from app.domain.rules.domains import Domain
from app.domain.rules.model import HitPolicy, RuleSetDocument, Table
from tests.domain.rules.check.drawing import WORDS

Value: TypeAlias = int | str | None
Point: TypeAlias = tuple[int, ...]
"""For each column the rows that accept its value, as a bitmask: values alike are one."""


@dataclass(frozen=True)
class Truth:
    """A table with all values its columns can have, grouped by the rows that accept them."""

    table: Table
    values: tuple[dict[int, list[Value]], ...]
    rows: dict[Point, int]

    def answering(self, matching: int) -> int | None:
        """The row that answers where these rows match."""
        rules = self.table.rules
        found = [at for at in range(len(rules)) if matching >> at & 1]
        if self.table.hit_policy is HitPolicy.PRIORITY:
            order = self.table.output.values
            found.sort(key=lambda at: order.index(rules[at].then))
        return found[0] if found else None

    def gaps(self) -> set[Point]:
        """The points that no row matches."""
        return {point for point, rows in self.rows.items() if not rows}

    def overlaps(self) -> set[tuple[str, str]]:
        """Every pair of rows that match together somewhere."""
        ids = [rule.id for rule in self.table.rules]
        return {
            (ids[a], ids[b])
            for a in range(len(ids))
            for b in range(a + 1, len(ids))
            if any(rows >> a & 1 and rows >> b & 1 for rows in self.rows.values())
        }

    def answered(self) -> set[str | None]:
        """The answers that somebody gets."""
        rules = self.table.rules
        if self.table.hit_policy is HitPolicy.COLLECT:
            return {
                rule.then
                for at, rule in enumerate(rules)
                if any(rows >> at & 1 for rows in self.rows.values())
            }
        best = {self.answering(rows) for rows in self.rows.values()}
        return {None if at is None else rules[at].then for at in best}

    def dead(self) -> set[str]:
        """The rows that never answer, or under ``any`` are not needed."""
        rules = self.table.rules
        if self.table.hit_policy in (HitPolicy.FIRST, HitPolicy.PRIORITY):
            alive = {self.answering(rows) for rows in self.rows.values()}
            return {rule.id for at, rule in enumerate(rules) if at not in alive}
        dead: set[str] = set()
        for at in reversed(range(len(rules))):
            mine = [rows for rows in self.rows.values() if rows >> at & 1]
            others = [
                b for b, rule in enumerate(rules)
                if b != at and rule.then == rules[at].then and rule.id not in dead
            ]  # fmt: skip
            needed = self.table.hit_policy is not HitPolicy.ANY or not all(
                any(rows >> b & 1 for b in others) for rows in mine
            )
            if not mine or not needed:
                dead.add(rules[at].id)
        return dead


def holds(cell: Cell, value: Value) -> bool:
    """Whether a cell accepts a value."""
    if value is None:
        return cell.has_null
    if isinstance(value, int):
        return any(low <= value <= high for low, high in cell.spans)
    return (value in cell.words) != cell.others


def truths(document: RuleSetDocument) -> Iterator[Truth]:
    """The truth about each table in turn."""
    reach: dict[str, list[Value]] = dict(_scores(document))
    for table in document.tables:
        truth = _truth(table, reach)
        if table.hit_policy is not HitPolicy.COLLECT:
            answers = truth.answered()
            reach[table.output.name] = [
                answer for answer in answers if answer is not None or not table.complete
            ]
        yield truth


def _truth(table: Table, reach: dict[str, list[Value]]) -> Truth:
    columns: list[dict[int, list[Value]]] = []
    for name in table.inputs:
        alike: dict[int, list[Value]] = {}
        for value in reach.get(name) or every_value(table.domains[name]):
            accepting = sum(
                1 << at
                for at, rule in enumerate(table.rules)
                if name not in rule.when or holds(rule.when[name], value)
            )
            alike.setdefault(accepting, []).append(value)
        columns.append(alike)
    rows: dict[Point, int] = {}
    for point in product(*columns):
        matching = -1
        for accepting in point:
            matching &= accepting
        rows[point] = matching
    return Truth(table, tuple(columns), rows)


def every_value(domain: Domain) -> list[Value]:
    """Every value of a small domain; of open text the words in use and one that is not."""
    values: list[Value] = [None] if domain.nullable else []
    if domain.is_ordered:
        return [*range(domain.low, domain.high + 1), *values]
    return [*(domain.words or (*WORDS, "something else")), *values]


def _scores(document: RuleSetDocument) -> Iterator[tuple[str, list[Value]]]:
    """The values of the score and of each dimension that some facts reach."""
    items = document.characteristics
    names = list(dict.fromkeys(item.input for item in items))
    kinds = []
    for name in names:
        readers = [item for item in items if item.input == name]
        kinds.append(
            {
                tuple(
                    next(bin_.points for bin_ in item.bins if holds(bin_.when, value))
                    for item in readers
                )
                for value in every_value(document.domains[name])
            }
        )
    raw = [_sums(document, names, points) for points in product(*kinds)]
    bounds = {
        name: (min(sums[name] for sums in raw), max(sums[name] for sums in raw))
        for name in document.dimensions
    }
    reached: dict[str, set[Value]] = {}
    for sums in raw:
        total = Fraction(0)
        for name, (low, high) in bounds.items():
            share = Fraction(1000 * (sums[name] - low), high - low) if high > low else Fraction(0)
            scaled = int(share + Fraction(1, 2))
            total += Fraction(document.weights[name] * scaled, 1000)
            reached.setdefault(f"dimension.{name}", set()).add(scaled)
        reached.setdefault("score", set()).add(int(total + Fraction(1, 2)))
    yield from ((name, list(values)) for name, values in reached.items())


def _sums(
    document: RuleSetDocument, names: list[str], points: tuple[tuple[int, ...], ...]
) -> dict[str, int]:
    sums = dict.fromkeys(document.dimensions, 0)
    for name, given in zip(names, points, strict=True):
        readers = [item for item in document.characteristics if item.input == name]
        for item, number in zip(readers, given, strict=True):
            sums[item.dimension] += number
    return sums
