"""What makes a table longer than it needs to be.

Rows that say the same twice and inputs that no row asks about are warnings: they are nearly always
left over. Rows that could be written shorter are hints, since a longer table may be easier to read.
"""

from app.domain.rules.bitmasks import members
from app.domain.rules.cell_sets import union
from app.domain.rules.check.grid import Grid, Region, bounded
from app.domain.rules.check.listing import listed
from app.domain.rules.check.reach import Examined
from app.domain.rules.check.suggestions import cell_of_rule, row_text
from app.domain.rules.check.witness import Witnesses
from app.domain.rules.check.words import box_text
from app.domain.rules.findings import Finding, Severity
from app.domain.rules.model import HitPolicy

RANKED = (HitPolicy.FIRST, HitPolicy.PRIORITY)


def hygiene_findings(examined: Examined, witnesses: Witnesses) -> list[Finding]:
    """Return ``unused-column``, ``duplicate``, ``subsumed`` and ``mergeable`` of a table."""
    return [
        *_unused_columns(examined.grid),
        *_duplicates(examined, witnesses),
        *_subsumed(examined, witnesses),
        *_mergeable(examined, witnesses),
    ]


def _unused_columns(grid: Grid) -> list[Finding]:
    named = {name for rule in grid.rules for name in rule.when}

    def build(name: str) -> Finding:
        return Finding(
            f"{grid.path}.inputs.{name}",
            "unused-column",
            f"No row of {grid.table.id} asks about {name}.",
            f"Take {name} out of the inputs, or let a row use it.",
            severity=Severity.WARNING,
            table=grid.table.id,
        )

    return listed([name for name in grid.table.inputs if name not in named], build)


def _duplicates(examined: Examined, witnesses: Witnesses) -> list[Finding]:
    grid = examined.grid
    groups: dict[tuple[str, Region], list[int]] = {}
    for row in _in_order(grid):
        if all(grid.rows[row]):
            groups.setdefault((grid.rules[row].then, grid.rows[row]), []).append(row)

    def build(rows: list[int]) -> Finding:
        names = [grid.rules[row].id for row in rows]
        return _finding(
            examined,
            witnesses,
            ("duplicate", Severity.WARNING),
            rows,
            f"{' and '.join(names)} match the same and answer the same.",
            f"Keep {names[0]} and remove {', '.join(names[1:])}.",
        )

    return listed([rows for rows in groups.values() if len(rows) > 1], build)


def subsumed(examined: Examined) -> list[tuple[int, int]]:
    """Return rows that one wider row with the same answer makes needless, each with that row.

    Under ``unique`` and ``any`` that is an overlap or a dead row already, and so it is where the
    wider row comes first. Where it comes later no row between them may answer otherwise.
    """
    grid = examined.grid
    if grid.table.hit_policy in (HitPolicy.UNIQUE, HitPolicy.ANY):
        return []
    holding: dict[tuple[int, int], int] = {}
    found = []
    for row, region in enumerate(grid.rows):
        wider = examined.met[row] & grid.alike[grid.rules[row].then]
        for column, classes in enumerate(region):
            if (column, classes) not in holding:
                holding[column, classes] = _accepting_all(grid, column, classes)
            wider &= holding[column, classes]
        for other in members(wider):
            if grid.rows[other] != region and _may_go(examined, row, other):
                found.append((row, other))
                break
    return found


def _accepting_all(grid: Grid, column: int, classes: int) -> int:
    rows = grid.everyone
    for code in members(classes):
        rows &= grid.accepted[column][code]
    return rows


def _may_go(examined: Examined, row: int, other: int) -> bool:
    """Say whether no row between the two answers otherwise, if their order matters at all."""
    grid = examined.grid
    if grid.table.hit_policy not in RANKED:
        return True
    return row < other and not examined.met[row] & _between(examined, row, other)


def _between(examined: Examined, first: int, last: int) -> int:
    """Return the rows between two that answer otherwise."""
    grid = examined.grid
    return ((1 << last) - (2 << first)) & ~grid.alike[grid.rules[first].then]


def _subsumed(examined: Examined, witnesses: Witnesses) -> list[Finding]:
    grid = examined.grid
    ranked = grid.table.hit_policy in RANKED
    severity = Severity.HINT if ranked else Severity.WARNING

    def build(pair: tuple[int, int]) -> Finding:
        row, other = (grid.rules[at].id for at in pair)
        return _finding(
            examined,
            witnesses,
            ("subsumed", severity),
            list(pair),
            f"{other} matches all that {row} does and answers the same.",
            f"Remove the row {row}.",
        )

    return listed(subsumed(examined), build)


def mergeable(examined: Examined) -> list[tuple[int, tuple[int, ...]]]:
    """Return columns and the rows with one answer that differ in nothing but that column."""
    grid = examined.grid
    found = []
    for column in range(len(grid.live)):
        groups: dict[tuple[str, Region], dict[int, int]] = {}
        for row in _in_order(grid):
            region = grid.rows[row]
            if all(region):
                key = grid.rules[row].then, bounded(region, column, 0)
                groups.setdefault(key, {}).setdefault(region[column], row)
        for group in groups.values():
            rows = tuple(group.values())
            if len(rows) > 1 and _may_meet(examined, rows):
                found.append((column, rows))
    return found


def _may_meet(examined: Examined, rows: tuple[int, ...]) -> bool:
    """Say whether rows may be one row in the place of the first without changing an answer."""
    if examined.grid.table.hit_policy is not HitPolicy.FIRST:
        return True
    between = _between(examined, rows[0], rows[-1])
    return not any(examined.met[row] & between for row in rows)


def _mergeable(examined: Examined, witnesses: Witnesses) -> list[Finding]:
    grid = examined.grid

    def build(item: tuple[int, tuple[int, ...]]) -> Finding:
        column, rows = item
        first = grid.rules[rows[0]]
        name = grid.table.inputs[column]
        cell = cell_of_rule(grid, first, column)
        for row in rows[1:]:
            cell = union(
                grid.table.domains[name], cell, cell_of_rule(grid, grid.rules[row], column)
            )
        names = " and ".join(grid.rules[row].id for row in rows)
        return _finding(
            examined,
            witnesses,
            ("mergeable", Severity.HINT),
            list(rows),
            f"{names} differ in {name} only and answer the same.",
            f"Write one row: {row_text(grid, first.id, {**first.when, name: cell}, first.then)}.",
        )

    return listed(mergeable(examined), build)


def _in_order(grid: Grid) -> list[int]:
    """Return the rows as they stand in the document."""
    return sorted(range(len(grid.rows)), key=lambda row: grid.compiled.ranked[row])


def _finding(
    examined: Examined,
    witnesses: Witnesses,
    kind: tuple[str, Severity],
    rows: list[int],
    message: str,
    remedy: str,
) -> Finding:
    """Build a finding about rows; its box is what the row matches that could go."""
    grid = examined.grid
    row = rows[-1] if kind[0] == "duplicate" else rows[0]
    region = grid.rows[row]
    sides = grid.box(region)
    witness, remark = witnesses.find(examined, region)
    return Finding(
        grid.rule_path(row),
        kind[0],
        f"{message} It is about {box_text(sides)}.{remark}",
        remedy,
        witness,
        kind[1],
        grid.table.id,
        tuple(grid.rules[at].id for at in rows),
        sides,
    )
