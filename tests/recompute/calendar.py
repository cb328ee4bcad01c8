"""Windows and whole months, as the catalogue's conventions say them."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from fractions import Fraction
from math import floor


def shifted(day: date, months: int) -> date:
    """So many months later (or earlier): the same day of the month, or the month's last."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def in_months(day: date, as_of: date, months: int) -> bool:
    """Whether the day lies in (D - n months, D]."""
    return shifted(as_of, -months) < day <= as_of


def in_days(day: date, as_of: date, days: int) -> bool:
    """Whether the day lies in (D - n days, D]."""
    return as_of - timedelta(days=days) < day <= as_of


def complete_months(start: date, end: date) -> int:
    """12 x years + months, less 1 if the day of the month is not reached."""
    months = 12 * (end.year - start.year) + end.month - start.month
    return months - 1 if end.day < start.day else months


def half_up(value: Fraction, scale: int = 0) -> int:
    """floor(x * 10^scale + 1/2)."""
    power: int = 10**scale
    return floor(value * power + Fraction(1, 2))


def within(value: int, low: int, high: int) -> int:
    """A derived number beyond its range takes the bound."""
    return max(low, min(high, value))
