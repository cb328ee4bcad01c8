"""Findings in words, as they are told and kept: nothing of them needs their rule set any more."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.rules.cells import print_cell
from app.domain.rules.check import box_text
from app.domain.rules.findings import Finding, Severity


@dataclass(frozen=True, slots=True)
class WordedFinding:
    """A finding whose box and sides are printed; sides and witness by input."""

    code: str
    severity: Severity
    path: str
    table: str | None
    rules: tuple[str, ...]
    message: str
    suggestion: str
    box: str | None
    sides: tuple[tuple[str, str], ...]
    witness: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, finding: Finding) -> WordedFinding:
        """A finding in words."""
        box = finding.box
        return cls(
            code=finding.code,
            severity=finding.severity,
            path=finding.path,
            table=finding.table,
            rules=finding.rules,
            message=finding.message,
            suggestion=finding.remedy,
            box=None if box is None else box_text(box),
            sides=tuple((side.input, print_cell(side.cell, side.domain)) for side in box or ()),
            witness=finding.witness,
        )
