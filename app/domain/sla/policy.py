"""An SLA policy as data, and what it promises one tier.

A policy is an ordered list of entries; for one request the first that matches wins. Seen from a
tier, each service type has one general promise and perhaps exceptions (a product line, a narrower
case) that stand before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Milestone:
    """A further promise on the way: a name, and seconds of the entry's clock."""

    name: str
    seconds: int


@dataclass(frozen=True, slots=True)
class SlaEntry:
    """One row of a policy; None in a matching column matches everything.

    `response_*` is the first answer, `resolution_*` the end of the matter; `*_seconds` and
    `*_days` count on `clock`: elapsed, business_hours, business_days, calendar_days, recurring.
    """

    position: int
    service_type: str
    clock: str
    tier: str | None = None
    product_line: str | None = None
    qualifier: str | None = None
    response_seconds: int | None = None
    response_days: int | None = None
    resolution_seconds: int | None = None
    resolution_days: int | None = None
    contacts_per_month: int | None = None
    milestones: tuple[Milestone, ...] = ()
    automated_first: bool = False
    note_en: str | None = None
    note_zh: str | None = None

    @property
    def is_general(self) -> bool:
        """Whether it holds for every product and case of its service type."""
        return self.product_line is None and self.qualifier is None


@dataclass(frozen=True, slots=True)
class StatutoryFloor:
    """A deadline the law sets for a service type; `qualifier` is `any` or a narrower case."""

    service_type: str
    qualifier: str
    days: int
    day_kind: str
    source: str
    confirmation: str


@dataclass(frozen=True, slots=True)
class Promise:
    """What one tier is promised for one service type (or one exception of it)."""

    entry: SlaEntry
    floor: StatutoryFloor | None
    exceptions: tuple[Promise, ...] = field(default=())


def promises_for(
    tier: str, entries: Sequence[SlaEntry], floors: Sequence[StatutoryFloor]
) -> list[Promise]:
    """The promises to one tier, one per service type, in the order of the policy.

    Args:
        tier: the tier asked for.
        entries: a policy's rows, in any order.
        floors: the statutory floors.

    Returns:
        One general promise per service type with its exceptions inside. A service type that has
        exceptions only, and no general row for this tier, promises nothing in general and is left
        out with them: no default is made up.
    """
    ordered = [e for e in sorted(entries, key=lambda e: e.position) if e.tier in {None, tier}]
    promises: dict[str, Promise] = {}
    for entry in ordered:
        if entry.is_general and entry.service_type not in promises:
            exceptions = tuple(
                Promise(narrow, _floor_of(narrow, floors)) for narrow in _exceptions(entry, ordered)
            )
            promises[entry.service_type] = Promise(entry, _floor_of(entry, floors), exceptions)
    return list(promises.values())


def _exceptions(general: SlaEntry, ordered: Sequence[SlaEntry]) -> list[SlaEntry]:
    """Narrower rows that win over the general one; a row behind it can never match."""
    return [
        entry
        for entry in ordered
        if entry.service_type == general.service_type
        and not entry.is_general
        and entry.position < general.position
    ]


def _floor_of(entry: SlaEntry, floors: Sequence[StatutoryFloor]) -> StatutoryFloor | None:
    """The narrowest floor of the entry's case, else the one for any case."""
    for qualifier in (entry.qualifier, "any"):
        for floor in floors:
            if floor.service_type == entry.service_type and floor.qualifier == qualifier:
                return floor
    return None
