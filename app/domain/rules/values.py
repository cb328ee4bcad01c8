"""Values of facts and of domains: the same thing, seen from outside and from inside."""

from collections.abc import Mapping
from datetime import date
from typing import TypeAlias

from app.domain.facts.model import FactType, FactValue
from app.domain.rules.domains import Domain, Kind, decimal_text

KnownValue: TypeAlias = int | bool | str | date
"""A fact's value that is not null."""

VALUE_TYPES: Mapping[FactType, type[object]] = {
    FactType.INT: int,
    FactType.DECIMAL: int,
    FactType.BOOL: bool,
    FactType.ENUM: str,
    FactType.DATE: date,
    FactType.STRING: str,
}


def fact_value(domain: Domain, value: int | str) -> FactValue:
    """Return a domain's value as facts carry it: dates as dates, booleans as booleans."""
    if domain.kind is Kind.DATE and isinstance(value, int):
        return date.fromordinal(value)
    if domain.kind is Kind.BOOL:
        return value == "true"
    return value


def domain_value(value: FactValue) -> int | str | None:
    """Return a fact's value as its domain and cells hold it; the inverse of `fact_value`.

    >>> domain_value(True), domain_value(date(1, 1, 2)), domain_value(None)
    ('true', 2, None)
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.toordinal() if isinstance(value, date) else value


def value_text(domain: Domain, value: FactValue) -> str:
    """Write a fact's value for people: decimals with their point, dates in ISO form.

    >>> value_text(Domain(Kind.NUMBER, nullable=True, scale=2), 1250)
    '12.5'
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return decimal_text(value, domain.scale)
    return value.isoformat() if isinstance(value, date) else value
