"""The compiled rule set: the same data for the scalar and the frame evaluator."""

from array import array
from dataclasses import dataclass
from typing import TypeAlias

from app.domain.facts.model import Fact
from app.domain.rules.bitmasks import members
from app.domain.rules.evaluation import Answer, Reason
from app.domain.rules.model import Characteristic, HitPolicy, RuleSetDocument, Table
from app.domain.rules.partition import Partition

Steps: TypeAlias = tuple[tuple[int, tuple[int, ...]], ...]
"""Slots, each with a number for every class of its input; the numbers are summed."""


@dataclass(frozen=True, slots=True)
class CompiledCharacteristic:
    """The reason, if any, that a characteristic gives, by the class of its input."""

    characteristic: Characteristic
    slot: int
    reasons: tuple[Reason | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledDimension:
    """One score dimension with the smallest and largest raw sum that can be reached.

    ``steps`` say what each fact adds to the smallest sum.
    """

    name: str
    weight: int
    low: int
    high: int
    steps: Steps
    slot: int

    def scaled(self, added: int) -> int:
        """Return the dimension's score, 0 to 1000, rounded half up."""
        span = self.high - self.low
        return (2000 * added + span) // (2 * span) if span else 0


@dataclass(frozen=True, slots=True)
class Result:
    """One possible answer of a table with the rows that give it."""

    answer: Answer
    fired: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledTable:
    """One table over the classes of its inputs.

    Per column, ``columns`` maps a class of the input to the table's own class, which merges what
    this table does not tell apart, and ``masks`` holds for each of those the rows that accept it.
    Bit ``b`` of a mask is the row ``ranked[b]``, better rows in lower bits. A small table is
    ``dense``: the sum of its ``steps`` indexes ``dense``, whose entries index
    ``results``. Otherwise masks are ANDed. Result 0 is "no row matched"; except under collect,
    result ``b + 1`` is the row of bit ``b``.
    """

    table: Table
    slots: tuple[int, ...]
    columns: tuple[tuple[int, ...], ...]
    masks: tuple[tuple[int, ...], ...]
    ranked: tuple[int, ...]
    steps: Steps
    dense: "array[int] | None"
    results: tuple[Result, ...]
    slot: int

    @property
    def is_collect(self) -> bool:
        """Whether the answer is a set."""
        return self.table.hit_policy is HitPolicy.COLLECT


def collected(table: Table, mask: int) -> Result:
    """Return the answer of a collect table for a set of matching rows."""
    fired = [table.rules[at] for at in members(mask)]
    given = {rule.then for rule in fired}
    answer = tuple(value for value in table.output.values if value in given)
    return Result(answer, tuple(rule.id for rule in fired))


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRuleSet:
    """A rule set ready to run.

    ``inputs`` holds a partition per slot: facts first, as ``facts`` orders them, then the scores
    and earlier outputs that tables read. A ``slot`` of -1 says that nothing reads the value.
    ``value_types`` has the exact Python type of each fact's values, ``characteristics`` all of
    them in the order of the document.
    """

    document: RuleSetDocument
    facts: tuple[Fact, ...]
    value_types: tuple[type[object], ...]
    characteristics: tuple[CompiledCharacteristic, ...]
    inputs: tuple[Partition, ...]
    dimensions: tuple[CompiledDimension, ...]
    score_slot: int
    tables: tuple[CompiledTable, ...]
