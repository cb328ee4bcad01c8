"""The rule-set document as immutable data; `app.domain.rules.document` reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.facts.model import FactValue
from app.domain.rules.cell_sets import Cell
from app.domain.rules.domains import Domain

FORMAT = "tiering/1"
SCORE = "score"
DIMENSION_PREFIX = "dimension."


class HitPolicy(StrEnum):
    """What a table answers when several rows match (the names are DMN's)."""

    UNIQUE = "unique"
    ANY = "any"
    FIRST = "first"
    PRIORITY = "priority"
    COLLECT = "collect"


class Trend(StrEnum):
    """How points are meant to move as the input grows."""

    INCREASING = "increasing"
    DECREASING = "decreasing"
    NONE = "none"


class DowngradeStep(StrEnum):
    """How far one downgrade may go."""

    ONE = "one"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Text:
    """One text in the two languages of the service."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class ReasonText:
    """A reason code, never reused, and what it says."""

    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class Bin:
    """One interval or category of a characteristic; a bin for null may carry its own reason."""

    when: Cell
    points: int
    reason: ReasonText | None = None


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One scorecard column: a fact, and points for each of its bins."""

    id: str
    dimension: str
    input: str
    trend: Trend
    reason: ReasonText
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """What a table decides, and the answers it may give, best first."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One table row; an input that ``when`` leaves out may have any value."""

    id: str
    when: Mapping[str, Cell]
    then: str


@dataclass(frozen=True, slots=True)
class Table:
    """One decision table; ``domains`` holds the domain of each of its inputs."""

    id: str
    output: Output
    hit_policy: HitPolicy
    complete: bool
    inputs: tuple[str, ...]
    domains: Mapping[str, Domain]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Stability:
    """When an evaluated downgrade takes effect."""

    downgrade_cooldown_days: int
    downgrade_step: DowngradeStep
    grace_days: int
    min_dwell_days: int


@dataclass(frozen=True, slots=True)
class Example:
    """One of the document's own tests: facts in, scores and outcomes expected.

    ``facts`` holds what the test names and is not null.

    ``expect`` maps ``score``, ``dimension.<d>`` or an output's name to the expected answer: an
    integer, a text, None for unmatched, or a tuple under the collect policy.
    """

    facts: Mapping[str, FactValue]
    expect: Mapping[str, int | str | tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class RuleSetDocument:
    """A complete, resolved and checked rule-set document.

    ``risk_model`` is the version of the model that the judgement of risk was taken from, which
    every decision stores beside the hash; None where the document stands for itself.

    ``domains`` holds the domain of every fact that is read or named, and ``lineage`` the
    templates the document was resolved from. Both are no part of its meaning, so neither equality
    nor the hash sees them.
    """

    id: str
    product_line: str
    title: Text
    objective: str
    objectives: Mapping[str, Mapping[str, int]]
    top_reasons: int
    characteristics: tuple[Characteristic, ...]
    tables: tuple[Table, ...]
    stability: Stability
    tests: tuple[Example, ...]
    domains: Mapping[str, Domain] = field(compare=False)
    risk_model: str | None = None
    lineage: tuple[str, ...] = field(default=(), compare=False)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The score dimensions in the order in which characteristics name them."""
        return tuple(dict.fromkeys(item.dimension for item in self.characteristics))

    @property
    def weights(self) -> Mapping[str, int]:
        """The weight of each dimension, per mille, under the document's objective."""
        return self.objectives[self.objective]

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that the document reads, in the order of their first use.

        Of a part of a document that has no scorecard, scores are given like facts.
        """
        derived = {table.output.name for table in self.tables}
        if self.characteristics:
            derived |= {SCORE, *(DIMENSION_PREFIX + name for name in self.dimensions)}
        named = [item.input for item in self.characteristics]
        named += [name for table in self.tables for name in table.inputs]
        return tuple(name for name in dict.fromkeys(named) if name not in derived)
