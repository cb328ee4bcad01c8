"""Who has a phone or an ID number: exact look-up over the blind index, and filling that index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from app.domain.errors import DomainError, Invalid
from app.features.customers.repository import search, searches
from app.features.customers.repository.search import StoredCandidate, UnindexedCustomer
from app.infra.cipher import CipherError, SubjectKey, Vault, find_subject_keys
from app.infra.database import AsyncSession

__all__ = [
    "MOST_CANDIDATES",
    "MissesExhaustedError",
    "Searcher",
    "StoredCandidate",
    "fill_blind_index",
    "has_unindexed",
    "search_customers",
]

MOST_CANDIDATES: Final = 20
"""A number is shared in a household or a firm; whoever is shared by more tells nobody apart."""


_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


class MissesExhaustedError(DomainError):
    """Somebody searched too often for numbers that are nobody's; he may again in `retry_after`."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("misses-exhausted")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Searcher:
    """Who searches, when, and how often he may find nobody; 0 is as often as he likes.

    `actor_digest` stands for him in all of his roles; `today` is the business day of `now`.
    """

    actor_digest: str
    now: datetime
    today: date
    misses_per_hour: int
    misses_per_day: int

    def limits(self) -> Mapping[timedelta, int]:
        """How often he may find nobody, by the length of time."""
        limits = {_HOUR: self.misses_per_hour, _DAY: self.misses_per_day}
        return {window: most for window, most in limits.items() if most}


async def search_customers(
    session: AsyncSession,
    *,
    phone: str | None,
    id_no: str | None,
    searcher: Searcher,
    vault: Vault,
) -> list[StoredCandidate]:
    """The customers who have a phone or an ID number, at most `MOST_CANDIDATES`, by id.

    A hit and a miss take the same steps: both HMACs are worked out, the same statements are sent,
    and nothing is opened. Who was merged into another answers as the other. Misses are counted:
    who knows all of a number but a few digits, as its mask tells, finds out the others by trying.

    Args:
        session: an open session; the search is counted in its transaction.
        phone: the phone number as somebody writes it, or None.
        id_no: the ID number, likewise.
        searcher: who searches.
        vault: knows the keys of the index.

    Raises:
        MissesExhaustedError: he found nobody too often of late; nothing was searched for.
    """
    await _require_few_misses(session, searcher)
    index = vault.blind_index
    found = await search.find_candidates(
        session,
        phone=index.phone(phone),
        id_no=index.id_no(id_no),
        today=searcher.today,
        limit=MOST_CANDIDATES,
    )
    await searches.record_search(
        session, actor_digest=searcher.actor_digest, is_miss=not found, at=searcher.now
    )
    return found


async def _require_few_misses(session: AsyncSession, searcher: Searcher) -> None:
    """Wait for the actor's other searches, and refuse him where he may not find nobody again."""
    who, now = searcher.actor_digest, searcher.now
    await searches.begin_search(session, actor_digest=who, since=now - _DAY)
    limits = searcher.limits()
    if not limits:
        return
    # As many misses as there may be lie in a window if the first of these does.
    firsts = await searches.list_misses(
        session, actor_digest=who, places=[most - 1 for most in limits.values()]
    )
    # Searches of the same moment may have waited for each other in another order.
    waits = [
        min(first, now) + window - now
        for window, first in zip(limits, firsts, strict=True)
        if first is not None and first > now - window
    ]
    if waits:
        raise MissesExhaustedError(max(waits))


async def has_unindexed(session: AsyncSession) -> bool:
    """Whether anybody was stored before there was an index; erased customers may stay so."""
    return await search.has_unindexed(session)


async def fill_blind_index(
    session: AsyncSession, *, vault: Vault, after: str = "", limit: int
) -> str | None:
    """Fill the index for customers stored before there was one, the next few in order of their ids.

    Each call is a transaction of its caller's, so it may be interrupted and begun anew at any time.
    Numbers of erased customers do not open, and stay out of the index.

    Args:
        session: an open session.
        vault: opens the numbers.
        after: the id that the call before ended with.
        limit: how many customers at most.

    Returns:
        The id it ended with, None when nobody is left.

    Raises:
        Invalid: `master-key` if the numbers were sealed under another master key.
    """
    found = await search.list_unindexed(session, after=after, limit=limit)
    if not found:
        return None
    try:
        keys = await find_subject_keys(session, vault, [item.customer_id for item in found])
    except CipherError:
        raise Invalid(
            "master-key", "The stored data keys do not open with this deployment's master key."
        ) from None
    await search.fill_index(
        session,
        [
            (
                item,
                vault.blind_index.phone(_opened(item, "phone_cipher", keys)),
                vault.blind_index.id_no(_opened(item, "id_no_cipher", keys)),
            )
            for item in found
        ],
    )
    return found[-1].customer_id


def _opened(customer: UnindexedCustomer, column: str, keys: dict[str, SubjectKey]) -> str | None:
    sealed: bytes | None = getattr(customer, column)
    key = keys.get(customer.customer_id)
    if sealed is None or key is None:
        return None
    try:
        return Vault.decrypt(key, "customers", column, customer.customer_id, sealed).decode()
    except CipherError:
        return None
