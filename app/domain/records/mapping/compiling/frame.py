"""The vocabulary of a mapping as Polars expressions, typed by the file it is applied to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import and_, or_
from typing import Final, TypeAlias, assert_never

import polars as pl

from app.domain.records.casting.frame import as_text, cast
from app.domain.records.casting.reading import Reading
from app.domain.records.findings import Finding, nearest
from app.domain.records.mapping.document import Group
from app.domain.records.mapping.expressions import (
    Absent,
    As,
    Beside,
    Case,
    Choice,
    Chosen,
    Compared,
    Comparison,
    Condition,
    Constant,
    Default,
    Every,
    Expression,
    From,
    Neighbour,
    Not,
    OneOf,
    Some,
    Template,
    Translated,
)
from app.domain.records.specs import ColumnType

Failure: TypeAlias = tuple[pl.Expr, str]
"""A condition under which a value could not be read, and its code."""

_NOTHING: Final = pl.Null()
_UNMAPPED: Final = "unmapped-value"
_COMPARE: Final = {
    Comparison.EQUALS: pl.Expr.eq,
    Comparison.DIFFERS: pl.Expr.ne,
    Comparison.BELOW: pl.Expr.lt,
    Comparison.AT_MOST: pl.Expr.le,
    Comparison.ABOVE: pl.Expr.gt,
    Comparison.AT_LEAST: pl.Expr.ge,
}
_UNORDERED: Final = frozenset({Comparison.EQUALS, Comparison.DIFFERS})


@dataclass(frozen=True, slots=True)
class Value:
    """A compiled value; a constant keeps what was written, since its type is still open."""

    expr: pl.Expr
    dtype: pl.DataType
    failures: tuple[Failure, ...] = ()
    constant: Constant | None = None


class Compiler:
    """Compiles for one file; what the file cannot give is noted in `findings`."""

    def __init__(self, header: pl.Schema, group: Group | None, zone: str) -> None:
        self.header = header
        self.by = list(group.by) if group else []
        self.zone = zone
        self.used: set[str] = set()
        self.findings: list[Finding] = []

    def note(self, path: str, message: str, remedy: str) -> None:
        """Remember something wrong."""
        self.findings.append(Finding(path, message, remedy))

    def column(self, name: str, path: str) -> Value:
        """A column of the file."""
        if name not in self.header:
            self.note(path, f"the file has no column {name!r}", nearest(name, self.header))
            return Value(pl.lit(None), _NOTHING)
        self.used.add(name)
        return Value(pl.col(name), self.header[name])

    def is_at_edge(self, *, is_last: bool) -> pl.Expr:
        """Whether a row is the first (or the last) of its group."""
        step = -1 if is_last else 1
        here = pl.int_range(pl.len())
        edge = here == (pl.len() - 1 if is_last else 0)
        differs = (pl.col(name).ne_missing(pl.col(name).shift(step)) for name in self.by)
        return reduce(or_, differs, edge)

    # ---------------------------------------------------------------------------------- values

    def value(self, node: Expression) -> Value:
        """The value that a node of a mapping stands for."""
        match node:
            case From():
                return self.column(node.column, node.path)
            case Constant():
                return Value(pl.lit(node.value), _dtype_of(node), (), node)
            case Template():
                return self._template(node)
            case Chosen():
                return self._chosen(node)
            case Beside():
                return self._beside(node)
            case _:
                return self._derived(node)

    def _derived(self, node: Case | As | Translated | Default) -> Value:
        match node:
            case Case():
                return self._case(node)
            case As():
                return self._as(node)
            case Translated():
                return self._translated(node)
            case Default():
                return self._default(node)
            case _:
                assert_never(node)

    def _template(self, node: Template) -> Value:
        parts: list[pl.Expr] = []
        for place, part in enumerate(node.parts):
            if place % 2 == 0:
                parts.append(pl.lit(part))
                continue
            column = self.column(part, node.path)
            parts.append(self._text(column, node.path))
        return Value(pl.concat_str(parts), pl.String())

    def _chosen(self, node: Chosen) -> Value:
        values = self._aligned(node.path, *(self.value(item) for item in node.values))
        exprs = [value.expr for value in values]
        if node.choice is Choice.COALESCE:
            expr = pl.coalesce(exprs)
        else:
            self._refuse_text_order(values, node.path)
            is_least = node.choice is Choice.LEAST
            expr = pl.min_horizontal(exprs) if is_least else pl.max_horizontal(exprs)
        failures = tuple(failure for value in values for failure in value.failures)
        return Value(expr, values[0].dtype, failures)

    def _beside(self, node: Beside) -> Value:
        column = self.column(node.column, node.path)
        if not self.by:
            self.note(node.path, "there are no groups of rows here", "add source.group")
            return column
        if node.neighbour in {Neighbour.FIRST, Neighbour.LAST}:
            ends = column.expr.first() if node.neighbour is Neighbour.FIRST else column.expr.last()
            return Value(ends.over(self.by), column.dtype)
        is_next = node.neighbour is Neighbour.NEXT
        shifted = column.expr.shift(-1 if is_next else 1)
        return Value(pl.when(~self.is_at_edge(is_last=is_next)).then(shifted), column.dtype)

    def _case(self, node: Case) -> Value:
        thens = [self.value(branch.then) for branch in node.branches]
        rest = (
            Value(pl.lit(None), _NOTHING) if node.otherwise is None else self.value(node.otherwise)
        )
        *thens, rest = self._aligned(node.path, *thens, rest)
        expr, failures, before = rest.expr, [], pl.lit(value=False)
        chain: list[tuple[pl.Expr, pl.Expr]] = []
        for branch, then in zip(node.branches, thens, strict=True):
            holds = self.condition(branch.when)
            failures += [(holds & ~before & failed, code) for failed, code in then.failures]
            chain.append((holds, then.expr))
            before |= holds
        failures += [(~before & failed, code) for failed, code in rest.failures]
        for holds, then_expr in reversed(chain):
            expr = pl.when(holds).then(then_expr).otherwise(expr)
        return Value(expr, thens[0].dtype if thens else rest.dtype, tuple(failures))

    def _as(self, node: As) -> Value:
        value = self.value(node.value)
        reading = node.reading
        read = cast(value.expr, value.dtype, reading)
        if read is None:
            self.note(
                node.path,
                f"a column of type {value.dtype} cannot be read as {reading.type}",
                "map another column, or convert the file",
            )
            return value
        failures = (*value.failures, *read.failures)
        if reading.type is not ColumnType.DECIMAL:
            return Value(read.value, read.dtype, failures)
        unit = pl.lit(Decimal(1).scaleb(-reading.scale))
        dtype = pl.Decimal(38, reading.scale)
        return Value((read.value.cast(dtype) * unit).cast(dtype), dtype, failures)

    def _translated(self, node: Translated) -> Value:
        value = self.value(node.value)
        text = self._text(value, node.path)
        words = list(node.words)
        is_listed = text.is_in(words)
        mapped = text.replace_strict(
            pl.Series(words, dtype=pl.String),
            pl.Series(list(node.words.values()), dtype=pl.String),
            default=None,
            return_dtype=pl.String,
        )
        if node.otherwise is None:
            unlisted = (text.is_not_null() & ~is_listed, _UNMAPPED)
            return Value(mapped, pl.String(), (*value.failures, unlisted))
        other = node.otherwise.value
        rest = pl.lit(None if other is None else str(other), dtype=pl.String)
        return Value(
            pl.when(text.is_not_null() & ~is_listed).then(rest).otherwise(mapped),
            pl.String(),
            value.failures,
        )

    def _default(self, node: Default) -> Value:
        value, default = self._aligned(node.path, self.value(node.value), self.value(node.default))
        return Value(pl.coalesce(value.expr, default.expr), value.dtype, value.failures)

    # ------------------------------------------------------------------------------ conditions

    def condition(self, node: Condition) -> pl.Expr:
        """The condition that a node of a mapping stands for; it is never null."""
        match node:
            case Compared():
                return self._compared(node)
            case OneOf():
                text = self._text(self.value(node.value), node.path)
                return text.is_in(list(node.words)).fill_null(value=False)
            case Absent():
                expr = self.value(node.value).expr
                return expr.is_null() if node.is_absent else expr.is_not_null()
            case Every():
                return reduce(and_, map(self.condition, node.conditions), pl.lit(value=True))
            case Some():
                return reduce(or_, map(self.condition, node.conditions), pl.lit(value=False))
            case Not():
                return ~self.condition(node.condition)
            case _:
                assert_never(node)

    def _compared(self, node: Compared) -> pl.Expr:
        values = self._aligned(node.path, self.value(node.left), self.value(node.right))
        if node.comparison not in _UNORDERED:
            self._refuse_text_order(values, node.path)
        left, right = values
        return _COMPARE[node.comparison](left.expr, right.expr).fill_null(value=False)

    # ----------------------------------------------------------------------------------- types

    def _text(self, value: Value, path: str) -> pl.Expr:
        text = as_text(value.expr, value.dtype)
        if text is None:
            self.note(path, f"a column of type {value.dtype} is no text", "map another column")
            return pl.lit(None, dtype=pl.String)
        return text

    def _refuse_text_order(self, values: Sequence[Value], path: str) -> None:
        dtype = values[0].dtype
        if dtype == pl.String:
            self.note(path, "texts have no order", "read both sides `as: date` or `as: int`")
        elif dtype.is_nested():
            self.note(path, f"a column of type {dtype} has no order", "map another column")

    def _aligned(self, path: str, *values: Value) -> list[Value]:
        """The values in one type: that of the first that is no constant."""
        open_types = [v.dtype for v in values if v.constant is None and v.dtype != _NOTHING]
        dtypes = open_types or [v.dtype for v in values if v.dtype != _NOTHING] or [_NOTHING]
        first = dtypes[0]
        aligned = []
        for value in values:
            if value.constant is not None and value.constant.value is not None:
                aligned.append(self._constant_as(value.constant, first))
                continue
            if value.dtype not in {first, _NOTHING} and not _mixes(value.dtype, first):
                self.note(
                    path,
                    f"{first} and {value.dtype} do not compare",
                    "read both sides as one type with `as`",
                )
            aligned.append(Value(value.expr, first, value.failures))
        return aligned

    def _constant_as(self, constant: Constant, dtype: pl.DataType) -> Value:
        """A constant in the type of what it stands beside."""
        text = str(constant.value).lower() if isinstance(constant.value, bool) else constant.value
        kinds = {pl.Date(): ColumnType.DATE, pl.Boolean(): ColumnType.BOOL}
        kind = kinds.get(dtype)
        if kind is None:
            expr = pl.lit(str(text)).cast(dtype, strict=False)
        else:
            read = cast(pl.lit(str(text)), pl.String(), Reading(kind))
            expr = pl.lit(None) if read is None else read.value
        if not _holds_a_value(expr):
            self.note(constant.path, f"{text!r} is no {dtype}", "write the constant in that type")
        return Value(expr, dtype)


def _holds_a_value(constant: pl.Expr) -> bool:
    try:
        return pl.select(constant).item() is not None
    except pl.exceptions.PolarsError:
        # Not every type can be made of a text at all.
        return False


def _dtype_of(node: Constant) -> pl.DataType:
    if node.value is None:
        return _NOTHING
    if isinstance(node.value, bool):
        return pl.Boolean()
    return pl.Int64() if isinstance(node.value, int) else pl.String()


def _mixes(one: pl.DataType, other: pl.DataType) -> bool:
    """Whether two types compare as they are, being numbers both."""
    return one.is_numeric() and other.is_numeric()
