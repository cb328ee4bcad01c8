"""What a chunk's spells and terms say of each customer as a whole."""

from dataclasses import dataclass

import numpy as np

from app.demo.days import YEAR_DAYS
from app.demo.dice import Flags, Ints
from app.demo.ground import Ground, Topic
from app.demo.holdings import Holdings, PremiumKind
from app.demo.people import People
from app.demo.standing import Standing
from app.demo.terms import Terms


@dataclass(frozen=True, slots=True)
class Relation:
    """An entry per customer: first day with us, newest day with us, and how lively it is.

    ``silent`` customers do nothing of their own in the last year; ``must_be_heard`` are those in
    force who are not silent although no renewal is an act of theirs, so a contact must show it.
    """

    since: Ints
    until: Ints
    lapsed: Flags
    silent: Flags
    must_be_heard: Flags

    @property
    def size(self) -> int:
        """How many customers the chunk has."""
        return len(self.since)


def draw_silence(ground: Ground, people: People, standing: Standing, holdings: Holdings) -> Flags:
    """Customers of whom nothing is heard: only those whose policies run by themselves can be."""
    dice = ground.dice(Topic.SILENCE)
    automatic = ground.table.automatic[holdings.product] > 0
    lasting = holdings.kind != PremiumKind.REGULAR
    since = np.where(lasting, holdings.start <= ground.as_of - YEAR_DAYS - 5, holdings.years > 0)
    stirring = np.zeros(people.size, dtype=np.bool_)
    stirring[holdings.customer[~(automatic & since)]] = True
    could_be = ~stirring & ~standing.lapsed & (standing.years > 0)
    return could_be & dice.chance(ground.proportions.standing.silent, people.size)


def relate(
    ground: Ground, standing: Standing, holdings: Holdings, terms: Terms, silent: Flags
) -> Relation:
    """The relation of each customer, from all terms."""
    customer = holdings.customer[terms.spell]
    since = np.full(len(silent), ground.as_of, dtype=np.int64)
    np.minimum.at(since, customer, terms.start)
    recent = (terms.start > ground.as_of - YEAR_DAYS + 2) & terms.voluntary
    acted = np.zeros(len(silent), dtype=np.bool_)
    acted[customer[recent]] = True
    return Relation(
        since=since,
        until=standing.until,
        lapsed=standing.lapsed,
        silent=silent,
        must_be_heard=~silent & ~standing.lapsed & ~acted,
    )
