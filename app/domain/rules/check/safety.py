"""What keeps a rule set from deciding: claims of its tables that do not hold."""

from app.domain.rules.check.cover import Budget, Cover, InconclusiveError
from app.domain.rules.check.gaps import gap_findings
from app.domain.rules.check.grid import Grid, grid_of
from app.domain.rules.check.meetings import overlap_findings
from app.domain.rules.check.overlaps import meets
from app.domain.rules.check.reach import Examined, examine
from app.domain.rules.check.witness import Witnesses
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.findings import Finding
from app.domain.rules.limits import Limits
from app.domain.rules.model import HitPolicy

#: Codes that, as errors, keep a rule set from deciding at all.
UNSAFE = frozenset({"gap", "null-unhandled", "overlap-conflict", "overlap-same", "inconclusive"})
CLAIMING = (HitPolicy.UNIQUE, HitPolicy.ANY)


def unsafe(compiled: CompiledRuleSet, limits: Limits) -> list[Finding]:
    """Return the errors that make a rule set unsafe to execute.

    Nearly every rule set keeps its claims even for scores that none can reach, which is quickly
    shown; what can be reached is worked out for the others only.
    """
    live = [(1 << partition.size) - 1 for partition in compiled.inputs]
    grids = (
        grid_of(table, f"tables[{at}]", compiled.inputs, live)
        for at, table in enumerate(compiled.tables)
    )
    if all(_keeps_its_claims(grid, limits) for grid in grids):
        return []
    examination = examine(compiled, limits)
    witnesses = Witnesses(examination)
    findings: list[Finding] = []
    for examined in examination.tables:
        if examined.grid.table.complete:
            findings += proved_gaps(examined, witnesses)
        if examined.grid.table.hit_policy in CLAIMING:
            findings += overlap_findings(examined, witnesses)
    return findings


def proved_gaps(examined: Examined, witnesses: Witnesses) -> list[Finding]:
    """Return the gaps of a table, or that they could not be worked out."""
    try:
        return gap_findings(examined, witnesses)
    except InconclusiveError:
        return [inconclusive(examined.grid, "whether it takes every case")]


def inconclusive(grid: Grid, question: str) -> Finding:
    """Say that a proof was given up; that blocks as an error does."""
    return Finding(
        grid.path,
        "inconclusive",
        f"{grid.table.id} is too large to prove {question}.",
        "Split the table, or let the last row take the rest under hit policy first.",
        table=grid.table.id,
    )


def _keeps_its_claims(grid: Grid, limits: Limits) -> bool:
    met: tuple[int, ...] = ()
    if grid.table.hit_policy in CLAIMING:
        met = meets(grid)
        if any(met) and (grid.table.hit_policy is HitPolicy.UNIQUE or _contradict(grid, met)):
            return False
    cover = Cover(grid, Budget(limits.proof_steps), disjoint=bool(met) and not any(met))
    try:
        return not grid.table.complete or cover.covers(grid.live, grid.everyone)
    except InconclusiveError:
        return False


def _contradict(grid: Grid, met: tuple[int, ...]) -> bool:
    pairs = zip(grid.rules, met, strict=True)
    return any(others & ~grid.alike[rule.then] for rule, others in pairs)
