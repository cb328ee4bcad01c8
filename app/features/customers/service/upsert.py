"""Writing what a feed says of a customer, over the one write path of the imports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from app.features.customers.repository import profiles, subjects
from app.features.customers.repository.profiles import StoredConsent
from app.features.imports.service import write_records
from app.infra.cipher import Vault, ensure_subject_keys
from app.infra.database import CALLERS_LOCK_SECONDS, AsyncSession, wait_for_locks
from app.infra.settings import Settings


@dataclass(frozen=True, slots=True)
class CustomerChange:
    """What a feed says of one customer.

    Args:
        columns: columns of the record `customers`; None clears, what is missing stays as it is.
        purposes: everything the customer consents to now; None leaves his consents as they are.
    """

    columns: Mapping[str, object]
    purposes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Upserted:
    """Under which id a customer was written, and whether he was new."""

    customer_id: str
    is_new: bool


async def put_customer(
    session: AsyncSession,
    *,
    customer_id: str,
    change: CustomerChange,
    vault: Vault,
    settings: Settings,
    today: date,
) -> Upserted:
    """Create a customer, or change what is said of him; an id merged away means the survivor.

    Attributes that scoring reads hold from today on; what held before stays in their history. Of
    several first records of one customer, one is new.

    Args:
        session: an open session.
        customer_id: the insurer's own id.
        change: what is said.
        vault: seals identifiers and amounts.
        settings: for the currency and the business zone.
        today: the business day.

    Raises:
        RowsRejected: something said cannot be stored; nothing of it was.
    """
    await wait_for_locks(session, seconds=CALLERS_LOCK_SECONDS)
    found = await subjects.find_subject(session, customer_id)
    if found is None:
        # Of several first records, each would find nobody. Whoever makes the customer's key is the
        # first; the others wait for him here, and find whom he stored.
        await ensure_subject_keys(session, vault, [customer_id])
        found = await subjects.find_subject(session, customer_id)
    own_id = customer_id if found is None else found.customer_id
    await write_records(
        session,
        record="customers",
        rows=[{"customer_id": own_id, **change.columns}],
        vault=vault,
        settings=settings,
        valid_from=today,
    )
    if change.purposes is not None:
        held = (await profiles.get_profile(session, own_id, on=today)).consents
        if rows := _consent_rows(own_id, change.purposes, held, today):
            await write_records(
                session,
                record="consents",
                rows=rows,
                vault=vault,
                settings=settings,
                valid_from=today,
            )
    return Upserted(own_id, is_new=found is None)


def _consent_rows(
    customer_id: str, wanted: frozenset[str], known: Mapping[str, StoredConsent], today: date
) -> list[dict[str, object]]:
    """The consents to write so that exactly the wanted ones hold; what holds already stays."""
    held = {purpose: consent for purpose, consent in known.items() if consent.holds_on(today)}
    given = [(purpose, today, None) for purpose in sorted(wanted - set(held))]
    withdrawn = [
        (purpose, consent.given_on, today)
        for purpose, consent in held.items()
        if purpose not in wanted
    ]
    return [
        {
            "customer_id": customer_id,
            "purpose": purpose,
            "given_on": given_on,
            "withdrawn_on": withdrawn_on,
        }
        for purpose, given_on, withdrawn_on in (*given, *withdrawn)
    ]
