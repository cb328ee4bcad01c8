"""Overlaps: cases that two rows of a table match."""

from itertools import islice

from app.domain.rules.bitmasks import members
from app.domain.rules.check.grid import meeting
from app.domain.rules.check.listing import MAX_LISTED, listed
from app.domain.rules.check.reach import Examined
from app.domain.rules.check.suggestions import to_part
from app.domain.rules.check.witness import Witnesses
from app.domain.rules.check.words import box_text
from app.domain.rules.findings import Finding, Severity
from app.domain.rules.model import HitPolicy

CONFLICT = {
    HitPolicy.UNIQUE: Severity.ERROR,
    HitPolicy.ANY: Severity.ERROR,
    HitPolicy.FIRST: Severity.INFO,
    HitPolicy.PRIORITY: Severity.INFO,
}
SAME = {HitPolicy.UNIQUE: Severity.ERROR, HitPolicy.FIRST: Severity.INFO}


def pairs(examined: Examined) -> list[tuple[int, int]]:
    """Return every two rows that match some case together, the better one first."""
    return [
        (row, other)
        for row, others in enumerate(examined.met)
        for other in members(others >> (row + 1) << (row + 1))
    ]


def overlap_findings(examined: Examined, witnesses: Witnesses) -> list[Finding]:
    """Return the overlaps that matter under the table's hit policy, row by row."""
    policy = examined.grid.table.hit_policy
    if policy not in CONFLICT:
        return []

    def build(pair: tuple[int, int]) -> Finding:
        return _overlap(examined, witnesses, pair)

    conflicts, unlisted = _first_pairs(examined, alike=False)
    findings = listed(conflicts, build, unlisted)
    if policy in SAME:
        alike, unlisted = _first_pairs(examined, alike=True)
        findings += listed(alike, build, unlisted)
    return findings


def _first_pairs(examined: Examined, *, alike: bool) -> tuple[list[tuple[int, int]], int]:
    """Return the pairs that are listed, and how many more there are.

    Of a few thousand rows that all overlap there would be millions, which are only counted.
    """
    grid = examined.grid
    first: list[tuple[int, int]] = []
    more = 0
    for row, met in enumerate(examined.met):
        same = grid.alike[grid.rules[row].then]
        others = met >> (row + 1) << (row + 1) & (same if alike else ~same)
        told = list(islice(members(others), MAX_LISTED - len(first)))
        first += [(row, other) for other in told]
        more += others.bit_count() - len(told)
    return first, more


def _overlap(examined: Examined, witnesses: Witnesses, pair: tuple[int, int]) -> Finding:
    grid, policy = examined.grid, examined.grid.table.hit_policy
    better = pair[0]
    first, second = sorted(pair, key=lambda row: grid.compiled.ranked[row])
    rules = grid.rules[first], grid.rules[second]
    same = rules[0].then == rules[1].then
    shared = meeting(grid.rows[first], grid.rows[second]) or ()
    sides = grid.box(shared)
    witness, remark = witnesses.find(examined, shared)
    message = f"{rules[0].id} and {rules[1].id} both match {box_text(sides)}"
    message += f", both with {rules[0].then}." if same else f": {rules[0].then} or {rules[1].then}?"
    if policy in (HitPolicy.FIRST, HitPolicy.PRIORITY):
        message += f" {grid.rules[better].id} comes first."
        remedy = f"Nothing is to be done if {grid.rules[better].id} is meant to come first."
    else:
        remedy = to_part(grid, first, second)
    return Finding(
        grid.rule_path(second),
        "overlap-same" if same else "overlap-conflict",
        message + remark,
        remedy,
        witness,
        (SAME if same else CONFLICT)[policy],
        grid.table.id,
        (rules[0].id, rules[1].id),
        sides,
    )
