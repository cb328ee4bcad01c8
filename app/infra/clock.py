"""The one module that reads the clock; everything below the entry points takes `now`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from time import monotonic
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


def monotonic_seconds() -> float:
    """Seconds that only ever go forward, for the time between two moments of this process."""
    return monotonic()


def business_day(now: datetime, zone: str) -> date:
    """The business day that `now` falls on.

    Args:
        now: an aware instant.
        zone: IANA name of the business zone.

    >>> business_day(datetime(2026, 11, 22, 17, 0, tzinfo=UTC), "Asia/Shanghai")
    datetime.date(2026, 11, 23)
    """
    return now.astimezone(ZoneInfo(zone)).date()
