"""The book as a caller may leaf through it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from app.domain.errors import Forbidden
from app.domain.privacy.actor import Actor
from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Role
from app.features.customers.repository import book
from app.features.customers.repository.book import BookFilter, ListedCustomer
from app.infra.database import AsyncSession

__all__ = ["BookFilter", "BookPage", "ListedCustomer", "list_customers"]

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
    if actor.role is Role.ACCOUNT_MANAGER:
        wanted = replace(wanted, account_manager=actor.subject)
    for name, sensitivity in _CLASSES.items():
        if getattr(wanted, name) is not None and not _is_shown(actor, sensitivity):
            raise Forbidden("field-not-permitted")
    found = await book.list_customers(session, wanted, today=today, after=after, limit=limit + 1)
    items = found[:limit]
    return BookPage(items, items[-1].customer_id if len(found) > limit else None)


def _is_shown(actor: Actor, sensitivity: SensitivityClass) -> bool:
    """Whether the caller is shown a class in clear of whomever."""
    return MATRIX.disposition(actor.viewer(), sensitivity) is Disposition.CLEAR
