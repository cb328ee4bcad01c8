"""Months and bands in place of birth dates and amounts, over frames of customers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from app.domain.privacy.masks import BANDS, Bands
from app.domain.records.specs import MONEY_SCALE, Record

_MINOR_UNITS: Final = 10**MONEY_SCALE


def derive(record: Record, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the dated columns that its encrypted ones yield."""
    return frame.with_columns(
        _DERIVED[column.yields](pl.col(name)).alias(column.yields)
        for name, column in record.columns.items()
        if column.yields is not None and name in frame.columns
    )


def dated_columns(record: Record, held: list[str]) -> tuple[list[str], list[str]]:
    """The dated attributes a frame gives, and those it leaves as they were.

    Args:
        record: customers.
        held: the columns of the frame.
    """
    given: list[str] = []
    left: list[str] = []
    for name, column in record.columns.items():
        if column.yields is not None:
            (given if name in held else left).append(column.yields)
        elif column.dated and name not in record.key:
            (given if name in held else left).append(name)
    return given, left


def _month(value: pl.Expr) -> pl.Expr:
    return value.dt.truncate("1mo")


def _income_band(value: pl.Expr) -> pl.Expr:
    return _band(value, BANDS["income"])


def _asset_band(value: pl.Expr) -> pl.Expr:
    return _band(value, BANDS["assets"])


_DERIVED: Final[dict[str, Callable[[pl.Expr], pl.Expr]]] = {
    "birth_month": _month,
    "income_band": _income_band,
    "asset_band": _asset_band,
}


def _band(value: pl.Expr, bands: Bands) -> pl.Expr:
    reached = [(value >= bound * _MINOR_UNITS).cast(pl.Int64) for bound in bands.lower]
    return pl.sum_horizontal(pl.lit(1), *reached, ignore_nulls=False)
