"""The benefit catalogue as data, and what one tier has of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grant:
    """How much of a benefit a tier is granted: `quota` uses a `period`, or as needed (None)."""

    tier: str
    quota: int | None
    period: str | None


@dataclass(frozen=True, slots=True)
class Benefit:
    """One benefit, with a grant per tier that has it.

    `legal_class` is service or monetary; monetary kinds ship disabled until they carry the
    reference of a regulatory filing, since price and cover follow risk and never tier.
    """

    code: str
    position: int
    kind: str
    legal_class: str
    name_en: str
    name_zh: str
    text_en: str
    text_zh: str
    is_enabled: bool
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class GrantedBenefit:
    """A benefit and how much of it one tier has."""

    benefit: Benefit
    grant: Grant


def granted_to(tier: str, benefits: Sequence[Benefit]) -> list[GrantedBenefit]:
    """What a tier has, in order of display."""
    return [
        GrantedBenefit(benefit, grant)
        for benefit in sorted(benefits, key=lambda benefit: benefit.position)
        for grant in benefit.grants
        if grant.tier == tier
    ]


def added_by(better: str, tier: str, benefits: Sequence[Benefit]) -> list[GrantedBenefit]:
    """What `better` has and `tier` has not, or has less of.

    >>> gold = Grant("gold", 1, "year")
    >>> check = Benefit("check", 1, "health_plan", "service", "", "", "", "", True, (gold,))
    >>> [item.grant.quota for item in added_by("gold", "standard", [check])]
    [1]
    >>> added_by("gold", "gold", [check])
    []
    """
    has = {item.benefit.code: item.grant for item in granted_to(tier, benefits)}
    return [
        item
        for item in granted_to(better, benefits)
        if item.benefit.code not in has
        or (item.grant.quota, item.grant.period)
        != (has[item.benefit.code].quota, has[item.benefit.code].period)
    ]
