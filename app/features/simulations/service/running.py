"""Walking through the book under two sets of rules, batch by batch, in bounded memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import aclosing, closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from app.domain.benefits.catalogue import Grant
from app.domain.errors import NotFound
from app.domain.tiering.ladder import LADDER
from app.features.benefits.service import get_benefits
from app.features.reevaluation.service import held_in, open_standing_book
from app.features.simulations.repository.movers import PEOPLE_QUERY
from app.features.simulations.service.frame import Compared, Movers, compare
from app.features.simulations.service.plan import Plan
from app.features.simulations.service.report import BenefitLoad, Loads, SlaLoad
from app.features.simulations.service.tally import Tally
from app.features.sla.service import TierSla, get_sla
from app.infra.ahead import ahead, ahead_of_loop
from app.infra.book import Book
from app.infra.database import AsyncSession
from app.infra.settings import Settings

Keep = Callable[[Movers, int, int], Awaitable[None]]
"""Told of each batch: who moves, how many customers are done, of how many."""

_PEOPLE: Final = "people"
_TIMES_A_YEAR: Final = {"month": 12, "quarter": 4, "year": 1}


@dataclass(frozen=True, slots=True)
class Walked:
    """What was counted of the whole book, and when it was read."""

    tally: Tally
    snapshot_at: datetime


async def walk(url: str, settings: Settings, plan: Plan, keep: Keep) -> Walked:
    """Compare what decides before and after for every customer of the book.

    Args:
        url: the database.
        settings: where the temporary book may live.
        plan: what decides.
        keep: awaited after each batch; what it raises ends the walk.
    """
    total = Tally()
    async with open_standing_book(url, settings, {_PEOPLE: PEOPLE_QUERY}) as book:
        async with aclosing(ahead_of_loop(_compared(book, plan))) as batches:
            async for compared in batches:
                total.add(compared.tally)
                await keep(compared.movers, total.customers, book.customers)
        return Walked(total, book.snapshot_at)


def _compared(book: Book, plan: Plan) -> Generator[Compared]:
    """The book batch by batch; the facts of the next one are computed while one is compared."""
    with closing(ahead(book.batches(plan.as_of))) as batches:
        for batch in batches:
            yield compare(batch.facts, held_in(batch), batch.rows[_PEOPLE], plan)


async def read_loads(session: AsyncSession, as_of: date) -> Loads:
    """What each tier is promised and granted on a business day."""
    promised = [found for tier in LADDER.tiers if (found := await _sla(session, tier, as_of))]
    granted = [
        BenefitLoad(tier, item.benefit.code, _uses_per_year(item.grant))
        for tier in LADDER.tiers
        for item in (await get_benefits(session, tier=tier, next_tier=None, on=as_of)).granted
    ]
    return Loads(
        sla_policy_version=promised[0].policy_version if promised else None,
        sla=tuple(
            SlaLoad(sla.tier, promise.entry.service_type, promise.entry.contacts_per_month)
            for sla in promised
            for promise in sla.promises
        ),
        benefits=tuple(granted),
    )


async def _sla(session: AsyncSession, tier: str, as_of: date) -> TierSla | None:
    try:
        return await get_sla(session, tier=tier, on=as_of)
    except NotFound:
        # No policy is in force, so nothing is promised.
        return None


def _uses_per_year(grant: Grant) -> int | None:
    if grant.quota is None or grant.period is None:
        return None
    return grant.quota * _TIMES_A_YEAR[grant.period]
