"""What both a live service and those who call it know: a colleague, and days to come.

It imports nothing of the service, for which a process that only calls it would have to wait.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from app.infra.clock import utc_now

#: Subject of a second risk officer.
COLLEAGUE: Final = "a-colleague"


def day_ahead(days: int) -> str:
    """A day that lies some days ahead, wherever the business day begins."""
    return (utc_now().date() + timedelta(days)).isoformat()
