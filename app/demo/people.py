"""Who the customers of a chunk are: kind, age, means, and what that says of their lives."""

from dataclasses import dataclass

import numpy as np

from app.demo.days import YEAR_DAYS, add_years
from app.demo.dice import Dice, Flags, Floats, Ints, correlated, standardised
from app.demo.ground import Ground, Topic
from app.demo.proportions import PeopleNumbers, Stages
from app.demo.vocabulary import load_vocabulary

_OF_AGE = 18


@dataclass(frozen=True, slots=True)
class People:
    """The customers of a chunk, an entry each in every array.

    ``number`` is the customer's number in the book, ``birth`` a day, ``means`` the standardised
    income that premiums correlate with, ``cohort`` the row of the tables by age.
    """

    number: Ints
    corporate: Flags
    male: Flags
    birth: Ints
    age: Ints
    means: Floats
    income: Ints
    assets: Ints
    city: Ints
    suspected: Flags
    career: Ints
    career_known: Flags
    family: Ints
    shares_phone: Flags

    @property
    def of_age(self) -> Ints:
        """The day each could first take out a policy; companies always could."""
        grown = add_years(self.birth, _OF_AGE)
        return np.where(self.corporate, np.iinfo(np.int32).min, grown)

    @property
    def size(self) -> int:
        """How many customers the chunk has."""
        return len(self.number)


def draw_people(ground: Ground, numbers: Ints) -> People:
    """Customers with the given numbers in the book as they are on its day."""
    dice, proportions, size = ground.dice(Topic.PEOPLE), ground.proportions, len(numbers)
    people = proportions.people
    corporate = dice.chance(proportions.kind.corporate, size)
    age = _ages(dice, people, size)
    birth = ground.as_of - np.floor((age + dice.uniform(0.0, 0.999, size)) * 365.2425).astype(
        np.int64
    )
    prime = 1.0 - ((age - people.income_peak_age) / people.income_peak_width) ** 2 / 2
    means = correlated(standardised(prime), people.income_by_age, dice.normal(size))
    income = np.where(corporate, people.corporate_income_median, people.income_median) * np.exp(
        people.income_deviation * means
    )
    years = people.asset_years_median * np.exp(people.asset_years_deviation * dice.normal(size))
    shares = dice.chance(people.shared_phone, size) & ~corporate
    shares[1:] &= ~corporate[:-1]
    shares[:1] = False
    city = dice.pick(load_vocabulary().cities.weights, size)
    city = np.where(shares, np.roll(city, 1), city)
    return People(
        number=numbers,
        corporate=corporate,
        male=dice.chance(people.male, size),
        birth=birth,
        age=age,
        means=means,
        income=_rounded(income),
        assets=_rounded(income * years * np.clip((age - 15) / 30, 0.2, 1.4)),
        city=city,
        suspected=dice.chance(people.fraud_suspicion, size),
        career=_stage(dice, proportions.career, age),
        career_known=dice.chance(proportions.career.known, size),
        family=_stage(dice, proportions.family, age),
        shares_phone=shares,
    )


def _ages(dice: Dice, people: PeopleNumbers, size: int) -> Ints:
    """Normal ages; who falls outside the range is spread over its nearer half."""
    low, high = people.age_range
    age = people.age_mean + people.age_deviation * dice.normal(size)
    again = dice.uniform(low, (low + high) / 2, size)
    return np.floor(np.where((age < low) | (age > high), again, age)).astype(np.int64)


def _stage(dice: Dice, stages: Stages, age: Ints) -> Ints:
    cohort = np.searchsorted(np.asarray(stages.from_age), age, side="right") - 1
    return dice.pick_by(stages.mix, np.maximum(cohort, 0))


def _rounded(amount: Floats) -> Ints:
    """Whole thousands, as people state them, in minor units."""
    return (np.maximum(np.round(amount / 1000), 1) * 100_000).astype(np.int64)


def born_within(dice: Dice, ages: Ints, as_of: int) -> Ints:
    """A birthday for each age on the given day."""
    return as_of - ages * YEAR_DAYS - dice.between(0, YEAR_DAYS - 1, len(ages))
