"""The book as a caller may leaf through it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from app.domain.errors import Forbidden, Invalid
from app.domain.privacy.actor import Actor
from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Role
from app.features.customers.repository import book
from app.features.customers.repository.book import BookFilter, ListedCustomer
from app.infra.database import AsyncSession

__all__ = ["BookFilter", "BookPage", "ListedCustomer", "list_customers", "list_whole_book"]

#: The class of what each filter asks about. To filter is to see: whom a field leaves has its value.
_CLASSES: Final = {
    "tier": SensitivityClass.OPEN,
    "segment": SensitivityClass.INTERNAL,
    "life_cycle_stage": SensitivityClass.INTERNAL,
    "label": SensitivityClass.INTERNAL,
    "renewal_due_before": SensitivityClass.INTERNAL,
    "downgrade_pending": SensitivityClass.INTERNAL,
    "account_manager": SensitivityClass.INTERNAL,
}


@dataclass(frozen=True, slots=True)
class BookPage:
    """Some customers; `after` is the id the page ended with, None at the end of all."""

    items: list[ListedCustomer]
    after: str | None


async def list_customers(
    session: AsyncSession,
    *,
    wanted: BookFilter,
    actor: Actor,
    today: date,
    limit: int,
    after: str = "",
) -> BookPage:
    """A page of the customers that a filter leaves.

    An account manager leafs through his own customers and no others, whatever he asks for.

    Args:
        session: an open session.
        wanted: which customers.
        actor: the caller.
        today: the business day.
        limit: how many at most.
        after: where the page before ended.

    Raises:
        Forbidden: `field-not-permitted` if the filter asks about what the caller is not shown.
    """
    permitted = _permitted(wanted, actor)
    found = await book.list_customers(session, permitted, today=today, after=after, limit=limit + 1)
    items = found[:limit]
    return BookPage(items, items[-1].customer_id if len(found) > limit else None)


async def list_whole_book(
    session: AsyncSession, *, wanted: BookFilter, actor: Actor, today: date, most: int
) -> AsyncIterator[Sequence[ListedCustomer]]:
    """All the customers that a filter leaves, as they were at one instant, some at a time.

    An account manager gets his own customers, as in `list_customers`. When the last are read the
    session's connection is free for others.

    Args:
        session: a session of which nothing else is asked.
        wanted: which customers.
        actor: the caller.
        today: the business day.
        most: how many customers one list may hold.

    Raises:
        Forbidden: `field-not-permitted`, as `list_customers`.
        Invalid: `list-too-long` if there are more.
    """
    permitted = _permitted(wanted, actor)
    # Counting costs little beside the rest, so what is too long is refused before it is read.
    if await book.count_customers(session, permitted, today=today, most=most + 1) > most:
        raise _too_long()
    read = 0
    async for part in book.stream_customers(session, permitted, today=today, most=most + 1):
        read += len(part)
        if read > most:
            # They came in after the counting.
            raise _too_long()
        yield part
    await session.rollback()


def _too_long() -> Invalid:
    return Invalid("list-too-long", "The filter leaves more customers than one list may hold.")


def _permitted(wanted: BookFilter, actor: Actor) -> BookFilter:
    """What of a filter's customers the caller may list.

    Raises:
        Forbidden: `field-not-permitted` if it asks about what he is not shown.
    """
    if actor.role is Role.ACCOUNT_MANAGER:
        wanted = replace(wanted, account_manager=actor.subject)
    for name, sensitivity in _CLASSES.items():
        if getattr(wanted, name) is not None and not _is_shown(actor, sensitivity):
            raise Forbidden("field-not-permitted")
    return wanted


def _is_shown(actor: Actor, sensitivity: SensitivityClass) -> bool:
    """Whether the caller is shown a class in clear of whomever."""
    return MATRIX.disposition(actor.viewer(), sensitivity) is Disposition.CLEAR
