"""What rows leave uncovered of a region, exactly, as a decision diagram over class sets.

A region is split until some row takes all of a part or no row takes any of it. What a row takes of
one column without asking for anything else is covered and put aside first. Then a split cuts one
column in two where few rows lie on both sides, or, where no cut parts the rows, takes all groups
of classes that the rows still tell apart. The same rows over the same classes are worked out once,
and equal parts of the diagram are one, so that boxes next to each other come out merged.

Where one open box will do, or the proof that there is none, only the groups that are hardest to
cover are followed: a group that all rows accept which accept another one is open only if that one
is, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from app.domain.rules.bitmasks import members
from app.domain.rules.check.grid import Grid, Region, bounded, size_of

COVERED = 0
OPEN = 1
MAX_SHARE = 0.98
"""The share of the rows that a cut in two may leave on one side; any cut that spares some pays."""
MAX_COMPARED = 32
"""Up to how many groups of a column are compared with each other; that takes their square."""

Group: TypeAlias = tuple[int, int]
"""Classes of one column that the rows do not tell apart, and the rows that accept them."""

Columns: TypeAlias = Sequence[Sequence[Group]]
"""The groups of each column, those of a part of a column, or of each part of one column."""

Parts: TypeAlias = tuple[tuple[int, int], ...]
"""Sets of classes of one column, each with the node of the diagram that goes on from there."""


class InconclusiveError(Exception):
    """The proof needs more steps than it was given."""


@dataclass(slots=True)
class Budget:
    """How many steps are left; a step looks at one group of classes of one column."""

    steps: int

    def spend(self, steps: int) -> None:
        """Take steps; raises InconclusiveError where too few are left."""
        self.steps -= steps
        if self.steps < 0:
            raise InconclusiveError


@dataclass(slots=True)
class Cover:
    """The diagrams of one table.

    ``disjoint`` says that no two rows meet; then a region is covered if its rows fill it. Every
    method that searches raises InconclusiveError when the budget is spent.
    """

    grid: Grid
    budget: Budget
    disjoint: bool = False
    nodes: list[tuple[int, Parts]] = field(default_factory=lambda: [(-1, ()), (-1, ())])
    _known: dict[tuple[int, Parts], int] = field(default_factory=dict)
    _solved: dict[tuple[int, ...], int] = field(default_factory=dict)

    def uncovered(self, region: Region, rows: int) -> int:
        """Return the diagram of what these rows leave uncovered of a region."""
        return self._below(self._groups(region, rows), region, rows, first=False)

    def covers(self, region: Region, rows: int) -> bool:
        """Say whether these rows cover all of a region together."""
        return self.open_box(region, rows) is None

    def open_box(self, region: Region, rows: int) -> Region | None:
        """Return one box of the region that none of these rows matches, if there is one."""
        if not all(region):
            return None
        node = self._below(self._groups(region, rows), region, rows, first=True)
        return next(self.boxes(node, region), None)

    def boxes(self, node: int, region: Region) -> Iterator[Region]:
        """Yield the disjoint boxes of a diagram over a region."""
        if node == OPEN:
            yield region
        elif node != COVERED:
            column, parts = self.nodes[node]
            for classes, child in parts:
                yield from self.boxes(child, bounded(region, column, classes))

    def count(self, node: int) -> int:
        """Return how many boxes a diagram has, without writing them out."""
        counts = {COVERED: 0, OPEN: 1}

        def counted(at: int) -> int:
            if at not in counts:
                counts[at] = sum(counted(child) for _, child in self.nodes[at][1])
            return counts[at]

        return counted(node)

    def _groups(self, region: Region, rows: int) -> Columns:
        return [
            _grouped([(1 << code, accepted[code]) for code in members(classes)], rows)
            for classes, accepted in zip(region, self.grid.accepted, strict=True)
        ]

    def _below(self, columns: Columns, region: Region, rows: int, *, first: bool) -> int:
        """Return the node for a region and its groups; with ``first`` one open box will do."""
        columns, rows, taking = _met(columns, rows)
        if rows == 0:
            return OPEN
        if taking:
            return COVERED
        if not first or self.disjoint:
            return self._split(columns, region, rows, first=first)
        hardest = [_hardest(groups) for groups in columns]
        self.budget.spend(sum(map(len, columns)) - sum(map(len, hardest)))
        # Who takes all of these takes what was left out, too: there was nobody.
        columns, rows, _ = _met(hardest, rows)
        inner = tuple(sum(classes for classes, _ in groups) for groups in columns)
        node = self._split(columns, inner, rows, first=True) if rows else OPEN
        return self._within(region, inner, node)

    def _within(self, region: Region, inner: Region, node: int) -> int:
        """Return the node for a region that is open if an inner one is, and then in there."""
        for column, (everything, classes) in enumerate(zip(region, inner, strict=True)):
            if node != COVERED:
                node = self._node(column, {node: classes}, everything)
        return node

    def _split(self, columns: Columns, region: Region, rows: int, *, first: bool) -> int:
        """Return the node for a region of which some rows take a part and none takes all."""
        # Columns that the rows do not divide are of no account, whatever classes are left there.
        divided = zip(region, columns, strict=True)
        key = (rows, *(classes if len(groups) > 1 else 0 for classes, groups in divided))
        if key in self._solved and (not first or self._solved[key] == COVERED):
            return self._solved[key]
        self.budget.spend(sum(map(len, columns)))
        if self.disjoint and self._filled(region, rows):
            node = COVERED
        else:
            column, pieces = _slab(columns, rows) or _best_cut(columns, rows)
            found = self._pieces((columns, region, rows), column, pieces, first=first)
            node = self._node(column, found, region[column])
        if node == COVERED or not first:
            self._solved[key] = node
        return node

    def _filled(self, region: Region, rows: int) -> bool:
        """Say whether rows that never meet fill a region."""
        self.budget.spend(rows.bit_count())
        filled = 0
        for row in members(rows):
            own = self.grid.rows[row]
            filled += size_of(tuple(a & b for a, b in zip(region, own, strict=True)))
        return filled == size_of(region)

    def _pieces(
        self,
        whole: tuple[Columns, Region, int],
        column: int,
        pieces: Columns,
        *,
        first: bool,
    ) -> dict[int, int]:
        """Return the nodes of the pieces of one column that are not covered, with their classes."""
        columns, region, rows = whole
        found: dict[int, int] = {}
        for piece in filter(None, pieces):
            classes = sum(own for own, _ in piece)
            inner = (*columns[:column], piece, *columns[column + 1 :])
            child = self._below(inner, bounded(region, column, classes), rows, first=first)
            if child != COVERED:
                found[child] = found.get(child, 0) | classes
                if first:
                    break
        return found

    def _node(self, column: int, found: Mapping[int, int], everything: int) -> int:
        """Return the node of a split, the same one for the same parts."""
        if not found:
            return COVERED
        parts = tuple((classes, child) for child, classes in sorted(found.items()))
        if parts[0][0] == everything:
            return parts[0][1]
        if (column, parts) not in self._known:
            self._known[column, parts] = len(self.nodes)
            self.nodes.append((column, parts))
        return self._known[column, parts]


def _grouped(groups: Sequence[Group], rows: int) -> Sequence[Group]:
    """Merge classes that these rows do not tell apart."""
    merged: dict[int, int] = {}
    for classes, accepting in groups:
        left = accepting & rows
        merged[left] = merged.get(left, 0) | classes
    return [(classes, accepting) for accepting, classes in merged.items()]


def _hardest(groups: Sequence[Group]) -> Sequence[Group]:
    """Leave out the groups that all rows accept which accept some other group.

    If anything is open in one that is left out, then in the other as well.
    """
    if not 1 < len(groups) <= MAX_COMPARED:
        return groups
    fewest: list[int] = []
    for accepting in sorted((accepting for _, accepting in groups), key=int.bit_count):
        if all(fewer & ~accepting for fewer in fewest):
            fewest.append(accepting)
    return [group for group in groups if group[1] in fewest]


def _met(columns: Columns, rows: int) -> tuple[Columns, int, int]:
    """Return the columns over the rows that match somewhere, those rows, and who take it all."""
    met = taking = rows
    for groups in columns:
        anywhere = 0
        for _, accepting in groups:
            anywhere |= accepting
            taking &= accepting
        met &= anywhere
    if met == rows or not met or taking:
        return columns, met, taking
    return [_grouped(groups, met) for groups in columns], met, taking


def _slab(columns: Columns, rows: int) -> tuple[int, Columns] | None:
    """Return the first column of which some row that asks for nothing else takes a part.

    That part is covered; what is left of the column is the one piece to follow.
    """
    taking = []
    for groups in columns:
        all_of_it = rows
        for _, accepting in groups:
            all_of_it &= accepting
        taking.append(all_of_it)
    behind = [rows]
    for taken in reversed(taking):
        behind.append(behind[-1] & taken)
    before = rows
    for column, groups in enumerate(columns):
        slabs = before & behind[len(columns) - column - 1]
        if slabs:
            return column, [[group for group in groups if not group[1] & slabs]]
        before &= taking[column]
    return None


def _best_cut(columns: Columns, rows: int) -> tuple[int, Columns]:
    """Choose the column and the pieces of it that leave the fewest rows to follow."""
    most = rows.bit_count() * MAX_SHARE
    cuts: list[tuple[int, int, int]] = []
    for column, groups in enumerate(columns):
        cuts += [(cost, column, at) for cost, at in _cuts(groups, most)]
    if cuts:
        _, column, at = min(cuts)
        return column, [columns[column][:at], columns[column][at:]]
    column = min(
        (column for column, groups in enumerate(columns) if len(groups) > 1),
        key=lambda at: sum(accepting.bit_count() ** 2 for _, accepting in columns[at]),
    )
    return column, [[group] for group in columns[column]]


def _cuts(groups: Sequence[Group], most: float) -> Iterator[tuple[int, int]]:
    """Yield the cost of cutting before each group, where neither side keeps most of the rows."""
    behind = [0]
    for _, accepting in reversed(groups):
        behind.append(behind[-1] | accepting)
    before = 0
    for at in range(1, len(groups)):
        before |= groups[at - 1][1]
        left, right = before.bit_count(), behind[len(groups) - at].bit_count()
        if left <= most and right <= most:
            yield left**2 + right**2, at
