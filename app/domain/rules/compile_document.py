"""Compiling a document once, for one customer, for the whole book and for the checker alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.domain.facts.model import Fact
from app.domain.rules.cell_sets import Cell
from app.domain.rules.compile_table import TableInput, compile_table
from app.domain.rules.compiled import (
    CompiledCharacteristic,
    CompiledDimension,
    CompiledRuleSet,
    CompiledTable,
)
from app.domain.rules.domains import SCORE_DOMAIN, Domain, output_domain
from app.domain.rules.evaluation import Reason
from app.domain.rules.limits import Limits
from app.domain.rules.model import (
    DIMENSION_PREFIX,
    SCORE,
    Characteristic,
    RuleSetDocument,
    Table,
)
from app.domain.rules.partition import Partition, build_partition
from app.domain.rules.values import VALUE_TYPES

UNREAD = -1
MILLION = 1_000_000
_DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class _Inputs:
    """Every input's partition over all cells that read it, and what each cell became."""

    slots: dict[str, int] = field(default_factory=dict)
    partitions: list[Partition] = field(default_factory=list)
    masks: dict[tuple[str, Cell], int] = field(default_factory=dict)

    def add(self, name: str, domain: Domain, cells: Sequence[Cell]) -> None:
        """Partition one input; equal cells count once."""
        distinct = list(dict.fromkeys(cells))
        partition, masks = build_partition(name, domain, distinct)
        self.slots[name] = len(self.partitions)
        self.partitions.append(partition)
        self.masks.update(((name, cell), mask) for cell, mask in zip(distinct, masks, strict=True))

    def table_input(self, table: Table, name: str) -> TableInput:
        """Return one column of a table with the classes that each row accepts."""
        partition = self.partitions[self.slots[name]]
        every_class = (1 << partition.size) - 1
        accepted = [
            self.masks[name, rule.when[name]] if name in rule.when else every_class
            for rule in table.rules
        ]
        return TableInput(self.slots[name], partition, accepted)


def compile_unproved(
    document: RuleSetDocument, catalogue: Mapping[str, Fact], limits: Limits = _DEFAULT_LIMITS
) -> CompiledRuleSet:
    """Compile a document whose tables may not keep what they claim; nobody may decide by it."""
    inputs = _partitioned(document)
    dimensions = tuple(_dimension(document, name, inputs) for name in document.dimensions)
    tables = _tables(document, inputs, limits)
    facts = tuple(catalogue[name] for name in document.facts)
    by_name = {dimension.name: dimension for dimension in dimensions}
    return CompiledRuleSet(
        document=document,
        facts=facts,
        value_types=tuple(VALUE_TYPES[fact.type] for fact in facts),
        characteristics=tuple(
            _characteristic(item, inputs, by_name[item.dimension])
            for item in document.characteristics
        ),
        inputs=tuple(inputs.partitions),
        dimensions=dimensions,
        # Without a scorecard the score is given, if it is read.
        score_slot=inputs.slots.get(SCORE, UNREAD) if dimensions else UNREAD,
        tables=tables,
    )


def _tables(
    document: RuleSetDocument, inputs: _Inputs, limits: Limits
) -> tuple[CompiledTable, ...]:
    """Compile the tables; once all together are as dense as they may be, others are not."""
    left = limits.all_dense_cells
    tables: list[CompiledTable] = []
    for table in document.tables:
        columns = [inputs.table_input(table, name) for name in table.inputs]
        slot = inputs.slots.get(table.output.name, UNREAD)
        own = replace(limits, dense_cells=min(limits.dense_cells, left))
        tables.append(compile_table(table, columns, slot, own))
        left -= len(tables[-1].dense or ())
    return tuple(tables)


def _partitioned(document: RuleSetDocument) -> _Inputs:
    cells: dict[str, list[Cell]] = {name: [] for name in document.facts}
    for item in document.characteristics:
        cells[item.input] += [bin_.when for bin_ in item.bins]
    for table in document.tables:
        for name in table.inputs:
            column = cells.setdefault(name, [])
            column += [rule.when[name] for rule in table.rules if name in rule.when]
    outputs = {table.output.name: table for table in document.tables}
    inputs = _Inputs()
    for name, column in cells.items():
        if name in outputs:
            inputs.add(name, _reachable(outputs[name]), column)
        else:
            inputs.add(name, document.domains.get(name, SCORE_DOMAIN), column)
    return inputs


def _reachable(table: Table) -> Domain:
    """Return the domain of the answers that rows really give."""
    given = {rule.then for rule in table.rules}
    values = tuple(value for value in table.output.values if value in given)
    return output_domain(values, complete=table.complete)


def _dimension(document: RuleSetDocument, name: str, inputs: _Inputs) -> CompiledDimension:
    """Compile a dimension; its range is what some customer can really reach.

    Characteristics that read the same fact move together, so their points are added per class of
    that fact; different facts are independent.
    """
    sums: dict[int, list[int]] = {}
    for item in document.characteristics:
        if item.dimension == name:
            slot = inputs.slots[item.input]
            points = [item.bins[at].points for at in _bins(item, inputs)]
            before = sums.get(slot, [0] * len(points))
            sums[slot] = [a + b for a, b in zip(before, points, strict=True)]
    return CompiledDimension(
        name=name,
        weight=document.weights[name],
        low=sum(min(column) for column in sums.values()),
        high=sum(max(column) for column in sums.values()),
        steps=tuple(
            (slot, tuple(points - min(column) for points in column))
            for slot, column in sums.items()
        ),
        slot=inputs.slots.get(DIMENSION_PREFIX + name, UNREAD),
    )


def _bins(item: Characteristic, inputs: _Inputs) -> list[int]:
    """Return the bin of each class of the input; bins cover the domain without overlap."""
    partition = inputs.partitions[inputs.slots[item.input]]
    masks = [inputs.masks[item.input, bin_.when] for bin_ in item.bins]
    return [
        next(at for at, mask in enumerate(masks) if mask >> code & 1)
        for code in range(partition.size)
    ]


def _characteristic(
    item: Characteristic, inputs: _Inputs, dimension: CompiledDimension
) -> CompiledCharacteristic:
    span = dimension.high - dimension.low
    best = max(bin_.points for bin_ in item.bins)
    reasons: list[Reason | None] = []
    for at in _bins(item, inputs):
        bin_ = item.bins[at]
        lost = best - bin_.points
        rank = MILLION * dimension.weight * lost // span if span else 0
        code = (bin_.reason or item.reason).code
        reasons.append(Reason(code, item.id, bin_.points, lost, rank) if rank else None)
    return CompiledCharacteristic(item, inputs.slots[item.input], tuple(reasons))
