"""Which rows of a table meet."""

from app.domain.rules.bitmasks import members
from app.domain.rules.check.grid import Grid


def meets(grid: Grid) -> tuple[int, ...]:
    """Return for each row the set of the other rows that match some case together with it.

    Two rows meet if they share a class in every column.
    """
    touched: dict[tuple[int, int], int] = {}
    found = []
    for row, region in enumerate(grid.rows):
        others = grid.everyone ^ (1 << row)
        for column, classes in enumerate(region):
            if (column, classes) not in touched:
                touched[column, classes] = _touching(grid, column, classes)
            others &= touched[column, classes]
        found.append(others)
    return tuple(found)


def _touching(grid: Grid, column: int, classes: int) -> int:
    """Return the rows that accept one of some classes."""
    touching = 0
    for code in members(classes):
        touching |= grid.accepted[column][code]
    return touching
