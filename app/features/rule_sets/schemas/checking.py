"""What a check of a document answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.domain.privacy.suppression import SMALLEST_TOLD
from app.domain.rules.findings import Severity
from app.features.rule_sets.service import Checked, Uncounted, WordedFinding
from app.infra.masking import Open, ReadModel

_SHARE_PLACES: Final = Decimal("0.0001")

#: What documents are sent as; read by hand, since one with mistakes is no mistake of the request.
#: Other forms are told in words: generators of clients know no type of body but JSON.
DOCUMENT_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "maxProperties": 100,
                "description": "A rule-set document (`tiering/1`), which may extend a stored"
                " version.",
            }
        }
    },
}


class CheckQuery(BaseModel):
    """What else is asked of a check."""

    model_config = ConfigDict(extra="forbid")

    count: bool = Field(default=True, description="Count the customers whom each finding is about.")


class SideRead(ReadModel):
    """One input of a box."""

    input: Open[str] = Field(description="A fact, a score or the answer of a table.")
    cell: Open[str] = Field(description="Which of its values are inside, as cells are written.")


class FindingRead(ReadModel):
    """One thing that is wrong with a document, or could be better."""

    code: Open[str] = Field(description="What kind of thing; codes are stable.")
    severity: Open[Severity] = Field(description="An error keeps the document from deciding.")
    path: Open[str] = Field(description="The place in the document.")
    table: Open[str | None] = Field(description="Id of the table it is about, if it is about one.")
    rules: Open[list[str]] = Field(description="Ids of the rows it is about.")
    message: Open[str] = Field(description="What is wrong.")
    suggestion: Open[str] = Field(description="What to do.")
    box: Open[str | None] = Field(description="Of which customers it is true, in words.")
    sides: list[SideRead] = Field(description="The same by input; inputs left out may be anything.")
    witness: Open[dict[str, str]] = Field(description="Made-up values that prove it.")
    affected_customers: Open[int | None] = Field(
        description="Customers inside the box; null where they were not counted or are few."
        f" Callers who are not shown every fact that the document reads are told full"
        f" tens, and nothing under {SMALLEST_TOLD}.",
        ge=0,
    )
    affected_fewer_than: Open[int | None] = Field(
        description=f"{SMALLEST_TOLD} where the customers inside are too few to be told."
    )
    affected_share: Open[Decimal | None] = Field(
        description="Of the customers that the document would decide for, with four decimals."
    )

    @classmethod
    def from_domain(
        cls, finding: WordedFinding, affected: int | None, told: ToldEffects
    ) -> FindingRead:
        """One finding, with as much of the customers affected as its reader may be told."""
        return cls(
            code=finding.code,
            severity=finding.severity,
            path=finding.path,
            table=finding.table,
            rules=list(finding.rules),
            message=finding.message,
            suggestion=finding.suggestion,
            box=finding.box,
            sides=[SideRead(input=name, cell=cell) for name, cell in finding.sides],
            witness=dict(finding.witness),
            affected_customers=told.count(affected),
            affected_fewer_than=told.fewer_than(affected),
            affected_share=told.share(affected),
        )


class CountedRead(ReadModel):
    """Among whom the customers of the findings were counted."""

    customers: Open[int] = Field(description="Customers that the document would decide for.", ge=0)
    as_of: Open[date] = Field(description="Business day of their facts.")


class CheckRead(ReadModel):
    """What a check found."""

    ok: Open[bool] = Field(description="Whether no finding is an error.")
    hash: Open[str | None] = Field(
        description="SHA-256 of the document's canonical JSON (RFC 8785); null if it has errors of"
        " form."
    )
    findings: list[FindingRead] = Field(
        description="The worst first, of equal ones those that affect most customers."
    )
    counted: CountedRead | None = Field(description="Null if no customers were counted.")
    uncounted: Open[Uncounted | None] = Field(
        description="Why not; where the book is too large, a simulation counts them."
    )

    @classmethod
    def from_domain(cls, checked: Checked, viewer: Viewer) -> CheckRead:
        """A check, with exact counts or with those that may be told to anybody."""
        counted = checked.counted
        told = ToldEffects(
            None if counted is None else counted.customers,
            exactly=is_told_exactly(checked.classes, viewer),
        )
        base = told.base()
        return cls(
            ok=checked.ok,
            hash=checked.hash,
            findings=[
                FindingRead.from_domain(WordedFinding.of(found.finding), found.affected, told)
                for found in checked.by_effect(told.unit)
            ],
            counted=(
                None
                if counted is None or base is None
                else CountedRead(customers=base, as_of=counted.as_of)
            ),
            uncounted=checked.uncounted,
        )


def is_told_exactly(classes: Iterable[SensitivityClass], viewer: Viewer) -> bool:
    """Whether a viewer is shown customers, and each fact by which a box could single one out."""
    forms = (MATRIX.disposition(viewer, one) for one in classes)
    return MATRIX.serves(viewer.role) and Disposition.WITHHELD not in forms


class ToldEffects:
    """What may be told of the customers whom findings are about, and of all they are counted among.

    Whoever is not shown what the document asks about could look for one person by boxes that are
    made for him, and for what one more customer changes; full tens tell neither.
    """

    def __init__(self, customers: int | None, *, exactly: bool) -> None:
        self._customers = customers
        self.unit = 1 if exactly else SMALLEST_TOLD

    def count(self, affected: int | None) -> int | None:
        """A number of customers."""
        if affected is None or affected < self.unit > 1:
            return None
        return affected - affected % self.unit

    def fewer_than(self, affected: int | None) -> int | None:
        """The bound that is told instead of a small number."""
        return SMALLEST_TOLD if affected is not None and affected < self.unit > 1 else None

    def share(self, affected: int | None) -> Decimal | None:
        """The share of what is told in what is told of all."""
        count, base = self.count(affected), self.base()
        if count is None or not base:
            return None
        return (Decimal(count) / base).quantize(_SHARE_PLACES)

    def base(self) -> int | None:
        """All customers; None where nobody was counted."""
        if self._customers is None:
            return None
        return self._customers - self._customers % self.unit
