"""When versions are in force: at any day one of each product line, and never none in between."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise

from app.domain.rules.findings import Finding, Severity


@dataclass(frozen=True, slots=True)
class ActivationRange:
    """A version in force for a product line from one day to before another; None is for ever."""

    product_line: str
    version: str
    start: date
    end: date | None = None


def check_versions(ranges: Iterable[ActivationRange]) -> tuple[Finding, ...]:
    """Return every overlap (error) and every gap (warning) between the versions of a line.

    An empty range is never in force and says nothing. ``rules`` of a finding names the versions.
    """
    lasting = [item for item in ranges if item.end is None or item.start < item.end]
    ordered = sorted(lasting, key=lambda item: (item.product_line, item.start, item.version))
    findings: list[Finding] = []
    for line, found in groupby(ordered, key=lambda item: item.product_line):
        members = list(found)
        findings += _overlaps(line, members)
        findings += _gaps(line, members)
    return tuple(findings)


def _overlaps(line: str, members: list[ActivationRange]) -> list[Finding]:
    pairs = [
        (earlier, later)
        for at, earlier in enumerate(members)
        for later in members[at + 1 :]
        if earlier.end is None or later.start < earlier.end
    ]
    return [
        Finding(
            f"versions.{line}",
            "version-overlap",
            f"{earlier.version} and {later.version} are both in force for {line} on"
            f" {later.start.isoformat()}.",
            f"Let {earlier.version} end on {later.start.isoformat()}.",
            (("product_line", line), ("as_of", later.start.isoformat())),
            rules=(earlier.version, later.version),
        )
        for earlier, later in pairs
    ]


def _gaps(line: str, members: list[ActivationRange]) -> list[Finding]:
    findings = []
    reached = members[0]
    for earlier, later in pairwise(members):
        reached = max(reached, earlier, key=_end)
        if reached.end is not None and reached.end < later.start:
            last = later.start - timedelta(days=1)
            findings.append(
                Finding(
                    f"versions.{line}",
                    "version-gap",
                    f"No version is in force for {line} from {reached.end.isoformat()} to"
                    f" {last.isoformat()}.",
                    f"Let {reached.version} end on {later.start.isoformat()}.",
                    (("product_line", line), ("as_of", reached.end.isoformat())),
                    Severity.WARNING,
                    rules=(reached.version, later.version),
                )
            )
    return findings


def _end(item: ActivationRange) -> date:
    return item.end or date.max
