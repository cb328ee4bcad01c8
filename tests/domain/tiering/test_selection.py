"""Exactly one rule set decides for a customer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Conflict
from app.domain.tiering.selection import deciding_line

EVERY = {"motor", "health", "life", "property", "liability", "corporate", "all"}


@pytest.mark.parametrize(
    ("corporate", "primary", "last", "line"),
    [
        (True, "motor", "motor", "corporate"),
        (True, None, None, "corporate"),
        (False, "motor", "life", "motor"),
        (False, None, "life", "life"),
        (False, None, None, "all"),
    ],
)
def test_the_deciding_line_is_corporate_then_primary_then_last_then_all(
    *, corporate: bool, primary: str | None, last: str | None, line: str
) -> None:
    found = deciding_line(
        is_corporate=corporate, primary_line=primary, last_line=last, in_force=EVERY
    )
    assert found == line


@pytest.mark.parametrize(("corporate", "primary"), [(True, "life"), (False, "life")])
def test_where_no_rule_set_of_the_line_is_in_force_all_decides(
    *, corporate: bool, primary: str
) -> None:
    found = deciding_line(
        is_corporate=corporate, primary_line=primary, last_line=primary, in_force={"all", "motor"}
    )
    assert found == "all"


def test_without_a_rule_set_for_all_nobody_is_misjudged() -> None:
    with pytest.raises(Conflict) as refused:
        deciding_line(is_corporate=False, primary_line="life", last_line=None, in_force={"motor"})
    assert refused.value.type == "no-rule-set"


lines = st.none() | st.sampled_from(["motor", "health", "life", "property", "liability"])


@given(
    corporate=st.booleans(),
    primary=lines,
    last=lines,
    in_force=st.sets(st.sampled_from(sorted(EVERY))),
)
def test_the_deciding_line_always_has_a_rule_set_in_force(
    *, corporate: bool, primary: str | None, last: str | None, in_force: set[str]
) -> None:
    found = deciding_line(
        is_corporate=corporate,
        primary_line=primary,
        last_line=last,
        in_force=in_force | {"all"},
    )
    assert found in in_force | {"all"}
    assert (found == "corporate") <= corporate
