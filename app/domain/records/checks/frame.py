"""The checks of records on frames; each failure is a finding with row, column and code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

import polars as pl

from app.domain.customer_ids import STEPS_OF_A_PATH
from app.domain.records.casting.frame import DTYPES
from app.domain.records.mapping.frame import ROW, list_findings
from app.domain.records.reasons import REJECTING
from app.domain.records.specs import (
    CURRENCY,
    EARLIEST_DAY,
    LATEST_DAY,
    Column,
    ColumnType,
    Record,
    Seal,
)

_Check: TypeAlias = tuple[str, pl.Expr, str]
"""Column, when it fails, code."""

_DAYS: Final = frozenset({ColumnType.DATE, ColumnType.MONTH})
_TEXTS: Final = frozenset({ColumnType.TEXT, ColumnType.ID})
#: A line break in a code or a name is an accident of the source, and could break what reads it.
_CONTROL_CHARACTERS: Final = r"[\x00-\x1f\x7f]"
_AMOUNTS: Final = frozenset({ColumnType.MONEY, ColumnType.DECIMAL})

_RESIDENT_ID: Final = r"^[1-9]\d{16}[\dX]$"
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS: Final = "10X98765432"
_CODE_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CODE_LENGTH: Final = 17


def check(record: Record, frame: pl.DataFrame, *, currency: str) -> pl.DataFrame:
    """What is wrong with the rows of a frame.

    Args:
        record: whose rows they are.
        frame: typed rows with `ROW`; columns the file does not have are missing.
        currency: the one currency of the deployment.
    """
    checks = [*_column_checks(record, frame), *_row_checks(record, frame)]
    if CURRENCY in frame.columns:
        foreign = pl.col(CURRENCY).is_null() | (pl.col(CURRENCY) != currency)
        checks.append((CURRENCY, foreign, "foreign-currency"))
    if record.name == "customers":
        checks += _doubts(frame)
    flags = frame.select(
        failed.fill_null(value=False).alias(str(number))
        for number, (_, failed, _) in enumerate(checks)
    )
    places = [(record.name, name, code, _shown(record, name, frame)) for name, _, code in checks]
    return list_findings(frame, flags, places)


def without_rejected(frame: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """The rows that no rejecting finding names; all findings are of the frame's record."""
    rejected = findings.filter(pl.col("code").is_in(sorted(REJECTING)))["row"]
    return frame.filter(~pl.col(ROW).is_in(rejected.implode())) if len(rejected) else frame


def _shown(record: Record, name: str, frame: pl.DataFrame) -> pl.Expr | None:
    column = record.columns.get(name)
    if name not in frame.columns or (column is not None and not column.may_be_shown):
        return None
    return pl.col(name).cast(pl.String)


def _column_checks(record: Record, frame: pl.DataFrame) -> Iterator[_Check]:
    for name, column in record.columns.items():
        if name not in frame.columns:
            continue
        value = pl.col(name)
        if column.required:
            yield name, value.is_null(), "required"
        if column.values:
            yield name, ~value.is_in(column.values), "unknown-word"
        if column.type in _DAYS:
            yield name, ~value.is_between(EARLIEST_DAY, LATEST_DAY), "out-of-range"
        if column.type in _TEXTS:
            yield from _text_checks(column, value)
        yield from _bounds(column, value)


def _text_checks(column: Column, value: pl.Expr) -> Iterator[_Check]:
    barred = "\0" if column.seal is Seal.TEXT else _CONTROL_CHARACTERS
    yield column.name, value.str.contains(barred), "bad-text"
    if column.pattern is not None:
        code = "bad-id" if column.type is ColumnType.ID else "bad-form"
        yield column.name, ~value.str.contains(column.pattern), code
    if column.type is ColumnType.ID:
        yield column.name, value.is_in(STEPS_OF_A_PATH), "bad-id"
    if column.length is not None:
        yield column.name, value.str.len_chars() > column.length, "too-long"


def _bounds(column: Column, value: pl.Expr) -> Iterator[_Check]:
    if column.minimum is not None:
        below = value <= column.minimum if column.above else value < column.minimum
        is_sign = column.minimum == 0 and column.type in _AMOUNTS and not column.above
        yield column.name, below, "negative" if is_sign else "out-of-range"
    if column.maximum is not None:
        yield column.name, value > column.maximum, "out-of-range"


def _row_checks(record: Record, frame: pl.DataFrame) -> Iterator[_Check]:
    def value(name: str) -> pl.Expr:
        """The column; absent in every row if the file does not have it."""
        return pl.col(name) if name in frame.columns else pl.lit(None, DTYPES[columns[name].type])

    columns = record.columns
    for order in record.orders:
        later, earlier = value(order.later), value(order.earlier)
        yield (
            order.later,
            later <= earlier if order.strict else later < earlier,
            "dates-out-of-order",
        )
    for one, other in record.together:
        yield other, value(one).is_null() != value(other).is_null(), "incomplete-pair"
    for dependent, needed in record.needs:
        yield needed, value(dependent).is_not_null() & value(needed).is_null(), "incomplete-pair"
    for one, other in record.differ:
        yield one, value(one) == value(other), "same-customer"
    for name in record.only_corporate:
        yield name, value(name).is_not_null() & (value("kind") != "corporate"), "corporate-only"
    for name in record.only_individual:
        yield name, value(name).is_not_null() & (value("kind") == "corporate"), "individual-only"


# ------------------------------------------------------------------- shapes that are only doubted


def _doubts(frame: pl.DataFrame) -> Iterator[_Check]:
    if "id_no" in frame.columns and "id_type" in frame.columns:
        yield from _resident_id_doubts(frame)
    if "credit_code" in frame.columns and frame["credit_code"].null_count() < frame.height:
        yield "credit_code", _has_bad_credit_code(), "credit-code-checksum"


def _resident_id_doubts(frame: pl.DataFrame) -> Iterator[_Check]:
    number = pl.col("id_no").str.to_uppercase()
    is_resident = pl.col("id_type") == "resident_id"
    is_formed = is_resident & number.str.contains(_RESIDENT_ID)
    total = pl.sum_horizontal(
        number.str.slice(place, 1).cast(pl.Int32, strict=False) * weight
        for place, weight in enumerate(_ID_WEIGHTS)
    )
    expected = pl.lit(_ID_CHECKS).str.slice(total % len(_ID_CHECKS), 1)
    yield "id_no", is_resident & ~number.str.contains(_RESIDENT_ID), "id-number-form"
    yield "id_no", is_formed & (number.str.slice(17, 1) != expected), "id-number-checksum"
    if "birth_date" in frame.columns:
        born = pl.col("birth_date").dt.to_string("%Y%m%d")
        yield "id_no", is_formed & (number.str.slice(6, 8) != born), "id-number-birth-date"


def _has_bad_credit_code() -> pl.Expr:
    """GB 32100-2015: the last character makes the weighted sum a multiple of 31."""
    code = pl.col("credit_code")
    size = len(_CODE_CHARACTERS)
    ordinals = [
        code.str.slice(place, 1).replace_strict(
            list(_CODE_CHARACTERS), list(range(size)), default=None, return_dtype=pl.Int32
        )
        for place in range(_CODE_LENGTH + 1)
    ]
    total = pl.sum_horizontal(
        *(ordinal * pow(3, place, size) for place, ordinal in enumerate(ordinals[:-1])),
        ignore_nulls=False,
    )
    fits = (total + ordinals[-1]) % size == 0
    return code.is_not_null() & ~fits.fill_null(value=False)
