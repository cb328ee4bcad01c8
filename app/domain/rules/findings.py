"""What is wrong with a rule set: findings with a place, a stable code and a remedy."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from app.domain.errors import Invalid
from app.domain.rules.cell_sets import Cell
from app.domain.rules.domains import Domain


class Severity(StrEnum):
    """How much a finding matters: errors keep a rule set from deciding, the rest is advice."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    HINT = "hint"

    @property
    def rank(self) -> int:
        """How many severities are worse."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a box: an input, and which of its values lie inside."""

    input: str
    cell: Cell
    domain: Domain


Box: TypeAlias = tuple[Side, ...]
"""A product of value sets, one side per input that it bounds; any value of the others is inside."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a document.

    ``path`` names the place (``tables[2].rules[SEG1].when.premium_ratio``), ``code`` is stable
    and may be relied on, ``remedy`` says what to do. ``witness`` holds input names and values
    that prove the finding where there is such a proof, ``box`` all the inputs it is true of.
    ``table`` and ``rules`` are the ids of what it speaks of, if it does of a table.
    """

    path: str
    code: str
    message: str
    remedy: str
    witness: tuple[tuple[str, str], ...] = ()
    severity: Severity = Severity.ERROR
    table: str | None = None
    rules: tuple[str, ...] = ()
    box: Box | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.code}: {self.message} {self.remedy}"


class DocumentError(Invalid):
    """A document that cannot be used, with everything that is wrong with it."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("rule-set-invalid", "\n".join(map(str, self.findings)))
