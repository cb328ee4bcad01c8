"""What two officers put their names to: another content is another digest."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.domain.overrides.content import MOST_DAYS, Basis, Content, Wanted

TODAY = date(2027, 3, 1)
ONE, OTHER = UUID(int=1), UUID(int=2)
WANTED = Wanted("gold", "floor", "merger", "Acquired by our largest client.", date(2027, 6, 1))
CONTENT = Content(
    request_id=ONE,
    version=1,
    requested_by="a" * 32,
    wanted=WANTED,
    basis=[Basis(ONE, "C-1", "standard"), Basis(OTHER, "C-2", "gold")],
    evidence=["b" * 64, "c" * 64],
    salt=b"0123456789abcdef",
)
OTHERWISE: dict[str, Any] = {
    "request_id": OTHER,
    "version": 2,
    "requested_by": "b" * 32,
    "wanted": replace(WANTED, tier="diamond"),
    "basis": [Basis(ONE, "C-1", "standard"), Basis(OTHER, "C-2", "standard")],
    "evidence": ["b" * 64],
    "salt": b"fedcba9876543210",
}
WANTED_OTHERWISE: dict[str, Any] = {
    "tier": "diamond",
    "mode": "pin",
    "reason": "objection",
    "statement": "Acquired by our largest client!",
    "valid_until": date(2027, 6, 2),
}


def test_every_field_is_in_the_digest() -> None:
    assert set(OTHERWISE) == {field.name for field in fields(Content)}
    assert set(WANTED_OTHERWISE) == {field.name for field in fields(Wanted)}
    contents = [replace(CONTENT, **{name: value}) for name, value in OTHERWISE.items()]
    contents += [
        replace(CONTENT, wanted=replace(WANTED, **{name: value}))
        for name, value in WANTED_OTHERWISE.items()
    ]
    digests = [content.digest() for content in [CONTENT, *contents]]
    assert len(set(digests)) == len(digests) - 1, "only the tier is changed twice"


@given(st.permutations(CONTENT.basis), st.permutations(CONTENT.evidence))
def test_the_order_of_customers_and_files_makes_no_difference(
    basis: list[Basis], evidence: list[str]
) -> None:
    assert replace(CONTENT, basis=basis, evidence=evidence).digest() == CONTENT.digest()


def test_the_digest_is_that_of_the_canonical_json() -> None:
    assert CONTENT.digest() == ("214fa9ea1451cb24610fa42f05084c46657a390ba31f8e924d59245e039e45c0")


@given(st.integers(-800, 800))
def test_it_ends_after_today_and_at_most_a_leap_year_from_it(days: int) -> None:
    wanted = replace(WANTED, valid_until=TODAY + timedelta(days))
    if 1 <= days <= MOST_DAYS:
        wanted.require_validity(TODAY)
        return
    with pytest.raises(Invalid) as refused:
        wanted.require_validity(TODAY)
    assert refused.value.type == "validity-out-of-range"
