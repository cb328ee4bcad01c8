"""Telling the first of many findings, and how many more there are."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from app.domain.rules.findings import Finding

MAX_LISTED = 20

Item = TypeVar("Item")


def listed(
    items: Sequence[Item], build: Callable[[Item], Finding], unlisted: int = 0
) -> list[Finding]:
    """Build a finding of each item up to the limit, and one more that counts the rest.

    All items give the same code for the same table; ``unlisted`` counts those that are not even
    among the items.
    """
    findings = [build(item) for item in items[:MAX_LISTED]]
    more = max(0, len(items) - MAX_LISTED) + unlisted
    if more:
        first = findings[0]
        findings.append(
            replace(
                first,
                path=first.path.split(".")[0],
                message=f"There are {more} more like the {len(findings)} that are listed.",
                remedy="Mend those and check again.",
                witness=(),
                rules=(),
                box=None,
            )
        )
    return findings
