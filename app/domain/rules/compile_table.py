"""Compiling one table: classes, bitmasks, and the dense array while it is small."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod

from app.domain.rules.bitmasks import transposed
from app.domain.rules.compiled import CompiledTable, Result, Steps, collected
from app.domain.rules.limits import Limits
from app.domain.rules.model import HitPolicy, Table
from app.domain.rules.partition import Partition


@dataclass(frozen=True, slots=True)
class TableInput:
    """One column: its slot, its partition, and for each row the classes it accepts (bitmask)."""

    slot: int
    partition: Partition
    accepted: Sequence[int]


def compile_table(
    table: Table, inputs: Sequence[TableInput], slot: int, limits: Limits
) -> CompiledTable:
    """Compile a table; whether it keeps what it claims is the checker's matter."""
    ranked = _ranked(table)
    columns, masks = [], []
    for column in inputs:
        classes, rows = _own_classes(column, ranked)
        columns.append(classes)
        masks.append(rows)
    sizes = [len(rows) for rows in masks]
    dense: array[int] | None = None
    results: tuple[Result, ...] = tuple(_single_results(table, ranked))
    slots = tuple(column.slot for column in inputs)
    steps: Steps = ()
    if prod(sizes) <= limits.dense_cells:
        dense, results = _dense(_Rows.of(table, ranked, masks))
        strides = [prod(sizes[at + 1 :]) for at in range(len(sizes))]
        steps = tuple(
            (slot, tuple(code * stride for code in column))
            for slot, column, stride in zip(slots, columns, strides, strict=True)
        )
    return CompiledTable(
        table=table,
        slots=slots,
        columns=tuple(columns),
        masks=tuple(masks),
        ranked=ranked,
        steps=steps,
        dense=dense,
        results=results,
        slot=slot,
    )


def _ranked(table: Table) -> tuple[int, ...]:
    rows = range(len(table.rules))
    if table.hit_policy is not HitPolicy.PRIORITY:
        return tuple(rows)
    rank = {value: at for at, value in enumerate(table.output.values)}
    return tuple(sorted(rows, key=lambda row: rank[table.rules[row].then]))


def _own_classes(
    column: TableInput, ranked: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Merge the input's classes that this table does not tell apart."""
    own: dict[int, int] = {}
    rows = transposed([column.accepted[row] for row in ranked], column.partition.size)
    classes = tuple(own.setdefault(mask, len(own)) for mask in rows)
    return classes, tuple(own)


def _single_results(table: Table, ranked: Sequence[int]) -> list[Result]:
    if table.hit_policy is HitPolicy.COLLECT:
        return [Result((), ())]
    rules = [table.rules[row] for row in ranked]
    return [Result(None, ()), *(Result(rule.then, (rule.id,)) for rule in rules)]


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the dense array of a table depends on; equal ones of many rule sets are one."""

    hit_policy: HitPolicy
    values: tuple[str, ...]
    rules: tuple[tuple[str, str], ...]
    masks: tuple[tuple[int, ...], ...]
    ranked: tuple[int, ...]
    table: Table = field(compare=False)

    @classmethod
    def of(cls, table: Table, ranked: tuple[int, ...], masks: Sequence[tuple[int, ...]]) -> "_Rows":
        """Return those of a table."""
        rules = tuple((rule.id, rule.then) for rule in table.rules)
        return cls(table.hit_policy, table.output.values, rules, tuple(masks), ranked, table)


# Rule sets that extend another share most of its tables. A few, since an array takes up to 4 MB.
@lru_cache(maxsize=16)
def _dense(rows: _Rows) -> "tuple[array[int], tuple[Result, ...]]":
    """Return the dense array and the results that it indexes; nobody changes either."""
    sizes = [len(column) for column in rows.masks]
    results = _single_results(rows.table, rows.ranked)
    builder = _DenseBuilder(rows.table, rows.masks, sizes, results)
    dense = builder.block(0, (1 << len(rows.ranked)) - 1)
    return dense, tuple(builder.results)


@dataclass(slots=True)
class _DenseBuilder:
    """Writes the dense array; equal sub-tables are written once and copied."""

    table: Table
    masks: Sequence[Sequence[int]]
    sizes: Sequence[int]
    results: list[Result]
    blocks: "dict[tuple[int, int], array[int]]" = field(default_factory=dict)
    sets: dict[int, int] = field(default_factory=lambda: {0: 0})

    def block(self, depth: int, mask: int) -> "array[int]":
        """Return the results of all class combinations of the columns from ``depth`` on."""
        if (depth, mask) in self.blocks:
            return self.blocks[depth, mask]
        if depth == len(self.sizes) or mask == 0:
            block = array("I", [self._result(mask)]) * prod(self.sizes[depth:])
        else:
            block = array("I")
            for accepted in self.masks[depth]:
                block += self.block(depth + 1, mask & accepted)
        self.blocks[depth, mask] = block
        return block

    def _result(self, mask: int) -> int:
        if self.table.hit_policy is not HitPolicy.COLLECT:
            return (mask & -mask).bit_length()
        if mask not in self.sets:
            self.sets[mask] = len(self.results)
            self.results.append(collected(self.table, mask))
        return self.sets[mask]
