"""What a customer consented to, and since or until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from app.features.customers.repository import consents, profiles
from app.features.customers.repository.profiles import StoredConsent
from app.features.imports.service import write_records
from app.infra.cipher import Vault
from app.infra.database import CALLERS_LOCK_SECONDS, AsyncSession, wait_for_locks
from app.infra.settings import Settings

__all__ = [
    "ConsentGiven",
    "StoredConsent",
    "consents_version",
    "list_consents",
    "lock_consents_version",
    "put_consents",
]


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """A consent to a purpose, with the text agreed to, and perhaps withdrawn."""

    purpose: str
    given_on: date
    basis: str
    text_version: str | None
    withdrawn_on: date | None


async def list_consents(session: AsyncSession, *, customer_id: str) -> list[ConsentGiven]:
    """Every consent of a customer, by purpose, the newest first."""
    return [
        ConsentGiven(*found) for found in await consents.list_all_consents(session, customer_id)
    ]


def consents_version(given: Sequence[ConsentGiven]) -> str:
    """The version of all consents of a customer: all that a change of them changes."""
    return repr(given)


async def lock_consents_version(session: AsyncSession, *, customer_id: str) -> str:
    """The version of a customer's consents, which nobody else changes until the transaction ends.

    Args:
        session: an open session.
        customer_id: the customer, by the id he is stored under.
    """
    await profiles.lock_customer(session, customer_id)
    return consents_version(await list_consents(session, customer_id=customer_id))


async def put_consents(
    session: AsyncSession,
    *,
    customer_id: str,
    given: Sequence[ConsentGiven],
    vault: Vault,
    settings: Settings,
    today: date,
) -> None:
    """Store what a customer consents to; a purpose that is not listed is withdrawn from today on.

    Consents of the past stay, and saying the same again changes nothing.

    Args:
        session: an open session.
        customer_id: the customer, by the id he is stored under.
        given: his consents, also withdrawn ones.
        vault: for the write path.
        settings: for the currency and the business zone.
        today: the business day.

    Raises:
        RowsRejected: a consent cannot be stored; nothing of it was.
    """
    await wait_for_locks(session, seconds=CALLERS_LOCK_SECONDS)
    listed = {consent.purpose for consent in given}
    held = (await profiles.get_profile(session, customer_id, on=today)).consents
    withdrawn = [
        {"purpose": purpose, "given_on": consent.given_on, "withdrawn_on": today}
        for purpose, consent in held.items()
        if purpose not in listed and consent.holds_on(today)
    ]
    # Apart, since a withdrawal says nothing of the text that was agreed to.
    for rows in ([asdict(consent) for consent in given], withdrawn):
        if rows:
            await write_records(
                session,
                record="consents",
                rows=[{"customer_id": customer_id, **row} for row in rows],
                vault=vault,
                settings=settings,
                valid_from=today,
            )
