"""What to change: rows and cells in the syntax of documents."""

import json

from app.domain.rules.cell_sets import Cell, complement, everything, intersection, union
from app.domain.rules.cells import print_cell
from app.domain.rules.check.grid import Grid, Region, bounded, contains, meeting
from app.domain.rules.model import Rule


def row_text(grid: Grid, name: str, when: dict[str, Cell], then: str) -> str:
    """Write a row as YAML, in one line; a cell that takes everything is left out."""
    domains = grid.table.domains
    cells = [
        f"{column}: {quoted(print_cell(cell, domains[column]))}"
        for column, cell in when.items()
        if cell != everything(domains[column])
    ]
    inner = f", when: {{{', '.join(cells)}}}" if cells else ""
    return f"{{id: {name}{inner}, then: {then}}}"


def quoted(text: str) -> str:
    """Quote a text so that YAML and JSON read it back."""
    return json.dumps(text, ensure_ascii=False)


def cell_of_rule(grid: Grid, rule: Rule, column: int) -> Cell:
    """Return the cell of a rule, everything where it names none."""
    name = grid.table.inputs[column]
    return rule.when.get(name, everything(grid.table.domains[name]))


def change_text(grid: Grid, row: int, column: int, cell: Cell) -> str:
    """Say what one cell of a row should become."""
    name = grid.table.inputs[column]
    text = quoted(print_cell(cell, grid.table.domains[name]))
    return f"In the row {grid.rules[row].id} let {name} be {text}."


def to_fill(grid: Grid, region: Region) -> str:
    """Say how a box that no row matches can be taken: by widening a row, or by a new one."""
    for row, own in enumerate(grid.rows):
        apart = [at for at, classes in enumerate(region) if classes & ~own[at]]
        if len(apart) == 1 and _is_free(grid, bounded(own, apart[0], region[apart[0]])):
            column = apart[0]
            wider = union(
                grid.table.domains[grid.table.inputs[column]],
                cell_of_rule(grid, grid.rules[row], column),
                grid.cell(column, region[column]),
            )
            return change_text(grid, row, column, wider)
    when = {side.input: side.cell for side in grid.box(region)}
    nearest = _nearest(grid, region)
    row_ = row_text(grid, _new_id(grid), when, nearest.then)
    return f"Add the row {row_}; its answer is that of the nearest row, {nearest.id}."


def _is_free(grid: Grid, region: Region) -> bool:
    return all(meeting(region, own) is None for own in grid.rows)


def _nearest(grid: Grid, region: Region) -> Rule:
    """Return the rule that takes the region in most columns."""
    hits = [
        sum(classes & ~mine == 0 for classes, mine in zip(region, own, strict=True))
        for own in grid.rows
    ]
    return grid.rules[hits.index(max(hits))]


def _new_id(grid: Grid) -> str:
    taken = {rule.id for rule in grid.rules}
    name, at = "NEW", 2
    while name in taken:
        name, at = f"NEW{at}", at + 1
    return name


def to_part(grid: Grid, first: int, second: int) -> str:
    """Say how two rows that meet can be made to exclude each other."""
    for row, other in ((second, first), (first, second)):
        if contains(grid.rows[other], grid.rows[row]) and _answer_alike(grid, first, second):
            return f"Remove the row {grid.rules[row].id}."
        apart = _apart(grid, row, other)
        if len(apart) == 1:
            # All of the row that the other one takes lies beyond one bound: nothing gets lost.
            return change_text(grid, row, apart[0], _without(grid, row, other, apart[0]))
    for row, other in ((second, first), (first, second)):
        for column in _apart(grid, row, other):
            change = change_text(grid, row, column, _without(grid, row, other, column))
            return f"{change} What it then leaves out needs a row of its own."
    return f"Remove {grid.rules[first].id} or {grid.rules[second].id}."


def _answer_alike(grid: Grid, first: int, second: int) -> bool:
    return grid.rules[first].then == grid.rules[second].then


def _apart(grid: Grid, row: int, other: int) -> list[int]:
    """Return the columns in which a row takes what the other does not."""
    both = zip(grid.rows[row], grid.rows[other], strict=True)
    return [at for at, (mine, theirs) in enumerate(both) if mine & ~theirs]


def _without(grid: Grid, row: int, other: int, column: int) -> Cell:
    """Return the row's cell without what the other row takes."""
    domain = grid.table.domains[grid.table.inputs[column]]
    mine = cell_of_rule(grid, grid.rules[row], column)
    theirs = cell_of_rule(grid, grid.rules[other], column)
    kept = intersection(domain, mine, complement(domain, theirs))
    has_null = mine.has_null and not theirs.has_null
    return Cell(has_null, kept.spans, kept.words, kept.others)
