"""Policy years: each spell unrolled backwards from its latest term to its first."""

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np

from app.demo.days import add_years
from app.demo.dice import Dice, Flags, Floats, Ints
from app.demo.ground import Ground, Topic
from app.demo.holdings import Ending, Holdings, PremiumKind
from app.demo.products import ProductTable, age_rate


class Start(IntEnum):
    """How a term began; a position in TERM_STARTS."""

    NEW = 0
    RENEWAL = 1
    REINSTATEMENT = 2


@dataclass(frozen=True, slots=True)
class Terms:
    """Policy years, an entry each.

    ``spell`` is the position in the holdings, ``policy`` the count of policies of the spell that
    came after this one (0 is the latest), ``back`` how many terms of the spell came after.
    """

    spell: Ints
    policy: Ints
    back: Ints
    start: Ints
    end: Ints
    ended_on: Ints
    ending: Ints
    started: Ints
    kind: Ints
    premium: Floats
    voluntary: Flags

    @property
    def size(self) -> int:
        """How many terms there are."""
        return len(self.spell)

    def take(self, picked: Ints | Flags) -> "Terms":
        """The picked terms."""
        return Terms(**{f.name: getattr(self, f.name)[picked] for f in fields(self)})


def join(parts: list[Terms]) -> Terms:
    """All terms of several parts."""
    return Terms(
        **{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Terms)}
    )


@dataclass(frozen=True, slots=True)
class _Boundary:
    """What happened where a term begins: nothing before it, a renewal, a break, a reinstatement."""

    older: Flags
    broken: Flags
    reinstated: Flags
    gap: Ints

    def within(self, start: Ints, earliest: Ints) -> "_Boundary":
        """The same boundary, with nothing before it that would begin too early."""
        fits = add_years(start - self.gap, -1) >= earliest
        return _Boundary(self.older & fits, self.broken & fits, self.reinstated & fits, self.gap)

    @property
    def started(self) -> Ints:
        """How the later term started."""
        renewal = np.where(self.broken | ~self.older, Start.NEW, Start.RENEWAL)
        return np.where(self.reinstated, Start.REINSTATEMENT, renewal).astype(np.int64)

    @property
    def ending(self) -> Ints:
        """How the earlier term ended."""
        ended = np.where(self.broken, Ending.EXPIRED, Ending.RENEWED)
        return np.where(self.reinstated, Ending.LAPSED, ended).astype(np.int64)


def unroll(ground: Ground, holdings: Holdings, silent: Flags, earliest: Ints) -> Terms:
    """All terms of all spells, newest first.

    Args:
        ground: what the draws stand on.
        holdings: the spells.
        silent: per spell, that its customer did nothing of their own in the last year.
        earliest: per spell, the day before which its customer could take out no policy.
    """
    dice, table = ground.dice(Topic.TERMS), ground.table
    spell = np.arange(holdings.size, dtype=np.int64)
    now = Terms(
        spell=spell,
        policy=np.zeros_like(spell),
        back=np.zeros_like(spell),
        start=holdings.start,
        end=holdings.end,
        ended_on=holdings.ended_on,
        ending=holdings.ending,
        started=np.zeros_like(spell),
        kind=holdings.kind,
        premium=np.where(holdings.kind == PremiumKind.PAID_UP, 0.0, holdings.premium),
        voluntary=np.zeros(holdings.size, dtype=np.bool_),
    )
    parts = []
    while now.size:
        quiet = silent[now.spell] & (now.back == 0)
        boundary = _boundary(ground, dice, holdings.take(now.spell), now.back, quiet)
        boundary = boundary.within(now.start, earliest[now.spell])
        by_itself = dice.chance(table.automatic[holdings.product[now.spell]], now.size)
        own_act = (boundary.started != Start.RENEWAL) | ~(by_itself | quiet)
        parts.append(
            Terms(
                **{f.name: getattr(now, f.name) for f in fields(Terms)}
                | {"started": boundary.started, "voluntary": own_act}
            )
        )
        now = _before(dice, table, holdings, now, boundary)
    return join(parts)


def _boundary(ground: Ground, dice: Dice, spells: Holdings, back: Ints, quiet: Flags) -> _Boundary:
    renewal, table, size = ground.proportions.renewal, ground.table, spells.size
    older = spells.years > back
    regular = (back > 0) | (spells.kind == PremiumKind.REGULAR)
    factors = np.asarray(renewal.by_covers)
    lost = table.lost[spells.product] * factors[np.clip(spells.covers, 1, len(factors)) - 1]
    free = older & ~quiet & regular
    broken = free & dice.chance(lost, size)
    endowed = free & table.long_term[spells.product] & (back > 0)
    reinstated = endowed & dice.chance(renewal.reinstated, size)
    prompt = spells.first | dice.chance(renewal.prompt_return, size)
    soon = dice.between(1, renewal.prompt_days, size)
    late = dice.between(renewal.prompt_days + 3, renewal.late_days, size)
    gap = np.where(broken, np.where(prompt, soon, late), 0)
    gap = np.where(reinstated, dice.between(*renewal.reinstated_days, size), gap)
    return _Boundary(older=older, broken=broken, reinstated=reinstated, gap=gap)


def _before(
    dice: Dice, table: ProductTable, holdings: Holdings, now: Terms, boundary: _Boundary
) -> Terms:
    """The terms before those of ``now``, where there are any."""
    keep = boundary.older
    product = holdings.product[now.spell]
    end = now.start - boundary.gap
    age = holdings.insured_age[now.spell] - now.back
    latest = np.where(now.back == 0, holdings.premium[now.spell], now.premium)
    drift = np.exp(
        np.array([item.renewal_drift.mean for item in table.products])[product]
        + np.array([item.renewal_drift.deviation for item in table.products])[product]
        * dice.normal(now.size)
    )
    aged = np.where(table.age_rated[product], age_rate(age) / age_rate(age - 1), 1.0)
    return Terms(
        spell=now.spell,
        policy=now.policy + boundary.broken,
        back=now.back + 1,
        start=add_years(end, -1),
        end=end,
        ended_on=end,
        ending=boundary.ending,
        started=now.started,
        kind=np.full(now.size, PremiumKind.REGULAR, dtype=np.int64),
        premium=latest / (drift * aged),
        voluntary=now.voluntary,
    ).take(keep)
