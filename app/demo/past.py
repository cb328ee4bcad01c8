"""Spells that ended in the past: covers given up, policies lost, withdrawn or claimed."""

from dataclasses import replace

import numpy as np

from app.demo.days import YEAR_DAYS, add_years
from app.demo.dice import Dice, Floats, Ints
from app.demo.ground import Ground, Topic
from app.demo.holdings import (
    Ending,
    Holdings,
    PremiumKind,
    draw_insured,
    draw_premium,
    end_on,
    join,
)
from app.demo.people import People
from app.demo.standing import Standing


def draw_past(ground: Ground, people: People, standing: Standing, held: Holdings) -> Holdings:
    """All spells of the past beside those held (or held last)."""
    dice = ground.dice(Topic.PAST)
    return join(
        [
            _given_up(ground, dice, people, standing),
            _lost(ground, dice, standing, held),
            _claimed(ground, dice, standing, held),
            _withdrawn(ground, dice, standing, held),
        ]
    )


def _given_up(ground: Ground, dice: Dice, people: People, standing: Standing) -> Holdings:
    """Annual covers that a customer held once and holds no more."""
    table = ground.table
    parts = []
    for place, cover in enumerate(table.covers):
        fits = people.corporate == table.corporate[place]
        free = fits & ~standing.held[:, place] & (standing.years > 0)
        customer = np.flatnonzero(free & dice.chance(cover.left, people.size))
        size = len(customer)
        drawn = dice.uniform(0.0, 1.0, size) ** ground.proportions.tenure.left_bent_to_today
        since = (drawn * standing.years[customer]).astype(np.int64)
        day = standing.until[customer] - YEAR_DAYS * since - dice.between(0, YEAR_DAYS - 1, size)
        product = dice.pick(table.shares_of(place), size)
        covers = np.full(size, place, dtype=np.int64)
        insured, age = draw_insured(ground, dice, people, customer, covers)
        means = people.means[customer]
        spells = Holdings(
            customer=customer,
            product=product,
            years=dice.between(0, standing.years[customer] - 1 - since, size),
            start=day,
            end=day,
            ended_on=day,
            ending=np.full(size, Ending.EXPIRED, dtype=np.int64),
            kind=np.full(size, PremiumKind.REGULAR, dtype=np.int64),
            first=np.zeros(size, dtype=np.bool_),
            covers=np.maximum(standing.covers[customer], 1),
            insured=insured,
            insured_age=age,
            premium=draw_premium(ground, dice, means, product, insured, age),
        )
        parts.append(end_on(ground, dice, spells, day))
    return join(parts)


def _lost(ground: Ground, dice: Dice, standing: Standing, held: Holdings) -> Holdings:
    """Long-term policies not renewed after their first, second, … year.

    A policy held for d years was renewed d times, so for each year y up to d it stands for
    q(y) / (1 - q(y)) policies not renewed in that same year; q falls with the covers held.
    """
    renewal, table = ground.proportions.renewal, ground.table
    factor = _by_covers(renewal.by_covers_long_term, held.covers)
    parts = []
    alive = table.long_term[held.product] & held.in_force & (held.kind == PremiumKind.REGULAR)
    for year in range(1, len(ground.proportions.tenure.weights)):
        lost = renewal.long_term[min(year, len(renewal.long_term)) - 1] * factor
        odds = lost / (1 - lost)
        twin = held.take(alive & (held.years >= year) & dice.chance(odds, held.size))
        day = _days_before(dice, standing, twin, twin.years - year)
        spells = replace(
            _ordinary(ground, twin), years=np.full(twin.size, year - 1, dtype=np.int64)
        )
        parts.append(end_on(ground, dice, spells, day))
    return join(parts)


def _claimed(ground: Ground, dice: Dice, standing: Standing, held: Holdings) -> Holdings:
    """Critical-illness policies that ended with the claim they were bought for."""
    frequency = np.array(
        [item.claims.frequency if item.long_term else 0.0 for item in ground.table.products]
    )
    exposure = frequency[held.product] * (held.years + 0.5)
    twin = held.take(held.in_force & dice.chance(exposure, held.size))
    years = dice.between(0, twin.years, twin.size)
    day = _days_before(dice, standing, twin, twin.years - years)
    end = day + dice.between(5, 330, twin.size)
    return replace(
        _ordinary(ground, twin),
        years=years,
        start=add_years(end, -1),
        end=end,
        ended_on=day,
        ending=np.full(twin.size, Ending.CLAIMED, dtype=np.int64),
    )


def _withdrawn(ground: Ground, dice: Dice, standing: Standing, held: Holdings) -> Holdings:
    """Long-term policies sent back within the cooling-off period."""
    long_term, table = ground.proportions.long_term, ground.table
    likely = table.long_term[held.product] & held.in_force & (held.years > 0)
    twin = held.take(likely & dice.chance(long_term.withdrawn, held.size))
    start = _days_before(dice, standing, twin, dice.between(0, twin.years - 1, twin.size)) - (
        long_term.cooling_off_days
    )
    return replace(
        _ordinary(ground, twin),
        years=np.zeros(twin.size, dtype=np.int64),
        start=start,
        end=add_years(start, 1),
        ended_on=start + dice.between(1, long_term.cooling_off_days - 1, twin.size),
        ending=np.full(twin.size, Ending.WITHDRAWN, dtype=np.int64),
    )


def _ordinary(ground: Ground, spells: Holdings) -> Holdings:
    """The same spells with a regular premium and not as the first cover."""
    yearly = spells.premium / ground.proportions.long_term.single_factor
    return replace(
        spells,
        kind=np.full(spells.size, PremiumKind.REGULAR, dtype=np.int64),
        first=np.zeros(spells.size, dtype=np.bool_),
        premium=np.where(spells.kind == PremiumKind.SINGLE, yearly, spells.premium),
    )


def _days_before(dice: Dice, standing: Standing, spells: Holdings, years: Ints) -> Ints:
    """A day in the year that lies the given number of years before the customer's newest."""
    until = standing.until[spells.customer]
    return until - YEAR_DAYS * years - dice.between(0, YEAR_DAYS - 1, spells.size)


def _by_covers(factors: tuple[float, ...], covers: Ints) -> Floats:
    return np.asarray(factors)[np.clip(covers, 1, len(factors)) - 1]
