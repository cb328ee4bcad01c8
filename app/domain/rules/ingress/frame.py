"""Classes of a whole frame's facts, with the same refusals as for one customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import polars as pl

from app.domain.facts.model import Fact, FactType
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.domains import Domain, Kind
from app.domain.rules.evaluation import NULL_PROBLEM, RANGE_PROBLEM, TYPE_PROBLEM
from app.domain.rules.partition import Partition

INPUT_ERROR = "input_error"
MAX_CHAIN = 16
CACHED_READINGS = 32
EPOCH = date(1970, 1, 1).toordinal()
_INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)
_TEXTS = (pl.String, pl.Categorical, pl.Enum)
_COLUMN_TYPES: dict[FactType, tuple[type[pl.DataType], ...]] = {
    FactType.INT: _INTEGERS,
    FactType.DECIMAL: _INTEGERS,
    FactType.BOOL: (pl.Boolean,),
    FactType.ENUM: _TEXTS,
    FactType.DATE: (pl.Date,),
    FactType.STRING: _TEXTS,
}


def class_column(slot: int) -> str:
    """Return the name of the column that holds an input's classes."""
    return f"class {slot}"


def fact_classes(
    compiled: CompiledRuleSet, frame: pl.DataFrame
) -> tuple[pl.DataFrame, pl.Series | None]:
    """Return the class of every fact, and each row's input error if there are any.

    A missing column, null and NaN are null. A row with an error has meaningless classes; the
    error names the first fact that cannot be judged, in the rule set's order, never its value.
    """
    schema = frame.schema
    reading = _reading(compiled, tuple(schema.get(fact.name) for fact in compiled.facts))
    # A column that reads nothing from the frame is one row high without one that does.
    values = frame.with_columns(reading.values).select(reading.names)
    # Extremes are looked at first: they cost far less than a column of messages.
    doubts = values.select(reading.doubts).row(0)
    problems = [problem for problem, is_met in zip(reading.problems, doubts, strict=True) if is_met]
    errors = None
    if problems:
        errors = values.select(pl.coalesce(problems).alias(INPUT_ERROR)).to_series()
    classes = values.select(reading.classes)
    return classes, errors if errors is not None and errors.null_count() < len(errors) else None


def ordered_classes(value: pl.Expr, partition: Partition, dtype: type[pl.DataType]) -> pl.Expr:
    """Return the classes of a column of numbers; null and out-of-range rows are meaningless.

    A few breakpoints run as one chain of comparisons, many as a binary search: the time per row
    does not follow the number of rows in the tables, and long chains crash Polars.
    """
    codes = partition.start_classes
    starts = _physical(partition)[1:]
    code_type = index_type(partition.size)
    if len(starts) > MAX_CHAIN:
        at = pl.lit(pl.Series(starts, dtype=dtype)).search_sorted(value, side="right")
        return pl.lit(pl.Series(codes, dtype=code_type)).gather(at)
    chain = pl.lit(codes[-1], dtype=code_type)
    # Built from the last breakpoint to the first, so that the first is asked first.
    for start, code in zip(reversed(starts), reversed(codes[:-1]), strict=True):
        below = value < pl.lit(start, dtype=dtype)
        chain = pl.when(below).then(pl.lit(code, dtype=code_type)).otherwise(chain)
    return chain


def index_type(size: int) -> type[pl.DataType]:
    """Return the narrowest type that indexes so many entries."""
    if size <= 1 << 8:
        return pl.UInt8
    return pl.UInt16 if size <= 1 << 16 else pl.UInt32


def _physical(partition: Partition) -> Sequence[int]:
    shift = EPOCH if partition.domain.kind is Kind.DATE else 0
    return [start - shift for start in partition.starts]


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the facts of frames of one schema are read: ``values``, then the rest over these."""

    values: Sequence[pl.Expr]
    names: Sequence[str]
    doubts: Sequence[pl.Expr]
    problems: Sequence[pl.Expr]
    classes: Sequence[pl.Expr]


@lru_cache(maxsize=CACHED_READINGS)
def _reading(compiled: CompiledRuleSet, types: tuple[pl.DataType | None, ...]) -> _Reading:
    """Build the expressions once: for small frames that takes longer than evaluating them."""
    readers = [
        _FactReader(fact, compiled.inputs[slot], slot, dtype)
        for slot, (fact, dtype) in enumerate(zip(compiled.facts, types, strict=True))
    ]
    values = [expr for reader in readers for expr in (reader.value(), reader.null())]
    problems = [problem for reader in readers for problem in reader.problems()]
    return _Reading(
        values,
        [expr.meta.output_name() for expr in values],
        [is_met.alias(str(at)) for at, (is_met, _) in enumerate(problems)],
        [problem for _, problem in problems],
        [reader.classes() for reader in readers],
    )


class _FactReader:
    """Expressions for one fact: over the frame first, then over the values taken from it."""

    def __init__(
        self, fact: Fact, partition: Partition, slot: int, dtype: pl.DataType | None
    ) -> None:
        self._fact = fact
        self._partition = partition
        self._slot = slot
        self._column = pl.lit(None) if dtype is None else pl.col(fact.name)
        self._is_float = dtype is not None and dtype.is_float()
        self._is_typed = isinstance(dtype, _COLUMN_TYPES[fact.type])
        self._is_absent = dtype is None or isinstance(dtype, pl.Null)

    @property
    def _domain(self) -> Domain:
        return self._partition.domain

    def value(self) -> pl.Expr:
        """Return the column as numbers, booleans or places in the list of words; else null."""
        if not self._is_typed:
            value = pl.lit(None, dtype=pl.Int64)
            if not self._domain.is_ordered:
                value = pl.lit(None, dtype=pl.Boolean if self._is_bool else pl.UInt32)
            return value.alias(self._value_name)
        if self._is_bool:
            value = self._column
        elif not self._domain.is_ordered:
            words = pl.Enum(list(self._partition.word_classes))
            value = self._column.cast(pl.String).cast(words, strict=False).to_physical()
        elif self._domain.kind is Kind.DATE:
            value = self._column.to_physical()
        else:
            value = self._column.cast(pl.Int64)
        return value.alias(self._value_name)

    def null(self) -> pl.Expr:
        """Return whether the fact is null."""
        if self._is_absent:
            return pl.lit(value=True).alias(self._null_name)
        null = self._column.is_null()
        if self._is_float:
            null |= self._column.is_nan()
        return null.alias(self._null_name)

    def problems(self) -> list[tuple[pl.Expr, pl.Expr]]:
        """Return each possible problem: whether some row has it, and its message where it has."""
        null = pl.col(self._null_name)
        found: list[tuple[pl.Expr, pl.Expr, str]] = []
        if self._partition.null_class < 0:
            found.append((null.any(), null, NULL_PROBLEM))
        if not self._is_typed and not self._is_absent:
            found.append(((~null).any(), ~null, TYPE_PROBLEM))
        elif self._is_typed and not self._is_bool and not self._domain.is_open:
            found.append((self._leaves_range(), self._outside(), RANGE_PROBLEM))
        return [
            (is_met, pl.when(rows).then(pl.lit(f"{self._fact.name} {problem}")).otherwise(None))
            for is_met, rows, problem in found
        ]

    def classes(self) -> pl.Expr:
        """Return the class of each value."""
        partition = self._partition
        dtype = index_type(partition.size)
        value = pl.col(self._value_name)
        if self._is_bool:
            true, false = (partition.word_classes[word] for word in ("true", "false"))
            given = pl.when(value).then(pl.lit(true, dtype)).otherwise(pl.lit(false, dtype))
        elif self._domain.is_ordered:
            is_date = self._is_typed and self._domain.kind is Kind.DATE
            given = ordered_classes(value, partition, pl.Int32 if is_date else pl.Int64)
        else:
            codes = [*partition.word_classes.values(), max(partition.other_class, 0)]
            places = value.fill_null(len(codes) - 1)
            given = pl.lit(pl.Series(codes, dtype=dtype)).gather(places)
        null = pl.lit(max(partition.null_class, 0), dtype)
        chosen = pl.when(pl.col(self._null_name)).then(null).otherwise(given)
        return chosen.alias(class_column(self._slot))

    @property
    def _is_bool(self) -> bool:
        return self._domain.kind is Kind.BOOL

    @property
    def _value_name(self) -> str:
        return f"value {self._slot}"

    @property
    def _null_name(self) -> str:
        return f"null {self._slot}"

    def _leaves_range(self) -> pl.Expr:
        value = pl.col(self._value_name)
        if not self._domain.is_ordered:
            return value.null_count() != pl.col(self._null_name).sum()
        low, high = self._bounds()
        return (value.min() < low).fill_null(value=False) | (value.max() > high).fill_null(
            value=False
        )

    def _bounds(self) -> tuple[int, int]:
        shift = EPOCH if self._domain.kind is Kind.DATE else 0
        return self._domain.low - shift, self._domain.high - shift

    def _outside(self) -> pl.Expr:
        value = pl.col(self._value_name)
        if not self._domain.is_ordered:
            return value.is_null() & ~pl.col(self._null_name)
        low, high = self._bounds()
        return (value < low) | (value > high)
