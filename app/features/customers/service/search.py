"""Who has a phone or an ID number: exact look-up over the blind index, and filling that index."""

from __future__ import annotations

from typing import Final

from app.domain.errors import Invalid
from app.features.customers.repository import search
from app.features.customers.repository.search import StoredCandidate, UnindexedCustomer
from app.infra.cipher import CipherError, SubjectKey, Vault, find_subject_keys
from app.infra.database import AsyncSession

__all__ = [
    "MOST_CANDIDATES",
    "StoredCandidate",
    "fill_blind_index",
    "has_unindexed",
    "search_customers",
]

MOST_CANDIDATES: Final = 20
"""A number is shared in a household or a firm; whoever is shared by more tells nobody apart."""


async def search_customers(
    session: AsyncSession, *, phone: str | None, id_no: str | None, vault: Vault
) -> list[StoredCandidate]:
    """The customers who have a phone or an ID number, at most `MOST_CANDIDATES`, by id.

    A hit and a miss take the same steps: both HMACs are worked out, one statement is sent, and
    nothing is opened. Who was merged into another answers as the other.

    Args:
        session: an open session.
        phone: the phone number as somebody writes it, or None.
        id_no: the ID number, likewise.
        vault: knows the keys of the index.
    """
    index = vault.blind_index
    return await search.find_candidates(
        session, phone=index.phone(phone), id_no=index.id_no(id_no), limit=MOST_CANDIDATES
    )


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
