"""Walking through an evaluation with the values in hand.

What fired and what it gave is taken from `evaluate`, so a trace never tells of another evaluation.
Beside it every cell is read once more as the set of values that it is.
"""

from collections.abc import Iterator, Mapping

from app.domain.facts.model import FactValue
from app.domain.rules.cell_sets import Cell
from app.domain.rules.compile_document import MILLION
from app.domain.rules.compiled import CompiledDimension, CompiledRuleSet
from app.domain.rules.evaluation import Evaluation
from app.domain.rules.model import DIMENSION_PREFIX, SCORE, Characteristic, Rule, Table
from app.domain.rules.scalar import evaluate
from app.domain.rules.trace.model import (
    FailingCell,
    Seen,
    Trace,
    TracedCharacteristic,
    TracedDimension,
    TracedRow,
    TracedTable,
)
from app.domain.rules.values import domain_value, fact_value


def trace(compiled: CompiledRuleSet, facts: Mapping[str, FactValue]) -> Trace:
    """Explain how a rule set judges one customer's facts.

    Raises InputError as `evaluate` does.
    """
    evaluation = evaluate(compiled, facts)
    values = _values(compiled, facts, evaluation)
    document = compiled.document
    dimensions = {dimension.name: dimension for dimension in compiled.dimensions}
    characteristics = tuple(
        _characteristic(
            item,
            Seen(item.input, values[item.input], document.domains[item.input]),
            dimensions[item.dimension],
        )
        for item in document.characteristics
    )
    return Trace(
        evaluation=evaluation,
        characteristics=characteristics,
        dimensions=tuple(
            _dimension(dimension, characteristics, evaluation.dimensions[dimension.name])
            for dimension in compiled.dimensions
        ),
        tables=tuple(_table(table, values, evaluation) for table in document.tables),
    )


def _values(
    compiled: CompiledRuleSet, facts: Mapping[str, FactValue], evaluation: Evaluation
) -> dict[str, FactValue]:
    """Return what stands at every input that tables and characteristics may read."""
    values = {fact.name: _known(facts.get(fact.name)) for fact in compiled.facts}
    values[SCORE] = evaluation.score
    for name, score in evaluation.dimensions.items():
        values[DIMENSION_PREFIX + name] = score
    # A set is no input of any table.
    outcomes = evaluation.outcomes.items()
    values |= {name: answer for name, answer in outcomes if not isinstance(answer, tuple)}
    return values


def _known(value: FactValue | float) -> FactValue:
    """Return the value as evaluation took it: the one float that it takes is NaN, for null."""
    return None if isinstance(value, float) else value


def _characteristic(
    item: Characteristic, seen: Seen, dimension: CompiledDimension
) -> TracedCharacteristic:
    value = domain_value(seen.value)
    bin_ = next(bin_ for bin_ in item.bins if bin_.when.holds(value))
    best = max(bin_.points for bin_ in item.bins)
    span = dimension.high - dimension.low
    rank = MILLION * dimension.weight * (best - bin_.points) // span if span else 0
    return TracedCharacteristic(item, seen, bin_, best, dimension.weight, rank)


def _dimension(
    dimension: CompiledDimension, items: tuple[TracedCharacteristic, ...], score: int
) -> TracedDimension:
    raw = sum(i.bin.points for i in items if i.characteristic.dimension == dimension.name)
    return TracedDimension(
        dimension.name, dimension.weight, raw, dimension.low, dimension.high, score
    )


def _table(table: Table, values: Mapping[str, FactValue], evaluation: Evaluation) -> TracedTable:
    seen = {name: Seen(name, values[name], table.domains[name]) for name in table.inputs}
    rows = [TracedRow(rule, table, tuple(_failing(rule, seen))) for rule in table.rules]
    fired_ids = evaluation.fired[table.id]
    matching = [row for row in rows if not row.failing]
    return TracedTable(
        table=table,
        answer=evaluation.outcomes[table.output.name],
        inputs=tuple(seen.values()),
        fired=tuple(row for row in matching if row.rule.id in fired_ids),
        passed_over=tuple(row for row in matching if row.rule.id not in fired_ids),
        nearest=_nearest(table, rows),
    )


def _failing(rule: Rule, seen: Mapping[str, Seen]) -> Iterator[FailingCell]:
    for name, cell in rule.when.items():
        value = domain_value(seen[name].value)
        if not cell.holds(value):
            yield _measured(seen[name], cell, value)


def _measured(seen: Seen, cell: Cell, value: int | str | None) -> FailingCell:
    """Say how far a value is from what a cell takes, where that can be said."""
    if not isinstance(value, int) or not cell.spans:
        return FailingCell(seen, cell)
    nearest = min(
        (min(max(value, low), high) for low, high in cell.spans), key=lambda end: abs(end - value)
    )
    return FailingCell(seen, cell, fact_value(seen.domain, nearest), abs(nearest - value))


def _nearest(table: Table, rows: list[TracedRow]) -> TracedRow | None:
    ranks = {value: rank for rank, value in enumerate(table.output.values)}
    # Of equal ones the first is kept, which is the one declared first.
    return min(
        (row for row in rows if row.failing),
        key=lambda row: (len(row.failing), ranks[row.rule.then]),
        default=None,
    )
