"""Rows that never answer, rows that answer only in part, and outcomes that nobody gets."""

from app.domain.rules.bitmasks import members
from app.domain.rules.check.grid import meeting
from app.domain.rules.check.listing import listed
from app.domain.rules.check.reach import Examination, Examined
from app.domain.rules.check.witness import Witnesses
from app.domain.rules.check.words import box_text
from app.domain.rules.findings import Finding, Severity, Side
from app.domain.rules.model import HitPolicy

RANKED = (HitPolicy.FIRST, HitPolicy.PRIORITY)
MAX_NAMED = 5


def dead_rows(examined: Examined) -> list[int]:
    """Return the rows that are never the answer; raises InconclusiveError.

    Under ``first`` and ``priority`` better rows together take all that the row matches. Under
    ``any`` other rows with the same answer do; of rows that cover each other one is kept, so
    that all of those returned may go at once. Under every policy a row is dead that matches only
    what scores and earlier outputs can never be.
    """
    grid = examined.grid
    if grid.table.hit_policy in RANKED:
        return [row for row in range(len(grid.rows)) if examined.never_answers(row)]
    dead = [row for row, region in enumerate(grid.rows) if not all(region)]
    if grid.table.hit_policy is HitPolicy.ANY:
        left = grid.everyone
        for row in reversed(range(len(grid.rows))):
            others = examined.met[row] & grid.alike[grid.rules[row].then] & left
            if row not in dead and examined.cover.covers(grid.rows[row], others):
                dead.append(row)
                left ^= 1 << row
    return sorted(dead)


def dead_findings(examined: Examined, witnesses: Witnesses) -> list[Finding]:
    """Return the dead rows: errors under ``first`` and ``priority``, warnings elsewhere."""
    grid = examined.grid
    severity = Severity.ERROR if grid.table.hit_policy in RANKED else Severity.WARNING

    def build(row: int) -> Finding:
        rule, region = grid.rules[row], grid.rows[row]
        takers = [grid.rules[other].id for other in _takers(examined, row)] if all(region) else []
        remedy = f"Remove the row {rule.id}."
        if not takers:
            message = f"{rule.id} matches nothing that can occur: {_never(examined, row)}."
            remedy = "Move its bound to what can occur, or remove the row."
        elif grid.table.hit_policy in RANKED:
            message = f"{rule.id} never answers: better rows take all of it, {_named(takers)}."
            remedy = f"Remove the row {rule.id}, or let it come before {takers[0]}."
        else:
            message = f"{rule.id} is not needed: others answer all of it alike, {_named(takers)}."
        witness, remark = witnesses.find(examined, region)
        return Finding(
            grid.rule_path(row),
            "dead-rule",
            message + remark,
            remedy,
            witness,
            severity,
            grid.table.id,
            (rule.id, *takers),
            grid.box(region) if takers else None,
        )

    return listed(dead_rows(examined), build)


def _takers(examined: Examined, row: int) -> list[int]:
    """Return the rows that answer, or could answer, in place of a row."""
    if examined.grid.table.hit_policy in RANKED:
        return list(members(examined.met[row] & ((1 << row) - 1)))
    return list(members(examined.met[row] & examined.grid.alike[examined.grid.rules[row].then]))


def _never(examined: Examined, row: int) -> str:
    """Say what the inputs can be in which a row asks for something else."""
    grid = examined.grid
    sides = [
        Side(name, grid.cell(at, grid.live[at]), grid.partitions[at].domain)
        for at, name in enumerate(grid.table.inputs)
        if not grid.rows[row][at]
    ]
    return f"{box_text(tuple(sides))} always"


def _named(names: list[str]) -> str:
    rest = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def shadow_findings(examined: Examined, witnesses: Witnesses) -> list[Finding]:
    """Return as hints the rows of which better rows take a part and answer otherwise.

    Exceptions before the rule are what ``first`` is for, so this is no more than a hint, and a
    last row without conditions, which is there to take the rest, gets none.
    """
    grid = examined.grid
    if grid.table.hit_policy not in RANKED:
        return []
    shadowed: list[tuple[int, int]] = []
    for row, region in enumerate(grid.rows):
        others = examined.met[row] & ((1 << row) - 1) & ~grid.alike[grid.rules[row].then]
        if others and region != grid.live and not examined.never_answers(row):
            shadowed.append((row, others))

    def build(item: tuple[int, int]) -> Finding:
        row, others = item
        rule = grid.rules[row]
        names = [grid.rules[other].id for other in members(others)]
        shared = meeting(grid.rows[row], grid.rows[next(members(others))]) or ()
        sides = grid.box(shared)
        witness, remark = witnesses.find(examined, shared)
        return Finding(
            grid.rule_path(row),
            "partly-shadowed",
            f"{rule.id} does not answer all that it matches: where {box_text(sides)},"
            f" {names[0]} comes first. Such rows: {_named(names)}.{remark}",
            f"Nothing is to be done if these are meant as exceptions to {rule.id}.",
            witness,
            Severity.HINT,
            grid.table.id,
            (rule.id, *names),
            sides,
        )

    return listed(shadowed, build)


def outcome_findings(examined: Examined, examination: Examination) -> list[Finding]:
    """Return the listed outcomes that no reachable input gets; raises InconclusiveError."""
    grid = examined.grid
    lost = [value for value in grid.table.output.values if not examined.gives(value)]

    def build(value: str) -> Finding:
        rows = list(members(grid.alike.get(value, 0)))
        path = f"{grid.path}.output.values.{value}"
        message = f"No row gives {value}."
        remedy = f"Add a row for {value}, or take it out of the values of {grid.table.output.name}."
        if rows:
            message = f"Nobody can get {value}: {_why(examined, rows)}."
            reach = _reach(examined, examination, rows)
            remedy = reach or f"Move the bounds of {grid.rules[rows[0]].id} or take {value} out."
        names = tuple(grid.rules[row].id for row in rows)
        return Finding(
            path, "unreachable-outcome", message, remedy, (), Severity.WARNING, grid.table.id, names
        )

    return listed(lost, build)


def _why(examined: Examined, rows: list[int]) -> str:
    reasons = []
    for row in rows[:MAX_NAMED]:
        name = examined.grid.rules[row].id
        if all(examined.grid.rows[row]):
            reasons.append(f"better rows take all of {name}")
        else:
            reasons.append(f"{name} never matches, since {_never(examined, row)}")
    return "; ".join(reasons)


def _reach(examined: Examined, examination: Examination, rows: list[int]) -> str:
    """Say how far the score gets that a row asks for in vain."""
    compiled, scores = examination.compiled, examination.scores
    reached = {compiled.score_slot: scores.score}
    reached |= {
        item.slot: values
        for item, values in zip(compiled.dimensions, scores.dimensions, strict=True)
    }
    for row in rows:
        for at, slot in enumerate(examined.grid.compiled.slots):
            if slot in reached and not examined.grid.rows[row][at]:
                low, high = next(members(reached[slot])), reached[slot].bit_length() - 1
                name, rule = examined.grid.table.inputs[at], examined.grid.rules[row].id
                return f"{name} goes from {low} to {high}; move the bound of {rule} to within."
    return ""
