"""The values an input may take, as cells, partitions and messages need them."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.domain.facts.model import Fact, FactType

INT64_HIGH = 2**63 - 1
INT64_LOW = -INT64_HIGH
SCORE_HIGH = 1000


class Kind(StrEnum):
    """How the values of a domain are written and compared."""

    NUMBER = "number"
    DATE = "date"
    BOOL = "bool"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Domain:
    """The values of one input.

    Numbers and dates are integers from ``low`` to ``high``, numbers scaled by ``scale`` decimal
    digits, dates as proleptic ordinals. Booleans and text are ``words``; an ``is_open`` domain
    holds every other text as well.
    """

    kind: Kind
    nullable: bool
    low: int = 0
    high: int = 0
    scale: int = 0
    words: tuple[str, ...] = ()
    is_open: bool = False

    @property
    def is_ordered(self) -> bool:
        """Whether the values are integers that ranges and comparisons apply to."""
        return self.kind in (Kind.NUMBER, Kind.DATE)


SCORE_DOMAIN = Domain(kind=Kind.NUMBER, nullable=False, low=0, high=SCORE_HIGH)


def domain_of(fact: Fact) -> Domain:
    """Return the domain that the catalogue declares for a fact."""
    if fact.type is FactType.BOOL:
        return Domain(Kind.BOOL, fact.nullable, words=("false", "true"))
    if fact.type is FactType.ENUM:
        return Domain(Kind.TEXT, fact.nullable, words=fact.values)
    if fact.type is FactType.STRING:
        return Domain(Kind.TEXT, fact.nullable, is_open=True)
    if fact.type is FactType.DATE:
        kind, floor, ceiling = Kind.DATE, date.min.toordinal(), date.max.toordinal()
    else:
        kind, floor, ceiling = Kind.NUMBER, INT64_LOW, INT64_HIGH
    return Domain(
        kind,
        fact.nullable,
        low=floor if fact.minimum is None else fact.minimum,
        high=ceiling if fact.maximum is None else fact.maximum,
        scale=fact.scale,
    )


def output_domain(values: tuple[str, ...], *, complete: bool) -> Domain:
    """Return the domain of an earlier table's output; without a match it is null."""
    return Domain(Kind.TEXT, nullable=not complete, words=values)


def decimal_text(value: int, scale: int) -> str:
    """Write a scaled integer without needless zeros.

    >>> decimal_text(31500, 4), decimal_text(-5, 2), decimal_text(30000, 4)
    ('3.15', '-0.05', '3')
    """
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), 10**scale)
    digits = f"{rest:0{scale}d}".rstrip("0") if scale else ""
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def ordered_text(domain: Domain, value: int) -> str:
    """Write a number or date of the domain as a cell literal."""
    if domain.kind is Kind.DATE:
        return f"date({date.fromordinal(value).isoformat()})"
    return decimal_text(value, domain.scale)


def range_text(domain: Domain) -> str:
    """Say which values the domain holds, for messages."""
    if domain.is_open:
        return "any text"
    if not domain.is_ordered:
        return ", ".join(domain.words)
    return f"{ordered_text(domain, domain.low)} to {ordered_text(domain, domain.high)}"
