"""A cursor opens for the one who got it, for the same listing, and for nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.infra.cipher import MasterKey
from app.infra.pagination import Cursors
from app.infra.problems import ProblemError

MASTER = MasterKey(bytes(range(32)))
AGENT = Actor(issuer="i", subject="s", role=Role.AGENT)
MINE = Cursors(MASTER, "tier-history:C1", AGENT)
PLACE = ["2026-01-31", "01a203c5-d8e4-7e70-99e9-34c1969cd2d3"]


@given(st.lists(st.text(max_size=40), max_size=4))
def test_a_cursor_opens_to_the_place_it_was_made_for(place: list[str]) -> None:
    assert MINE.open(MINE.seal(place)) == place


def test_a_cursor_says_nothing_of_its_place_and_never_twice_the_same() -> None:
    first, second = MINE.seal(PLACE), MINE.seal(PLACE)
    assert first != second
    assert "2026" not in first


@pytest.mark.parametrize(
    "theirs",
    [
        Cursors(MASTER, "tier-history:C2", AGENT),
        Cursors(MASTER, "tier-history:C1", Actor(issuer="i", subject="t", role=Role.AGENT)),
        Cursors(MASTER, "tier-history:C1", Actor(issuer="i", subject="s", role=Role.COMPLIANCE)),
        Cursors(MASTER, "tier-history:C1", Actor(issuer="j", subject="s", role=Role.AGENT)),
        Cursors(MasterKey(bytes(32)), "tier-history:C1", AGENT),
    ],
)
def test_a_cursor_of_another_listing_caller_role_or_deployment_is_refused(theirs: Cursors) -> None:
    with pytest.raises(ProblemError) as refused:
        theirs.open(MINE.seal(PLACE))
    assert refused.value.slug == "validation"
    assert [error.loc for error in refused.value.errors] == [("query", "cursor")]


@given(st.text(alphabet="AZaz09-_", max_size=80))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ProblemError):
        MINE.open(text)


def test_a_changed_cursor_is_refused() -> None:
    cursor = MINE.seal(PLACE)
    for at in range(len(cursor)):
        other = "B" if cursor[at] == "A" else "A"
        changed = cursor[:at] + other + cursor[at + 1 :]
        with pytest.raises(ProblemError):
            MINE.open(changed)
