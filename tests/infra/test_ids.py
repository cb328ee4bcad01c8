"""Ids sort by the time they were made, and say their version."""

from __future__ import annotations

from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from app.infra.ids import new_id, new_ids


@given(st.integers(1, 500))
def test_a_batch_is_distinct_ascending_and_of_version_seven(count: int) -> None:
    made = new_ids(count)
    assert len(set(made)) == count
    assert made == sorted(made)
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}


def test_a_later_one_sorts_behind_an_earlier_millisecond() -> None:
    first = new_id()
    later = first
    while later.int >> 80 == first.int >> 80:
        later = new_id()
    assert later > first
