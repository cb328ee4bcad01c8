"""Stability means the same for one customer and for the whole book."""

from dataclasses import astuple
from datetime import date, timedelta
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Conflict, Invalid
from app.domain.rules.model import DowngradeStep, Stability
from app.domain.tiering import frame as book
from app.domain.tiering.ladder import LADDER
from app.domain.tiering.override import (
    OverrideInForce,
    overridden_tier,
    replaces_tier,
    serving_on,
)
from app.domain.tiering.selection import deciding_line
from app.domain.tiering.stability import StabilityState, settle
from tests.domain.tiering.strategies import DAY_ZERO, days, overrides, policies, states, tiers

STATE = ["tier", "since", "last_downgrade_on", "first_lower_on", "evaluated_on"]
SCHEMA = {
    "tier_evaluated": pl.String,
    "tier": pl.String,
    **dict.fromkeys(STATE[1:], pl.Date),
}
OVERRIDE = {
    "override.id": pl.String,
    "override.mode": pl.String,
    "override.tier": pl.String,
    "override.until": pl.Date,
}
RESULT = [*STATE, "tier_applied", "source", "grace_until", "held_by", "changed", "refused"]
POLICY = Stability(90, DowngradeStep.ONE, 30, 30)


def scalar(
    state: StabilityState | None, tier: str, as_of: date, policy: Stability
) -> tuple[object, ...]:
    try:
        settled = settle(state, tier, as_of, policy, LADDER)
    except Conflict:
        assert state is not None
        return (*astuple(state), None, None, None, None, False, True)
    return (
        *astuple(settled.state),
        settled.applied_tier,
        settled.source,
        settled.grace_until,
        settled.held_by,
        settled.changed,
        False,
    )


def book_frame(cases: list[tuple[StabilityState | None, str]]) -> pl.DataFrame:
    rows = [(tier, *(astuple(state) if state else [None] * 5)) for state, tier in cases]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@given(
    cases=st.lists(st.tuples(st.none() | states(), tiers), min_size=1, max_size=12),
    as_of=days,
    policy=policies,
)
def test_the_book_settles_every_customer_as_one_by_one(
    cases: list[tuple[StabilityState | None, str]], as_of: date, policy: Stability
) -> None:
    settled = book.settle(book_frame(cases), as_of, policy, LADDER)
    expected = [scalar(state, tier, as_of, policy) for state, tier in cases]
    assert settled.select(RESULT).rows() == expected


def test_a_book_of_first_evaluations_needs_no_typed_columns() -> None:
    first = pl.DataFrame({"tier_evaluated": ["gold"], **{name: [None] for name in STATE}})
    settled = book.settle(first, DAY_ZERO, POLICY, LADDER)
    assert settled.select(RESULT).rows() == [scalar(None, "gold", DAY_ZERO, POLICY)]
    assert set(settled.columns) == {"tier_evaluated", *RESULT}


def test_an_empty_book_settles_to_an_empty_book() -> None:
    assert book.settle(book_frame([]), DAY_ZERO, POLICY, LADDER).select(RESULT).is_empty()


@pytest.mark.parametrize(
    ("held", "evaluated"), [("platinum", "gold"), ("gold", "platinum"), ("gold", None)]
)
def test_the_book_refuses_a_tier_that_is_not_on_the_ladder(
    held: str, evaluated: str | None
) -> None:
    row = (evaluated, held, DAY_ZERO, None, None, DAY_ZERO)
    with pytest.raises(Invalid, match="not on the ladder"):
        book.settle(pl.DataFrame([row], schema=SCHEMA, orient="row"), DAY_ZERO, POLICY, LADDER)


def overridden(
    tier: str, source: str, override: OverrideInForce | None, as_of: date
) -> tuple[object, ...]:
    serving = serving_on(override, as_of)
    replaces = replaces_tier(tier, serving, LADDER)
    served = overridden_tier(tier, serving, LADDER)
    if serving is None:
        return (served, source, None, None, None, None, None)
    id_ = str(serving.id)
    why = ("override", id_) if replaces else (source, None)
    return (served, *why, id_, serving.mode, serving.tier, serving.until)


def overriding_frame(
    cases: list[tuple[str | None, str | None, OverrideInForce | None]],
) -> pl.DataFrame:
    rows = [
        (tier, source, *((str(o.id), o.mode, o.tier, o.until) if o else [None] * 4))
        for tier, source, o in cases
    ]
    schema = {"tier_applied": pl.String, "source": pl.String, **OVERRIDE}
    return pl.DataFrame(rows, schema=schema, orient="row")


@given(
    cases=st.lists(
        st.tuples(tiers, st.sampled_from(["evaluated", "grace"]), st.none() | overrides()),
        min_size=1,
        max_size=12,
    ),
    as_of=days,
)
def test_the_book_overrides_every_customer_as_one_by_one(
    cases: list[tuple[str, str, OverrideInForce | None]], as_of: date
) -> None:
    given_frame = overriding_frame([*cases])
    served = book.override(given_frame, as_of, LADDER)
    expected = [overridden(tier, source, o, as_of) for tier, source, o in cases]
    names = ["tier_applied", "source", "overridden_by", *OVERRIDE]
    assert served.select(names).rows() == expected


def test_who_was_refused_is_not_overridden() -> None:
    pin = OverrideInForce(UUID(int=1), "pin", "gold", DAY_ZERO + timedelta(1))
    served = book.override(overriding_frame([(None, None, pin)]), DAY_ZERO, LADDER)
    assert served.select("tier_applied", "source", "overridden_by").rows() == [(None, None, None)]


def test_the_book_refuses_an_override_to_a_tier_that_is_not_on_the_ladder() -> None:
    pin = OverrideInForce(UUID(int=1), "pin", "platinum", DAY_ZERO + timedelta(1))
    with pytest.raises(Invalid, match="not on the ladder"):
        book.override(overriding_frame([("gold", "evaluated", pin)]), DAY_ZERO, LADDER)


LINES = ["motor", "health", "life", "property", "liability"]


@given(
    customers=st.lists(
        st.tuples(
            st.booleans(), st.none() | st.sampled_from(LINES), st.none() | st.sampled_from(LINES)
        ),
        min_size=1,
    ),
    in_force=st.sets(st.sampled_from([*LINES, "corporate"])).map(lambda lines: lines | {"all"}),
)
def test_the_book_finds_the_deciding_line_as_one_by_one(
    customers: list[tuple[bool, str | None, str | None]], in_force: set[str]
) -> None:
    facts = pl.DataFrame(
        customers,
        schema={"is_corporate": pl.Boolean, "primary_line": pl.String, "last_line": pl.String},
        orient="row",
    )
    expected = [
        deciding_line(
            is_corporate=corporate, primary_line=primary, last_line=last, in_force=in_force
        )
        for corporate, primary, last in customers
    ]
    assert facts.select(book.deciding_line(in_force)).to_series().to_list() == expected


def test_a_book_without_a_rule_set_for_all_is_refused() -> None:
    with pytest.raises(Conflict, match="product line 'all'"):
        book.deciding_line({"motor"})


def test_a_later_evaluation_refuses_an_earlier_day_for_that_customer_only() -> None:
    ahead = StabilityState("gold", DAY_ZERO, None, None, DAY_ZERO + timedelta(1))
    settled = book.settle(
        book_frame([(ahead, "diamond"), (None, "diamond")]), DAY_ZERO, POLICY, LADDER
    )
    assert settled["refused"].to_list() == [True, False]
    assert settled["tier"].to_list() == ["gold", "diamond"]
