"""Attributes of people that scoring reads: occupation, health, habits, credit, stages of life."""

from statistics import NormalDist

import numpy as np
import pyarrow as pa

from app.demo import columns
from app.demo.dice import Dice, Ints, correlated
from app.demo.ground import Ground, Topic
from app.demo.holdings import Holdings
from app.demo.people import People
from app.demo.proportions import Spread
from app.demo.vocabulary import load_vocabulary

_GRADES = ("A", "B", "C", "D", "E")
_CREDIT_BOUNDS = (300, 950)
_POINTS = 100


def attribute_columns(ground: Ground, people: People, holdings: Holdings) -> dict[str, pa.Array]:
    """The columns of `customers` that scoring reads; null for corporates and where unknown."""
    dice, size, person = ground.dice(Topic.ATTRIBUTES), people.size, ~people.corporate
    proportions, numbers = ground.proportions, ground.proportions.people
    families = dice.chance(proportions.family.known, size)
    credit = numbers.credit_mean + numbers.credit_deviation * correlated(
        people.means, numbers.credit_by_income, dice.normal(size)
    )
    bounded = np.clip(credit, *_CREDIT_BOUNDS).astype(np.int64)
    return {
        **_occupation(dice, ground, people),
        **_health(dice, ground, people, holdings),
        "fraud_suspicion": columns.flags(people.suspected),
        "opinion_leader": columns.flags(dice.chance(numbers.opinion_leader, size)),
        "credit_score": columns.whole(bounded, dice.chance(numbers.credit_known, size)),
        "career_stage": columns.words(
            proportions.career.stages, people.career, person & people.career_known
        ),
        "family_stage": columns.words(proportions.family.stages, people.family, person & families),
    }


def _occupation(dice: Dice, ground: Ground, people: People) -> dict[str, pa.Array]:
    """A title and its risk class; students and pensioners have neither trade nor risk."""
    numbers, words, size = ground.proportions.occupation, load_vocabulary().occupations, people.size
    stages = ground.proportions.career.stages
    by_class = (words.low, words.medium, words.high)
    titles = [title for texts in by_class for title in texts] + [words.student, words.retired]
    lengths = np.array([len(texts) for texts in by_class])
    risk = dice.pick(numbers.mix, size)
    title = (np.cumsum(lengths) - lengths)[risk] + dice.between(0, lengths[risk] - 1, size)
    for stage, place in (("student", len(titles) - 2), ("retired", len(titles) - 1)):
        idle = people.career == stages.index(stage)
        title, risk = np.where(idle, place, title), np.where(idle, 0, risk)
    known = ~people.corporate & dice.chance(numbers.known, size)
    return {
        "occupation": columns.words(titles, title, known),
        "occupation_risk": columns.words(numbers.classes, risk, known),
    }


def _health(dice: Dice, ground: Ground, people: People, holdings: Holdings) -> dict[str, pa.Array]:
    """What underwriting, questionnaires and devices say; each known of some only."""
    numbers, size, person = ground.proportions.health, people.size, ~people.corporate
    personal, driving = np.zeros((2, size), dtype=np.bool_)
    personal[holdings.customer[ground.table.persons[holdings.product]]] = True
    lines = np.array([item.line == "motor" for item in ground.table.products])
    driving[holdings.customer[lines[holdings.product]]] = True
    asked = person & dice.chance(numbers.lifestyle_known, size)
    smoker, drinker = (
        dice.chance(np.where(people.male, *shares), size)
        for shares in (numbers.smoker, numbers.heavy_drinker)
    )
    graded = person & (personal | dice.chance(numbers.grade_known_without_cover, size))
    return {
        "smoker": columns.flags(smoker, asked),
        "heavy_drinker": columns.flags(drinker, asked),
        "health_grade": columns.words(_GRADES, _grades(dice, ground, people), graded),
        "health_habit_score": columns.whole(
            _points(dice, numbers.habit_score, size),
            person & dice.chance(numbers.habit_score_known, size),
        ),
        "driving_score": columns.whole(
            _points(dice, numbers.driving_score, size),
            person & driving & dice.chance(numbers.driving_score_known, size),
        ),
    }


def _grades(dice: Dice, ground: Ground, people: People) -> Ints:
    """Health grades in the given shares, worse with age."""
    health = ground.proportions.health
    shares = np.cumsum(health.grades)[:-1] / sum(health.grades)
    bounds = [NormalDist().inv_cdf(float(share)) for share in shares]
    numbers = ground.proportions.people
    older = (people.age.astype(np.float64) - numbers.age_mean) / numbers.age_deviation
    drawn = correlated(older, health.grade_by_age, dice.normal(people.size))
    return np.searchsorted(bounds, drawn).astype(np.int64)


def _points(dice: Dice, spread: Spread, size: int) -> Ints:
    drawn = spread.mean + spread.deviation * dice.normal(size)
    return np.clip(drawn, 0, _POINTS).astype(np.int64)
