"""Gaps: cases that no row of a table matches."""

from collections.abc import Iterable
from itertools import islice

from app.domain.rules.check.cover import InconclusiveError
from app.domain.rules.check.grid import Region, bounded, size_of
from app.domain.rules.check.listing import listed
from app.domain.rules.check.reach import Examined
from app.domain.rules.check.suggestions import to_fill
from app.domain.rules.check.witness import Witnesses
from app.domain.rules.check.words import box_text
from app.domain.rules.findings import Finding, Severity

MAX_BOXES = 1_000


def gap_boxes(examined: Examined) -> tuple[tuple[Region, ...], int]:
    """Return disjoint boxes that are exactly what no row matches, the largest first.

    Beyond the first thousand they are only counted. Raises InconclusiveError.
    """
    cover, live, rows = examined.cover, examined.grid.live, examined.grid.everyone
    # That nothing is left takes a fraction of the steps that finding all of it would.
    if cover.covers(live, rows):
        return (), 0
    node = cover.uncovered(live, rows)
    boxes = merged(islice(cover.boxes(node, live), MAX_BOXES))
    return boxes, max(0, cover.count(node) - MAX_BOXES)


def merged(boxes: Iterable[Region]) -> tuple[Region, ...]:
    """Join disjoint boxes that differ in one column only, until none do; the largest first."""
    joined = list(boxes)
    before = 0
    while len(joined) != before:
        before = len(joined)
        for column in range(len(joined[0]) if joined else 0):
            by_rest: dict[Region, int] = {}
            for box in joined:
                rest = bounded(box, column, 0)
                by_rest[rest] = by_rest.get(rest, 0) | box[column]
            joined = [bounded(rest, column, classes) for rest, classes in by_rest.items()]
    return tuple(sorted(joined, key=lambda box: (-size_of(box), box)))


def gap_findings(examined: Examined, witnesses: Witnesses) -> list[Finding]:
    """Return the gaps, as errors where the table claims to be complete, else as warnings.

    A set of answers may be empty, so under collect a case without a row has its answer, and is
    nothing to warn of: every table of labels would. Only the claim to be complete makes it a gap.
    ``null-unhandled`` is a box in which an input is null and which some rows would take
    wholly if that input had a value, whichever; every other is a ``gap``.
    Raises InconclusiveError.
    """
    grid = examined.grid
    if grid.compiled.is_collect and not grid.table.complete:
        return []
    boxes, unlisted = gap_boxes(examined)
    nulls = {box: _null_columns(examined, box) for box in boxes}

    def build(box: Region) -> Finding:
        sides = grid.box(box)
        claim = (
            "The table is complete, but no row matches" if grid.table.complete else "No row matches"
        )
        message = f"{claim} {box_text(sides)}."
        if nulls[box]:
            names = " and ".join(grid.table.inputs[at] for at in nulls[box])
            message += f" Only the missing {names} is not taken: with a value some row matches."
        witness, remark = witnesses.find(examined, box)
        return Finding(
            grid.path,
            "null-unhandled" if nulls[box] else "gap",
            message + remark,
            to_fill(grid, box),
            witness,
            Severity.ERROR if grid.table.complete else Severity.WARNING,
            grid.table.id,
            box=sides,
        )

    unhandled = [box for box in boxes if nulls[box]]
    others = [box for box in boxes if not nulls[box]]
    # What was only counted has the code of what was seen first.
    return listed(others, build, unlisted if others else 0) + listed(
        unhandled, build, 0 if others else unlisted
    )


def _null_columns(examined: Examined, box: Region) -> tuple[int, ...]:
    """Return the columns whose being null alone leaves a box open."""
    grid = examined.grid
    nulls = [at for at in range(len(box)) if box[at] and box[at] == grid.null_class(at)]
    alone = [(at,) for at in nulls]
    for columns in (*alone, tuple(nulls)):
        known = box
        for at in columns:
            known = bounded(known, at, grid.live[at] & ~grid.null_class(at))
        if columns and all(known) and _is_taken(examined, known):
            return columns
    return ()


def _is_taken(examined: Examined, region: Region) -> bool:
    try:
        return examined.cover.covers(region, examined.grid.everyone)
    except InconclusiveError:
        return False
