"""Casts on Polars columns: exact, without a guess, and knowing which values they could not read.

Integers, decimals and money become Int64 (scaled), dates Date, everything textual String.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import polars as pl

from app.domain.records.casting.reading import DATE_TOKENS, Reading, date_parts
from app.domain.records.specs import MONEY_SCALE, ColumnType

#: A float smaller than this prints with a negative exponent; written out it only has to be tiny.
_TINY: Final = "0.0000000000001"
_INTEGER: Final = r"^[+-]?\d{1,18}$"
_WHOLE_DECIMAL: Final = r"^[+-]?\d{1,18}(?:[.]0*)?$"
_DECIMAL: Final = r"^[+-]?\d{1,16}(?:[.]\d*)?$"
#: Beyond it nobody writes days of four digits for the year.
_LAST_YEAR: Final = 9999
_TEXTUAL: Final = frozenset({ColumnType.ID, ColumnType.TEXT, ColumnType.WORD})

#: The code of a value that could not be read as this type.
FAILURES: Final = {
    ColumnType.INT: "bad-int",
    ColumnType.DECIMAL: "bad-decimal",
    ColumnType.MONEY: "bad-decimal",
    ColumnType.BOOL: "bad-bool",
    ColumnType.DATE: "bad-date",
    ColumnType.MONTH: "bad-date",
}

#: The type of a column in the frames of records.
DTYPES: Final[dict[ColumnType, pl.DataType]] = {
    ColumnType.INT: pl.Int64(),
    ColumnType.DECIMAL: pl.Int64(),
    ColumnType.MONEY: pl.Int64(),
    ColumnType.BOOL: pl.Boolean(),
    ColumnType.DATE: pl.Date(),
    ColumnType.MONTH: pl.Date(),
    ColumnType.ID: pl.String(),
    ColumnType.TEXT: pl.String(),
    ColumnType.WORD: pl.String(),
}


@dataclass(frozen=True, slots=True)
class Cast:
    """A cast value, with the conditions under which reading it failed, each with its code."""

    value: pl.Expr
    dtype: pl.DataType
    failures: tuple[tuple[pl.Expr, str], ...] = ()


def cast(value: pl.Expr, dtype: pl.DataType, reading: Reading) -> Cast | None:
    """The value as the type it should have; None if this kind of column can never be read so."""
    if dtype == pl.Null:
        return Cast(value.cast(DTYPES[reading.type]), DTYPES[reading.type])
    if reading.type in _TEXTUAL:
        return _to_text(value, dtype)
    casts = {
        ColumnType.INT: _to_int,
        ColumnType.DECIMAL: _to_decimal,
        ColumnType.MONEY: _to_decimal,
        ColumnType.BOOL: _to_bool,
        ColumnType.DATE: _to_date,
        ColumnType.MONTH: _to_month,
    }
    done = casts[reading.type](value, dtype, reading)
    if done is None:
        return None
    unread = (value.is_not_null() & done.value.is_null(), FAILURES[reading.type])
    return Cast(done.value, DTYPES[reading.type], (unread, *done.failures))


def as_text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    """The value as text, as a person would write it; None for what nobody writes so."""
    if dtype.is_float():
        whole = value.round(0) == value
        return (
            pl.when(whole & (value.abs() < 10.0**15))
            .then(value.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(value.cast(pl.String))
        )
    if dtype.is_nested() or isinstance(dtype, pl.Binary | pl.Duration | pl.Object):
        return None
    return value.cast(pl.String)


def _to_text(value: pl.Expr, dtype: pl.DataType) -> Cast | None:
    text = as_text(value, dtype)
    if text is None:
        return None
    is_written = dtype == pl.Date or isinstance(dtype, pl.Datetime)
    failures = ((~value.dt.year().is_between(1, _LAST_YEAR), "bad-date"),) if is_written else ()
    return Cast(text, pl.String(), failures)


def _to_int(value: pl.Expr, dtype: pl.DataType, _reading: Reading) -> Cast | None:
    if dtype.is_integer():
        return Cast(value.cast(pl.Int64, strict=False), pl.Int64())
    if dtype == pl.String:
        text: pl.Expr = pl.when(value.str.contains(_INTEGER)).then(value)
        return Cast(text.cast(pl.Int64, strict=False), pl.Int64())
    if dtype.is_float() or dtype.is_decimal():
        text = value.cast(pl.String)
        whole = pl.when(text.str.contains(_WHOLE_DECIMAL)).then(text.str.replace(r"[.]0*$", ""))
        return Cast(whole.cast(pl.Int64, strict=False), pl.Int64())
    return None


def _to_decimal(value: pl.Expr, dtype: pl.DataType, reading: Reading) -> Cast | None:
    scale = MONEY_SCALE if reading.type is ColumnType.MONEY else reading.scale
    if dtype.is_integer():
        fits = value.cast(pl.Int64, strict=False).is_between(-(10**15), 10**15)
        return Cast(pl.when(fits).then(value.cast(pl.Int64, strict=False)) * 10**scale, pl.Int64())
    if isinstance(dtype, pl.Decimal) and (dtype.scale or 0) <= scale:
        scaled = value.cast(pl.Decimal(38, scale), strict=False).to_physical()
        return Cast(scaled.cast(pl.Int64, strict=False), pl.Int64())
    if dtype.is_float():
        # The shortest text that stands for the number is what its author wrote.
        text = value.cast(pl.String)
        tiny = pl.when(value < 0).then(pl.lit(f"-{_TINY}")).otherwise(pl.lit(_TINY))
        return _from_digits(
            pl.when(text.str.contains("e-", literal=True)).then(tiny).otherwise(text),
            scale,
            rounds=reading.rounds,
        )
    if dtype == pl.String and reading.decimal_mark != ".":
        plain = pl.when(~value.str.contains(".", literal=True)).then(value)
        return _from_digits(
            plain.str.replace(reading.decimal_mark, ".", literal=True), scale, rounds=reading.rounds
        )
    if dtype == pl.String or dtype.is_decimal():
        return _from_digits(value.cast(pl.String), scale, rounds=reading.rounds)
    return None


def _from_digits(text: pl.Expr, scale: int, *, rounds: bool) -> Cast:
    """Decimal digits to a scaled integer; exact, so no float ever stands between."""
    number = pl.when(text.str.contains(_DECIMAL)).then(text)
    fraction = number.str.extract(r"[.](\d*)$").fill_null("")
    whole = number.str.extract(r"^[+-]?(\d+)").cast(pl.Int64, strict=False)
    kept = fraction.str.pad_end(scale, "0").str.slice(0, scale) if scale else pl.lit("0")
    magnitude = whole * 10**scale + kept.cast(pl.Int64, strict=False)
    surplus = fraction.str.slice(scale)
    failures: tuple[tuple[pl.Expr, str], ...] = ()
    if rounds:
        magnitude += surplus.str.contains("^[5-9]").cast(pl.Int64)
    else:
        failures = ((number.is_not_null() & surplus.str.contains("[1-9]"), "too-many-decimals"),)
    negative = number.str.starts_with("-")
    return Cast(pl.when(negative).then(-magnitude).otherwise(magnitude), pl.Int64(), failures)


def _to_bool(value: pl.Expr, dtype: pl.DataType, reading: Reading) -> Cast | None:
    if dtype == pl.Boolean:
        return Cast(value, pl.Boolean())
    text = as_text(value, dtype)
    if text is None:
        return None
    word = text.str.to_lowercase()
    true_words = [word.lower() for word in reading.true_words]
    false_words = [word.lower() for word in reading.false_words]
    read = pl.when(word.is_in(true_words)).then(statement=True)
    return Cast(read.when(word.is_in(false_words)).then(statement=False), pl.Boolean())


def _to_date(value: pl.Expr, dtype: pl.DataType, reading: Reading) -> Cast | None:
    if dtype == pl.Date:
        return Cast(value, pl.Date())
    if isinstance(dtype, pl.Datetime):
        local = value.dt.convert_time_zone(reading.zone) if dtype.time_zone else value
        return Cast(local.dt.date(), pl.Date())
    if dtype == pl.String:
        return Cast(_dated(value, reading.date_format), pl.Date())
    if dtype.is_integer():
        return Cast(_dated(value.cast(pl.String), reading.date_format), pl.Date())
    return None


def _dated(text: pl.Expr, date_format: str) -> pl.Expr:
    parts = [DATE_TOKENS.get(part, (part, re.escape(part))) for part in date_parts(date_format)]
    pattern = "".join(regex for _, regex in parts)
    directive = "".join(token for token, _ in parts)
    shaped = pl.when(text.str.contains(f"^{pattern}$")).then(text)
    return shaped.str.to_date(directive, strict=False)


def _to_month(value: pl.Expr, dtype: pl.DataType, reading: Reading) -> Cast | None:
    if dtype == pl.String:
        month = pl.when(value.str.contains(r"^\d{4}-\d{2}$")).then(value + "-01").otherwise(value)
        return Cast(_dated(month, reading.date_format).dt.truncate("1mo"), pl.Date())
    day = _to_date(value, dtype, reading)
    return None if day is None else Cast(day.value.dt.truncate("1mo"), pl.Date())
