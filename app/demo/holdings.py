"""Which products each customer holds or left last, from when, and at what premium."""

from dataclasses import dataclass, fields, replace
from enum import IntEnum

import numpy as np

from app.demo.days import NO_DAY, add_years, latest_anniversary
from app.demo.dice import Dice, Flags, Floats, Ints, correlated, with_mean
from app.demo.ground import Ground, Topic
from app.demo.people import People
from app.demo.products import ProductTable, age_rate
from app.demo.proportions import LongTerm, Tenure
from app.demo.standing import Standing


class Ending(IntEnum):
    """How a term ended; a position in TERM_ENDS."""

    NONE = -1
    EXPIRED = 0
    RENEWED = 1
    LAPSED = 2
    SURRENDERED = 3
    CANCELLED = 4
    WITHDRAWN = 5
    CLAIMED = 6


class PremiumKind(IntEnum):
    """What a term's premium is; a position in PREMIUM_KINDS."""

    REGULAR = 0
    SINGLE = 1
    TOP_UP = 2
    PAID_UP = 3


class Insured(IntEnum):
    """Whom a policy insures; a position in RELATIONS."""

    SELF = 0
    CHILD = 1
    SPOUSE = 2
    PARENT = 3


RELATIONS = ("self", "child", "spouse", "parent")

_GROWN = 18


@dataclass(frozen=True, slots=True)
class Holdings:
    """Spells of holding a product, an entry each; a spell may run over several policies.

    ``customer`` is the position in the chunk, ``start`` and ``end`` the latest term (end
    excluded), ``years`` how many terms came before it, ``ended_on`` the day cover ended or NO_DAY,
    ``first`` marks the cover the customer came with, ``covers`` how many the customer holds,
    ``premium`` the yearly one of the latest regular term in currency units.
    """

    customer: Ints
    product: Ints
    years: Ints
    start: Ints
    end: Ints
    ended_on: Ints
    ending: Ints
    kind: Ints
    first: Flags
    covers: Ints
    insured: Ints
    insured_age: Ints
    premium: Floats

    @property
    def size(self) -> int:
        """How many spells there are."""
        return len(self.customer)

    @property
    def in_force(self) -> Flags:
        """Spells that have not ended."""
        running: Flags = self.ended_on == NO_DAY
        return running

    def take(self, picked: Ints | Flags) -> "Holdings":
        """The picked spells."""
        return Holdings(**{f.name: getattr(self, f.name)[picked] for f in fields(self)})


def join(parts: list[Holdings]) -> Holdings:
    """All spells of several parts."""
    return Holdings(
        **{
            f.name: np.concatenate([getattr(part, f.name) for part in parts])
            for f in fields(Holdings)
        }
    )


def running_premium(spells: Holdings, customers: int) -> Floats:
    """Premium of the running spells of each customer, in currency units."""
    running = spells.premium * spells.in_force
    total = np.bincount(spells.customer, weights=running, minlength=customers)
    return total.astype(np.float64)


def draw_holdings(ground: Ground, people: People, standing: Standing) -> Holdings:
    """What each customer holds on the day of the book, or held last."""
    dice, proportions, table = ground.dice(Topic.HOLDINGS), ground.proportions, ground.table
    customer, cover, first = _who_holds(dice, table, standing)
    size = len(customer)
    product = np.zeros(size, dtype=np.int64)
    for place in range(len(table.covers)):
        product = np.where(cover == place, dice.pick(table.shares_of(place), size), product)
    all_years = standing.years[customer]
    later = _later(dice, proportions.tenure, all_years, table.long_term[product])
    insured, insured_age = draw_insured(ground, dice, people, customer, cover)
    start = np.where(
        table.long_term[product],
        latest_anniversary(dice, proportions.season.long_term, ground.as_of, size),
        latest_anniversary(dice, proportions.season.annual, ground.as_of, size),
    )
    drawn = Holdings(
        customer=customer,
        product=product,
        years=np.where(first, all_years, later),
        start=start,
        end=add_years(start, 1),
        ended_on=np.full(size, NO_DAY, dtype=np.int64),
        ending=np.full(size, Ending.NONE, dtype=np.int64),
        kind=np.full(size, PremiumKind.REGULAR, dtype=np.int64),
        first=first,
        covers=standing.covers[customer],
        insured=insured,
        insured_age=insured_age,
        premium=draw_premium(ground, dice, people.means[customer], product, insured, insured_age),
    )
    running = _with_single_and_paid_up(dice, proportions.long_term, table, drawn)
    left = standing.lapsed[customer]
    last_day = standing.until[customer] - np.where(
        first, 0, dice.between(0, proportions.tenure.left_before_the_last, size)
    )
    ended = end_on(ground, dice, drawn, last_day)
    return join([running.take(~left), ended.take(left)])


def end_on(ground: Ground, dice: Dice, spells: Holdings, last_day: Ints) -> Holdings:
    """The spells with their latest term ended on the given days, and how it came."""
    renewal, size = ground.proportions.renewal, spells.size
    endowed = ground.table.long_term[spells.product]
    ending = np.where(
        endowed,
        np.where(dice.chance(renewal.surrendered, size), Ending.SURRENDERED, Ending.LAPSED),
        np.where(dice.chance(renewal.cancelled, size), Ending.CANCELLED, Ending.EXPIRED),
    )
    early = (ending == Ending.CANCELLED) | (
        (ending == Ending.SURRENDERED) & dice.chance(renewal.surrendered_early, size)
    )
    end = last_day + np.where(early, dice.between(*renewal.early_days, size), 0)
    return replace(
        spells, start=add_years(end, -1), end=end, ended_on=last_day, ending=ending.astype(np.int64)
    )


def draw_insured(
    ground: Ground, dice: Dice, people: People, customer: Ints, cover: Ints
) -> tuple[Ints, Ints]:
    """Whom each policy insures, and that person's age today."""
    numbers, size, age = ground.proportions.insured, len(customer), people.age[customer]
    youngest, oldest = numbers.parenting_ages
    family = np.array([(1 - sum(item.family), *item.family) for item in ground.table.covers])
    insured = dice.pick_by(family.tolist(), cover)
    parenting = (age >= youngest) & (age <= oldest)
    allowed = np.where(insured == Insured.SPOUSE, age > youngest, parenting)
    insured = np.where(allowed, insured, Insured.SELF).astype(np.int64)
    oldest_child = np.clip(age - youngest, 0, _GROWN - 1)
    ages = np.column_stack(
        [
            age,
            dice.between(0, oldest_child, size),
            np.maximum(age + dice.between(-4, 4, size), _GROWN),
            age + numbers.generation,
        ]
    )
    return insured, ages[np.arange(size), insured]


def draw_premium(
    ground: Ground, dice: Dice, means: Floats, product: Ints, insured: Ints, insured_age: Ints
) -> Floats:
    """Yearly premiums in currency units, with each product's mean whoever its holders are."""
    table, child_factor = ground.table, ground.proportions.insured.child_factor
    mean, deviation, income = (
        np.array([getattr(item.premium, name) for item in table.products])[product]
        for name in ("mean", "deviation", "income")
    )
    kinds = len(table.products)
    holders = np.maximum(np.bincount(product, minlength=kinds), 1)
    typical = np.bincount(product, weights=means, minlength=kinds) / holders
    rated = table.age_rated[product]
    mean = np.where(rated, mean * age_rate(insured_age), mean)
    children = np.array([table.covers[place].family[0] for place in table.cover_of])[product]
    child = np.where(insured == Insured.CHILD, child_factor, 1.0)
    level = np.where(rated, 1.0, child / (1 - children * (1 - child_factor)))
    noise = dice.normal(len(product))
    return with_mean(mean * level, deviation, correlated(means - typical[product], income, noise))


def _who_holds(dice: Dice, table: ProductTable, standing: Standing) -> tuple[Ints, Ints, Flags]:
    """Customer and cover of each spell; second policies of a cover follow the first ones."""
    customer, cover = (found.astype(np.int64) for found in np.nonzero(standing.held))
    second = np.array([item.second for item in table.covers])[cover]
    twice = dice.chance(second, len(customer))
    first = standing.first[customer] == cover
    none = np.zeros(int(twice.sum()), dtype=np.bool_)
    return (
        np.concatenate([customer, customer[twice]]),
        np.concatenate([cover, cover[twice]]),
        np.concatenate([first, none]),
    )


def _later(dice: Dice, tenure: Tenure, all_years: Ints, long_term: Flags) -> Ints:
    """Whole years since a further cover was bought: annual ones tend to be young, others old."""
    drawn = dice.uniform(0.0, 1.0, len(all_years))
    share = np.where(
        long_term, 1 - drawn**tenure.long_term_bent_to_start, drawn**tenure.annual_bent_to_today
    )
    return np.minimum((share * (all_years + 1)).astype(np.int64), all_years)


def _with_single_and_paid_up(
    dice: Dice, numbers: LongTerm, table: ProductTable, spells: Holdings
) -> Holdings:
    """Some life policies bought with one premium, some long-term ones fully paid."""
    size = spells.size
    life = table.cover_of[spells.product] == table.life_cover
    single = life & dice.chance(numbers.single_premium, size)
    seasoned = spells.years >= numbers.paid_up_after_years
    paid_up = (
        table.long_term[spells.product] & ~single & seasoned & dice.chance(numbers.paid_up, size)
    )
    paid_for = dice.between(0, np.maximum(spells.years - numbers.paid_up_after_years, 0), size)
    back = np.where(single, spells.years, np.where(paid_up, paid_for, 0))
    start = add_years(spells.start, -back)
    lasting = np.where(single, numbers.single_years, numbers.paid_up_years)
    kind = np.where(single, PremiumKind.SINGLE, np.where(paid_up, PremiumKind.PAID_UP, spells.kind))
    return replace(
        spells,
        start=start,
        end=np.where(single | paid_up, add_years(start, lasting), spells.end),
        years=spells.years - back,
        kind=kind,
        premium=np.where(single, spells.premium * numbers.single_factor, spells.premium),
    )
