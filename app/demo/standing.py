"""How long each customer has been with us, whether still, and with which covers."""

from dataclasses import dataclass

import numpy as np

from app.demo.dice import Flags, Floats, Ints
from app.demo.ground import Ground, Topic
from app.demo.people import People
from app.demo.proportions import Proportions

_SUREST = 0.95
_LONGEST_YEAR = 366
_YOUNGEST_LEAVER_DAYS = 4 * _LONGEST_YEAR


@dataclass(frozen=True, slots=True)
class Standing:
    """An entry per customer of the chunk.

    ``years`` are whole years with us up to ``until`` (today, or the day the last cover ended for
    who ``lapsed``), ``held`` one column per cover, ``first`` the cover the customer came with.
    """

    years: Ints
    lapsed: Flags
    until: Ints
    held: Flags
    first: Ints

    @property
    def covers(self) -> Ints:
        """How many covers each holds."""
        counted: Ints = self.held.sum(axis=1).astype(np.int64)
        return counted


def draw_standing(ground: Ground, people: People) -> Standing:
    """The standing of each customer on the day of the book."""
    dice, proportions, table = ground.dice(Topic.STANDING), ground.proportions, ground.table
    size = people.size
    years = dice.pick(proportions.tenure.weights, size)
    of_age = people.of_age
    lapsed = dice.chance(proportions.standing.lapsed, size)
    lapsed &= of_age < ground.as_of - _YOUNGEST_LEAVER_DAYS
    years = np.where(lapsed, dice.between(0, years, size), years)
    left_on = ground.as_of - dice.between(0, proportions.standing.lapsed_within_days, size)
    until = np.where(lapsed, left_on, ground.as_of)
    # The term that runs, or the covers that ended before the last one, take a year beyond these.
    years = np.clip((until - of_age) // _LONGEST_YEAR - 1 - lapsed, 0, years)
    eager = _eagerness(proportions, people, years, lapsed)
    held = np.zeros((size, len(table.covers)), dtype=np.bool_)
    first = np.zeros(size, dtype=np.int64)
    staying_away = np.where(table.lasting_covers, proportions.tenure.long_term_lapsed, 1.0)
    for corporate in (False, True):
        kin = people.corporate == corporate
        mine = table.corporate == corporate
        weights = np.array([cover.first for cover in table.covers]) * mine
        first = np.where(kin & ~lapsed, dice.pick(weights, size), first)
        first = np.where(kin & lapsed, dice.pick(weights * staying_away, size), first)
        for place in np.flatnonzero(mine):
            cover = table.covers[place]
            further = (cover.held - cover.first) / (1 - cover.first)
            chance = further * eager * np.where(lapsed, staying_away[place], 1.0)
            wanted = dice.chance(np.minimum(chance, _SUREST), size)
            held[:, place] = kin & (wanted | (first == place))
    return Standing(years=years, lapsed=lapsed, until=until, held=held, first=first)


def _eagerness(proportions: Proportions, people: People, years: Ints, lapsed: Flags) -> Floats:
    """Factor on the chance of each further cover; its mean over those in force is 1."""
    tenure = proportions.tenure
    by_years = np.asarray(tenure.further_covers)
    factor: Floats = by_years[np.minimum(years, len(by_years) - 1)]
    factor *= np.exp(tenure.further_covers_income * people.means)
    staying = factor[~lapsed]
    mean = float(staying.mean()) if len(staying) else 1.0
    leaving: Floats = np.where(lapsed, tenure.further_covers_lapsed, 1.0)
    return leaving * factor / mean
