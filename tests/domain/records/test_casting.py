"""Casts are exact, guess nothing, and know what they could not read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.records.casting.frame import DTYPES, as_text, cast
from app.domain.records.casting.reading import Reading
from app.domain.records.specs import ColumnType

INT, DECIMAL, MONEY = ColumnType.INT, ColumnType.DECIMAL, ColumnType.MONEY
BOOL, DATE, MONTH, TEXT = ColumnType.BOOL, ColumnType.DATE, ColumnType.MONTH, ColumnType.TEXT


def read(
    values: pl.Series | Sequence[object], reading: Reading
) -> tuple[list[object], list[set[str]]]:
    """What a cast makes of values, and the codes of what failed."""
    series = values if isinstance(values, pl.Series) else pl.Series(values)
    done = cast(pl.col("x"), series.dtype, reading)
    assert done is not None
    frame = series.alias("x").to_frame()
    result = frame.select(done.value.alias("y"))["y"]
    assert result.dtype == DTYPES[reading.type] == done.dtype
    failed: list[set[str]] = [set() for _ in series]
    for condition, code in done.failures:
        flags = frame.select(condition.fill_null(value=False).alias("f"))["f"].to_list()
        for place, flag in enumerate(flags):
            if flag:
                failed[place].add(code)
    return result.to_list(), failed


def good(values: pl.Series | Sequence[object], reading: Reading) -> list[object]:
    """What a cast makes of values that it can read."""
    result, failed = read(values, reading)
    assert failed == [set()] * len(result)
    return result


def codes(values: Sequence[object], reading: Reading) -> list[set[str]]:
    """Why values cannot be read; each of them cannot."""
    return read(values, reading)[1]


def test_a_day_nobody_writes_is_no_text() -> None:
    days = pl.Series([18_000, 36_500_000, -36_500_000, None], dtype=pl.Int32).cast(pl.Date)
    done = cast(pl.col("x"), days.dtype, Reading(TEXT))
    assert done is not None
    ((condition, code),) = done.failures
    assert code == "bad-date"
    flags = days.alias("x").to_frame().select(condition.fill_null(value=False))
    assert flags.to_series().to_list() == [False, True, True, False]
    assert good(days[:1].cast(pl.Datetime("us")), Reading(TEXT)) == ["2019-04-14 00:00:00.000000"]


def test_whole_numbers() -> None:
    assert good(["7", "+7", "-07", None], Reading(INT)) == [7, 7, -7, None]
    assert good(pl.Series([1, 255], dtype=pl.UInt8), Reading(INT)) == [1, 255]
    assert good([7.0, -3.0], Reading(INT)) == [7, -3]
    assert good([Decimal("5.00")], Reading(INT)) == [5]
    assert codes(["7.5", "1e3", "x", "", "9" * 19], Reading(INT)) == [{"bad-int"}] * 5
    assert codes([7.5, float("nan"), float("inf")], Reading(INT)) == [{"bad-int"}] * 3


def test_surplus_decimals_are_an_error_unless_they_may_be_rounded() -> None:
    assert good(["1.5", "-2", "3.10000", "0.5"], Reading(MONEY)) == [150, -200, 310, 50]
    assert codes(["1.005", "0.001", "-0.009"], Reading(MONEY)) == [{"too-many-decimals"}] * 3
    assert (
        codes(["1,50", "1e2", "1.2.3", "", "EUR 5", ".5"], Reading(MONEY)) == [{"bad-decimal"}] * 6
    )
    rounding = Reading(MONEY, rounds=True)
    assert good(["1.005", "1.0049999", "-1.005", "-1.004"], rounding) == [101, 100, -101, -100]


def test_amounts_of_every_source_type() -> None:
    assert good([12, -3], Reading(MONEY)) == [1200, -300]
    assert good([Decimal("12.30"), None], Reading(MONEY)) == [1230, None]
    assert good([Decimal("12.3")], Reading(MONEY)) == [1230]
    assert codes([Decimal("12.305")], Reading(MONEY)) == [{"too-many-decimals"}]
    assert codes([10**17], Reading(MONEY)) == [{"bad-decimal"}]
    assert good(["12"], Reading(DECIMAL)) == [12]
    assert good(["1.5", "2.5"], Reading(DECIMAL, rounds=True)) == [2, 3]
    assert good([pl.Series(["1234,5"])[0]], Reading(MONEY, decimal_mark=",")) == [123450]
    assert codes(["1234.5", "1.234,5"], Reading(MONEY, decimal_mark=",")) == [{"bad-decimal"}] * 2


def test_a_float_stands_for_the_shortest_text_that_means_it() -> None:
    rounding = Reading(MONEY, rounds=True)
    assert good([1.005, 222.52, -0.005, 1e-7, -1e-7], rounding) == [101, 22252, -1, 0, 0]
    assert codes([1e-7, -1e-7, 0.125], Reading(MONEY)) == [{"too-many-decimals"}] * 3
    assert codes([1e16, float("nan"), float("-inf")], rounding) == [{"bad-decimal"}] * 3


@given(st.decimals(-(10**13), 10**13, places=6))
@example(Decimal("1.005"))
@example(Decimal("-0.0050"))
def test_text_is_rounded_half_up_exactly(amount: Decimal) -> None:
    cents = int(amount.scaleb(2).to_integral_value(ROUND_HALF_UP))
    assert good([f"{amount:f}"], Reading(MONEY, rounds=True)) == [cents]


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_every_amount_of_eighteen_digits_is_read_as_it_is_written(cents: int) -> None:
    text = f"{Decimal(cents).scaleb(-2):f}"
    assert good([text], Reading(MONEY)) == [cents]
    assert good(pl.Series([Decimal(text)], dtype=pl.Decimal(38, 2)), Reading(MONEY)) == [cents]


def test_words_for_true_and_false() -> None:
    assert good(["yes", "T", "1", "No", "f", "0", None], Reading(BOOL)) == [
        *[True] * 3,
        *[False] * 3,
        None,
    ]
    assert good([1, 0], Reading(BOOL)) == [True, False]
    assert good([True, None], Reading(BOOL)) == [True, None]
    german = Reading(BOOL, true_words=("Ja",), false_words=("Nein",))
    assert good(["ja", "NEIN"], german) == [True, False]
    assert codes(["perhaps", ""], Reading(BOOL)) == [{"bad-bool"}] * 2
    assert codes(["yes"], german) == [{"bad-bool"}]


def test_dates_of_every_source_type() -> None:
    day = date(2020, 2, 29)
    assert good(["2020-02-29", None], Reading(DATE)) == [day, None]
    assert good([day], Reading(DATE)) == [day]
    assert good([datetime(2020, 2, 29, 23, 59)], Reading(DATE)) == [day]  # noqa: DTZ001 - a source without zones.
    instant = datetime(2020, 2, 28, 16, 0, tzinfo=UTC)
    assert good([instant], Reading(DATE, zone="Asia/Shanghai")) == [day]
    assert good([20200229], Reading(DATE, date_format="YYYYMMDD")) == [day]
    assert good(["29.02.2020"], Reading(DATE, date_format="DD.MM.YYYY")) == [day]
    assert good(["2/29/2020", "02/9/2020"], Reading(DATE, date_format="M/D/YYYY")) == [
        day,
        date(2020, 2, 9),
    ]
    wrong = ["2020-02-30", "2020-2-9", "+2020-02-09", "2020-02-09 ", "09.02.2020", "20200209"]
    assert codes(wrong, Reading(DATE)) == [{"bad-date"}] * 6


def test_a_month_is_its_first_day() -> None:
    first = date(2020, 2, 1)
    assert good(["2020-02", "2020-02-17", None], Reading(MONTH)) == [first, first, None]
    assert good([date(2020, 2, 17)], Reading(MONTH)) == [first]
    assert codes(["2020-13", "Feb 2020"], Reading(MONTH)) == [{"bad-date"}] * 2


def test_texts_of_every_source_type() -> None:
    assert good(["a", None], Reading(TEXT)) == ["a", None]
    assert good([7], Reading(TEXT)) == ["7"]
    assert good([7.0, 7.25, 1e20], Reading(TEXT)) == ["7", "7.25", "1e+20"]
    assert good([True], Reading(TEXT)) == ["true"]
    assert good([date(2020, 2, 29)], Reading(TEXT)) == ["2020-02-29"]
    assert good(pl.Series(["a"], dtype=pl.Categorical), Reading(TEXT)) == ["a"]


@pytest.mark.parametrize("kind", ColumnType)
def test_a_column_of_nothing_is_absent_in_every_type(kind: ColumnType) -> None:
    assert good([None, None], Reading(kind)) == [None, None]


@pytest.mark.parametrize("kind", ColumnType)
def test_nested_and_binary_columns_are_never_read(kind: ColumnType) -> None:
    for dtype in (pl.List(pl.String()), pl.Binary(), pl.Struct({"a": pl.Int64()})):
        assert cast(pl.col("x"), dtype, Reading(kind)) is None
    assert as_text(pl.col("x"), pl.Binary()) is None


def test_types_that_do_not_mean_the_same_are_not_mixed() -> None:
    assert cast(pl.col("x"), pl.Date(), Reading(INT)) is None
    assert cast(pl.col("x"), pl.Boolean(), Reading(MONEY)) is None
    assert cast(pl.col("x"), pl.Float64(), Reading(DATE)) is None
    assert cast(pl.col("x"), pl.Float64(), Reading(MONTH)) is None


def test_absence_as_text_is_absence() -> None:
    text = as_text(pl.col("x"), pl.Null())
    assert text is not None
    assert pl.DataFrame({"x": [None]}).select(text.alias("y"))["y"].to_list() == [None]
