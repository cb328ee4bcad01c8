"""Ids sort by the time they were made, and say their version."""

from __future__ import annotations

import os
from uuid import RFC_4122

import pytest
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


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_process_makes_other_ids_than_its_parent() -> None:
    new_id()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_id().bytes)
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 16)
    os.close(reading)
    os.close(writing)
    drawn = (1 << 62) - 1
    assert new_id().int & drawn != int.from_bytes(theirs) & drawn
