"""The closed vocabulary of a mapping: what a value may be made of, and when it applies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from app.domain.records.casting.reading import Reading

Scalar: TypeAlias = str | int | bool | None


class Comparison(StrEnum):
    """How two values compare; a comparison with an absent value is false."""

    EQUALS = "equals"
    DIFFERS = "differs"
    BELOW = "below"
    AT_MOST = "at_most"
    ABOVE = "above"
    AT_LEAST = "at_least"


class Choice(StrEnum):
    """How one of several values is taken; absent ones are passed over."""

    COALESCE = "coalesce"
    LEAST = "least"
    GREATEST = "greatest"


class Neighbour(StrEnum):
    """Another row of the same group, in the group's order, after the filters."""

    NEXT = "next"
    PREVIOUS = "previous"
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class From:
    """The value of a source column."""

    path: str
    column: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value in every row."""

    path: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class Template:
    """Text with the values of columns in it; absent if one of them is.

    ``parts`` alternates between text and column names, beginning and ending with text.
    """

    path: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """One of several values."""

    path: str
    choice: Choice
    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """The value of a column in another row of the group."""

    path: str
    neighbour: Neighbour
    column: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A value, and when it is taken."""

    when: Condition
    then: Expression


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first branch whose condition holds."""

    path: str
    branches: tuple[Branch, ...]
    otherwise: Expression | None


@dataclass(frozen=True, slots=True)
class As:
    """A value read as a type."""

    path: str
    value: Expression
    reading: Reading


@dataclass(frozen=True, slots=True)
class Translated:
    """A value looked up in a list of words; one that is not listed is an error or `otherwise`."""

    path: str
    value: Expression
    words: Mapping[str, str | None]
    otherwise: Constant | None


@dataclass(frozen=True, slots=True)
class Default:
    """A value, or a constant where it is absent."""

    path: str
    value: Expression
    default: Constant


Expression: TypeAlias = (
    From | Constant | Template | Chosen | Beside | Case | As | Translated | Default
)


@dataclass(frozen=True, slots=True)
class Compared:
    """Two values compared."""

    path: str
    left: Expression
    comparison: Comparison
    right: Expression


@dataclass(frozen=True, slots=True)
class OneOf:
    """The text of a value is one of a list."""

    path: str
    value: Expression
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Absent:
    """A value is absent, or is not."""

    path: str
    value: Expression
    is_absent: bool


@dataclass(frozen=True, slots=True)
class Every:
    """All conditions hold."""

    path: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one condition holds."""

    path: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold."""

    path: str
    condition: Condition


Condition: TypeAlias = Compared | OneOf | Absent | Every | Some | Not
