"""What `tiering rules check` and `test` print about each file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from rich.markup import escape
from rich.table import Table

from app.cli.output import fail, out
from app.domain.rules.cells import print_cell
from app.domain.rules.check import box_text
from app.domain.rules.findings import Finding, Severity

TEST_FAILED: Final = "test-failed"
WORTH_READING: Final = (Severity.ERROR, Severity.WARNING)
"""What a person should look at; the rest says how a table works, or could be shorter."""
_COLOURS: Final = {Severity.ERROR: "bold red", Severity.WARNING: "yellow"}


@dataclass(frozen=True, slots=True)
class Effect:
    """A finding and how many customers it is about, if they were counted."""

    finding: Finding
    affected: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found about one file; `refusal` says why it is no document at all."""

    file: Path
    effects: tuple[Effect, ...] = ()
    hash: str | None = None
    tests: int = 0
    customers: int | None = None
    as_of: date | None = None
    refusal: str | None = None

    @property
    def is_ok(self) -> bool:
        """Whether nothing is wrong with it."""
        severities = {effect.finding.severity for effect in self.effects}
        return self.refusal is None and Severity.ERROR not in severities


def print_json(outcomes: Sequence[Outcome]) -> None:
    """Print all outcomes as one JSON document, with the names of the interface over HTTP."""
    document = {
        "ok": all(outcome.is_ok for outcome in outcomes),
        "files": [_file(outcome) for outcome in outcomes],
    }
    out.print(json.dumps(document, ensure_ascii=False, indent=2), markup=False)


def _file(outcome: Outcome) -> dict[str, object]:
    counted = None
    if outcome.customers is not None and outcome.as_of is not None:
        counted = {"customers": outcome.customers, "as_of": outcome.as_of.isoformat()}
    return {
        "file": str(outcome.file),
        "ok": outcome.is_ok,
        "refusal": outcome.refusal,
        "hash": outcome.hash,
        "tests": outcome.tests,
        "counted": counted,
        "findings": [_finding(effect) for effect in outcome.effects],
    }


def _finding(effect: Effect) -> dict[str, object]:
    found = effect.finding
    return {
        "code": found.code,
        "severity": found.severity.value,
        "path": found.path,
        "table": found.table,
        "rules": list(found.rules),
        "message": found.message,
        "suggestion": found.remedy,
        "box": None if found.box is None else box_text(found.box),
        "sides": [
            {"input": side.input, "cell": print_cell(side.cell, side.domain)}
            for side in found.box or ()
        ],
        "witness": dict(found.witness),
        "affected_customers": effect.affected,
    }


def print_check(outcome: Outcome, severities: Collection[Severity]) -> None:
    """Print what was found in one file, the worst first, and how much is not shown."""
    if outcome.refusal is not None:
        fail(escape(outcome.refusal))
        return
    shown = [effect for effect in outcome.effects if effect.finding.severity in severities]
    counts = Counter(effect.finding.severity for effect in outcome.effects)
    told = ", ".join(f"{counts[severity]} {severity}" for severity in Severity if counts[severity])
    out.print(f"{escape(str(outcome.file))}: {told or 'nothing to find fault with'}")
    if outcome.customers is not None:
        out.print(f"  counted among {outcome.customers:,} customers as of {outcome.as_of}")
    if shown:
        out.print(_table(shown, counted=outcome.customers is not None), soft_wrap=False)
    if len(shown) < len(outcome.effects):
        out.print(f"  {len(outcome.effects) - len(shown)} more are shown by --all")


def _table(effects: Sequence[Effect], *, counted: bool) -> Table:
    table = Table(show_lines=True)
    for heading in ("", "where", "what", "proof"):
        table.add_column(heading, overflow="fold")
    if counted:
        table.add_column("customers", justify="right")
    for effect in effects:
        found = effect.finding
        colour = _COLOURS.get(found.severity, "dim")
        proof = ", ".join(f"{name} = {value}" for name, value in found.witness)
        row = [
            f"[{colour}]{found.severity.value}[/]",
            escape(found.path),
            f"{escape(found.code)}: {escape(found.message)} {escape(found.remedy)}",
            escape(proof),
        ]
        if counted:
            row.append("" if effect.affected is None else f"{effect.affected:,}")
        table.add_row(*row)
    return table


def print_tests(outcome: Outcome) -> None:
    """Print whether the tests of one file pass."""
    errors = [each.finding for each in outcome.effects if each.finding.severity is Severity.ERROR]
    failed = [finding for finding in errors if finding.code == TEST_FAILED]
    name = escape(str(outcome.file))
    if outcome.refusal is not None:
        fail(escape(outcome.refusal))
    elif len(failed) < len(errors):
        fail(f"{name}: {len(errors)} errors keep it from being tested; see tiering rules check")
    elif failed:
        out.print(f"{name}: {len(failed)} expectations of {outcome.tests} tests are not met")
        for finding in failed:
            out.print(f"  {escape(finding.path)}: {escape(finding.message)}")
    else:
        out.print(f"{name}: {outcome.tests} tests pass" if outcome.tests else f"{name}: no tests")
