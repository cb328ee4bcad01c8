"""Business days as whole numbers since 1970-01-01, in arrays."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from app.demo.dice import Dice, Ints

NO_DAY = np.iinfo(np.int32).min
"""Stands for "no such day"; it becomes null in the files."""

YEAR_DAYS = 365

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def to_day(when: date) -> int:
    """Days since 1970-01-01.

    >>> to_day(date(1970, 1, 3))
    2
    """
    return when.toordinal() - _EPOCH_ORDINAL


def add_years(days: Ints, years: int | Ints) -> Ints:
    """The same day of the year that many years later; 29 February becomes the 28th.

    >>> leap_day, year_after = to_day(date(2024, 2, 29)), to_day(date(2025, 2, 28))
    >>> bool(add_years(np.array([leap_day]), 1)[0] == year_after)
    True
    """
    months, day_of_month = _split(days)
    return _join(months + 12 * np.asarray(years, dtype=np.int64), day_of_month)


def first_of_month(days: Ints) -> Ints:
    """First day of the month each day lies in."""
    months, _ = _split(days)
    return _join(months, np.zeros(len(days), dtype=np.int64))


def month_of(days: Ints) -> Ints:
    """Month of the year, 0 to 11."""
    months, _ = _split(days)
    return months % 12


def latest_anniversary(dice: Dice, by_month: Sequence[float], as_of: int, size: int) -> Ints:
    """Days of the year up to ``as_of``, the months weighted: when a running policy year began."""
    candidates = np.arange(as_of - YEAR_DAYS + 1, as_of + 1, dtype=np.int64)
    weights = np.asarray(by_month, dtype=np.float64)[month_of(candidates)]
    return candidates[dice.pick(weights, size)]


def _split(days: Ints) -> tuple[Ints, Ints]:
    months = days.astype("M8[D]").astype("M8[M]")
    first: Ints = months.astype("M8[D]").astype(np.int64)
    return months.astype(np.int64), days - first


def _join(months: Ints, day_of_month: Ints) -> Ints:
    first: Ints = months.astype("M8[M]").astype("M8[D]").astype(np.int64)
    following: Ints = (months + 1).astype("M8[M]").astype("M8[D]").astype(np.int64)
    joined: Ints = np.minimum(first + day_of_month, following - 1)
    return joined
