"""What a fact is: one validated scoring input with its type, range and sensitivity."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias


class FactType(StrEnum):
    """The value types a fact may have; there is no float."""

    INT = "int"
    DECIMAL = "decimal"
    BOOL = "bool"
    ENUM = "enum"
    DATE = "date"
    STRING = "string"


FactValue: TypeAlias = int | bool | str | date | None
"""A value of a fact; a DECIMAL travels as an integer scaled by the fact's scale."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of the facts catalogue.

    ``minimum`` and ``maximum`` are inclusive and scaled like the values themselves (a DATE is
    its proleptic ordinal). ``scale`` is the number of decimal digits, 0 unless DECIMAL.
    ``influenceable`` says that the customer can change the value, so counterfactuals may use it.
    """

    name: str
    type: FactType
    scale: int
    unit: str | None
    minimum: int | None
    maximum: int | None
    values: tuple[str, ...]
    nullable: bool
    sensitivity: str
    meaning: str
    meaning_zh: str
    source: str
    influenceable: bool
    consent: str | None
