"""A customer's profile: identity, what was declared, and the panorama, for one viewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from app.db.rows.customer import CustomerRow
from app.db.rows.scoring_input import ScoringInputRow
from app.domain.privacy.classes import Disposition, SensitivityClass, Trait
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.features.customers.repository import panorama, profiles
from app.features.customers.repository.panorama import StoredLine, StoredPanorama, StoredStanding
from app.features.customers.repository.profiles import StoredConsent
from app.features.customers.service.subjects import Subject
from app.infra.cipher import CipherError, Vault, find_subject_keys
from app.infra.database import AsyncSession

_YEAR: Final = timedelta(days=365)

_DECLARED: Final = frozenset({Trait.DECLARED})
#: The sealed columns, with what the role table is asked before one is opened.
_SEALED: Final[dict[str, tuple[SensitivityClass, frozenset[Trait]]]] = {
    "name": (SensitivityClass.C2_NAME, frozenset()),
    "phone": (SensitivityClass.C2_CONTACT, frozenset()),
    "email": (SensitivityClass.C2_CONTACT, frozenset()),
    "id_no": (SensitivityClass.C2_ID_NO, frozenset()),
    "birth_date": (SensitivityClass.C2_BIRTH, frozenset()),
    "income": (SensitivityClass.S_INCOME, _DECLARED),
    "assets": (SensitivityClass.S_INCOME, _DECLARED),
    "occupation": (SensitivityClass.RISK, frozenset()),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything a profile tells, before it is masked.

    `opened` holds the sealed values that the viewer is shown in clear, by name; a name that is
    missing stayed sealed.
    """

    customer: CustomerRow
    attributes: ScoringInputRow | None
    opened: dict[str, str | None]
    lines: dict[str, StoredLine]
    panorama: StoredPanorama
    consents: dict[str, StoredConsent]
    standing: StoredStanding | None
    on: date


async def get_profile(
    session: AsyncSession, *, subject: Subject, vault: Vault, on: date
) -> Profile:
    """The profile of a customer as of a business day.

    What the viewer is not shown in clear stays sealed: a masked read decrypts nothing.

    Args:
        session: an open session.
        subject: the customer and who looks.
        vault: opens what the viewer is shown.
        on: the business day.
    """
    own_id = subject.customer_id
    customer = await profiles.get_customer(session, own_id)
    return Profile(
        customer=customer,
        attributes=await profiles.find_attributes(session, own_id, on=on),
        opened=await _opened(session, customer, subject.viewer, vault),
        lines=await panorama.list_lines(session, own_id, on=on),
        panorama=await panorama.get_panorama(session, own_id, on=on, year_before=on - _YEAR),
        consents=await profiles.list_consents(session, own_id, on=on),
        standing=await panorama.find_standing(session, own_id),
        on=on,
    )


async def _opened(
    session: AsyncSession, customer: CustomerRow, viewer: Viewer, vault: Vault
) -> dict[str, str | None]:
    """The sealed values a viewer is shown in clear; after erasure there is no key to open them."""
    wanted = [
        name
        for name, (sensitivity, traits) in _SEALED.items()
        if MATRIX.disposition(viewer, sensitivity, traits) is Disposition.CLEAR
    ]
    if not wanted:
        return {}
    own_id = customer.customer_id
    keys = await find_subject_keys(session, vault, [own_id])
    opened: dict[str, str | None] = {}
    for name in wanted:
        column = f"{name}_cipher"
        sealed: bytes | None = getattr(customer, column)
        if sealed is None:
            opened[name] = None
        elif own_id in keys:
            try:
                clear = vault.decrypt(keys[own_id], "customers", column, own_id, sealed)
            except CipherError:
                continue
            opened[name] = clear.decode()
    return opened
