"""The data files are strict, and the draws and days beneath the book keep their laws."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.demo.days import add_years, first_of_month, latest_anniversary, month_of, to_day
from app.demo.dice import Dice, correlated, running_number, standardised, with_mean
from app.demo.proportions import Proportions, load_proportions
from app.demo.vocabulary import load_vocabulary

DAYS = st.dates(date(1970, 1, 1), date(2100, 12, 31))


def shipped() -> dict[str, dict[str, object]]:
    text = resources.files("app.demo").joinpath("proportions.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def test_every_table_of_proportions_says_where_its_numbers_come_from() -> None:
    tables = shipped()
    leaves = [
        table
        for name, found in tables.items()
        for table in (found.values() if name in {"covers", "products"} else [found])
    ]
    assert len(leaves) > 30
    assert all(isinstance(table, dict) and table["source"] for table in leaves)


def test_shares_of_one_whole_add_up_to_one() -> None:
    numbers = load_proportions()
    wholes = [
        numbers.channel.mix,
        numbers.contacts.mix,
        numbers.contacts.kind_mix,
        numbers.contacts.nps,
        numbers.occupation.mix,
        numbers.health.grades,
        numbers.payment.modes,
        numbers.tenure.weights,
        *numbers.contacts.channel_mix,
        *numbers.career.mix,
        *numbers.family.mix,
        *(product.channels for product in numbers.products.values()),
    ]
    assert [round(sum(whole), 6) for whole in wholes] == [1.0] * len(wholes)


def test_every_kind_of_contact_has_its_channels() -> None:
    contacts = load_proportions().contacts
    assert len(contacts.channel_mix) == len(contacts.kinds) + 1
    assert set(load_vocabulary().topics) <= {*contacts.kinds, "campaign_touch"}


@pytest.mark.parametrize(
    ("table", "key", "value", "message"),
    [
        ("kind", "corporate", 1.5, "less than or equal to 1"),
        ("kind", "companies", 0.1, "Extra inputs are not permitted"),
        ("kind", "source", "a friend", "should match pattern"),
        ("services", "hovercraft", ["towing"], "services must name exactly the products"),
    ],
)
def test_a_wrong_proportion_is_refused(table: str, key: str, value: object, message: str) -> None:
    raw = shipped()
    raw[table][key] = value
    with pytest.raises(ValidationError, match=message):
        Proportions.model_validate(raw)


@pytest.mark.parametrize(
    ("table", "entry", "key", "value", "message"),
    [
        ("products", "home", "cover", "boat", "there is no cover 'boat'"),
        ("covers", "home", "first", 0.5, "must sum to 1"),
    ],
)
def test_a_wrong_reference_is_refused(
    table: str, entry: str, key: str, value: object, message: str
) -> None:
    raw = shipped()
    inner = raw[table][entry]
    assert isinstance(inner, dict)
    inner[key] = value
    with pytest.raises(ValidationError, match=message):
        Proportions.model_validate(raw)


@given(DAYS, st.integers(-30, 30))
def test_years_are_added_as_a_calendar_does(day: date, years: int) -> None:
    target = day.year + years
    expected = (
        date(target, 2, 28)
        if (day.month, day.day) == (2, 29) and (target % 4 or target == 2100)
        else day.replace(year=target)
    )
    assert add_years(np.array([to_day(day)]), years).tolist() == [to_day(expected)]


@given(DAYS)
def test_months_are_those_of_the_calendar(day: date) -> None:
    days = np.array([to_day(day)])
    assert first_of_month(days).tolist() == [to_day(day.replace(day=1))]
    assert month_of(days).tolist() == [day.month - 1]


@given(DAYS, st.integers(0, 2**32))
def test_a_running_policy_year_began_within_the_last_year(day: date, seed: int) -> None:
    as_of = to_day(day)
    start = latest_anniversary(Dice(seed), [1.0] * 12, as_of, 50)
    assert (start <= as_of).all()
    assert (add_years(start, 1) > as_of).all()


def test_anniversaries_follow_the_weights_of_the_months() -> None:
    only_march = [0.0, 0.0, 1.0, *[0.0] * 9]
    start = latest_anniversary(Dice(1), only_march, to_day(date(2026, 6, 30)), 1_000)
    march = to_day(date(2026, 3, 1))
    assert set(start.tolist()) == set(range(march, march + 31))


@given(st.lists(st.integers(0, 5)))
def test_running_numbers_count_within_each_group(groups: list[int]) -> None:
    ordered = sorted(groups)
    expected = [ordered[:place].count(group) for place, group in enumerate(ordered)]
    assert running_number(np.array(ordered, dtype=np.int64)).tolist() == expected


@given(st.lists(st.floats(0, 10), min_size=1, max_size=8).filter(lambda w: sum(w) > 0.001))
def test_what_has_no_weight_is_never_picked(weights: list[float]) -> None:
    picked = Dice(3).pick(weights, 200)
    assert all(weights[place] > 0 for place in picked.tolist())


def test_rows_are_picked_by_their_own_weights() -> None:
    rows = np.array([0, 1] * 50)
    assert Dice(3).pick_by([[1.0, 0.0], [0.0, 2.0]], rows).tolist() == rows.tolist()


def test_a_stream_depends_on_every_number_of_its_path() -> None:
    paths = [(1,), (2,), (1, 1), (1, 2), (1, 1, 1), (2, 1, 1)]
    assert len({tuple(Dice(*path).between(0, 10**9, 4).tolist()) for path in paths}) == len(paths)
    assert Dice(1, 2).normal(3).tolist() == Dice(1, 2).normal(3).tolist()


def test_log_normal_amounts_have_the_mean_asked_for() -> None:
    amounts = with_mean(15_000.0, 1.235, Dice(8).normal(400_000))
    assert amounts.mean() == pytest.approx(15_000, rel=0.02)
    assert np.median(amounts) == pytest.approx(7_000, rel=0.02)


def test_correlated_numbers_are_standard_and_correlate() -> None:
    base, noise = Dice(1).normal(200_000), Dice(2).normal(200_000)
    mixed = correlated(base, 0.6, noise)
    assert mixed.std() == pytest.approx(1, abs=0.01)
    assert np.corrcoef(base, mixed)[0, 1] == pytest.approx(0.6, abs=0.01)


def test_numbers_that_do_not_differ_are_standardised_to_nothing() -> None:
    assert standardised(np.array([])).tolist() == []
    assert standardised(np.array([4.0, 4.0])).tolist() == [0.0, 0.0]
    assert standardised(np.array([1.0, 3.0])).tolist() == [-1.0, 1.0]


@given(DAYS)
def test_day_numbers_count_from_the_epoch(day: date) -> None:
    assert date(1970, 1, 1) + timedelta(days=to_day(day)) == day
