"""What may be changed to lift an outcome, as both evaluators see it."""

from dataclasses import dataclass

from app.domain.facts.model import FactValue
from app.domain.rules.compiled import CompiledRuleSet, CompiledTable
from app.domain.rules.paths import facts_reaching


@dataclass(frozen=True, slots=True)
class Move:
    """One fact's smallest change that lifts the outcome, and what the outcome is then."""

    fact: str
    current: FactValue
    to: FactValue
    reaches: str


@dataclass(frozen=True, slots=True)
class Gap:
    """The way from the current answer to a better one; no ``moves`` means none was found.

    ``target`` is the next better answer; a move may reach a still better one.
    """

    outcome: str
    current: str
    target: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Levers:
    """The table that decides an outcome, the tables it needs, and the slots one may change."""

    table: CompiledTable
    tables: tuple[CompiledTable, ...]
    slots: tuple[int, ...]
    ranks: dict[str, int]


def levers(compiled: CompiledRuleSet, outcome: str) -> Levers:
    """Return what bears on a single-valued outcome.

    Only facts that the customer can influence and that reach the outcome are levers, in the order
    in which the rule set uses them. Raises ValueError for an outcome that the rule set does not
    decide or that is a set.
    """
    tables = {table.table.output.name: table for table in compiled.tables}
    if outcome not in tables or tables[outcome].is_collect:
        message = f"{outcome} is no single outcome of the rule set {compiled.document.id}."
        raise ValueError(message)
    table = tables[outcome]
    needed = {outcome}
    for earlier in reversed(compiled.tables):
        if earlier.table.output.name in needed:
            needed.update(earlier.table.inputs)
    reaching = facts_reaching(compiled.document)[outcome]
    return Levers(
        table=table,
        tables=tuple(item for item in compiled.tables if item.table.output.name in needed),
        slots=tuple(
            slot
            for slot, fact in enumerate(compiled.facts)
            if fact.influenceable and fact.name in reaching
        ),
        ranks={value: rank for rank, value in enumerate(table.table.output.values)},
    )
