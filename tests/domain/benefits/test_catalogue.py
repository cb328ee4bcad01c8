"""What each tier is granted, and what the next would add."""

from __future__ import annotations

from app.domain.benefits.catalogue import Benefit, Grant, added_by, granted_to


def benefit(code: str, position: int, *grants: Grant) -> Benefit:
    return Benefit(code, position, "education", "service", "", "", "", "", True, grants)  # noqa: FBT003 - is_enabled


SCHOOL = benefit("school", 2, Grant("gold", None, None), Grant("standard", None, None))
CHECK = benefit("check", 1, Grant("gold", 2, "year"), Grant("standard", 1, "year"))
ADVISER = benefit("adviser", 3, Grant("gold", None, None))


def test_a_tier_has_what_it_is_granted_in_order_of_display() -> None:
    found = granted_to("standard", [SCHOOL, CHECK, ADVISER])
    assert [item.benefit.code for item in found] == ["check", "school"]


def test_a_better_tier_adds_new_benefits_and_larger_quotas_only() -> None:
    found = added_by("gold", "standard", [SCHOOL, CHECK, ADVISER])
    assert [(item.benefit.code, item.grant.quota) for item in found] == [
        ("check", 2),
        ("adviser", None),
    ]
