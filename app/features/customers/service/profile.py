"""A customer's profile: identity, what was declared, and the panorama, for one viewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from app.domain.privacy.actor import Actor
from app.domain.privacy.classes import Disposition, SensitivityClass, Trait
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.features.customers.repository import profiles
from app.features.customers.repository.profiles import StoredProfile
from app.features.customers.repository.subjects import find_subject
from app.features.customers.service.subjects import Subject
from app.infra.batcher import Batcher
from app.infra.cipher import CipherError, Vault, find_subject_keys
from app.infra.database import CALLERS_LOCK_SECONDS, AsyncSession, wait_for_locks
from app.infra.lanes import Lanes

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

    stored: StoredProfile
    opened: dict[str, str | None]

    @property
    def version(self) -> str:
        """Changes with whatever `PUT` changes: record, attributes, consents."""
        return _version(self.stored)


def _version(stored: StoredProfile) -> str:
    known = stored.customer
    held = sorted(f"{purpose}: {consent}" for purpose, consent in stored.consents.items())
    return "|".join([known.customer_id, known.updated_at.isoformat(), *held])


async def lock_version(session: AsyncSession, *, customer_id: str, on: date) -> str | None:
    """The version of a customer, whom nobody else changes until the transaction ends.

    Args:
        session: an open session.
        customer_id: an id of his, also one that was merged into it.
        on: the business day.

    Returns:
        None if there is no such customer.
    """
    found = await find_subject(session, customer_id)
    if found is None:
        return None
    await wait_for_locks(session, seconds=CALLERS_LOCK_SECONDS)
    await profiles.lock_customer(session, found.customer_id)
    return _version(await profiles.get_profile(session, found.customer_id, on=on))


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
    stored = await profiles.get_profile(session, subject.customer_id, on=on)
    return Profile(stored, await _opened(session, subject, vault))


class ProfileLookups:
    """The profiles of all who are asked for at the moment, in one question to the database.

    Args:
        lanes: where the batches are sent.
    """

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._batcher = Batcher(self._send)

    async def find(
        self, customer_id: str, *, actor: Actor, on: date
    ) -> tuple[Viewer, Profile] | None:
        """The profile of a customer, and the caller as his viewer.

        None for what a batch cannot tell, which `get_profile` can: an id that nobody has or that
        was merged away, and a viewer who is shown in clear what is stored encrypted.
        """
        found = await self._batcher.ask((customer_id, on))
        if found is None:
            return None
        viewer = actor.viewer_of(found.customer.customer_id, found.customer.account_manager)
        return None if _shown_in_clear(viewer) else (viewer, Profile(found, {}))

    async def _send(self, asked: list[tuple[str, date]]) -> list[StoredProfile | None]:
        async with self._lanes.lend() as connection:
            return await profiles.find_profiles(connection, asked)


def _shown_in_clear(viewer: Viewer) -> list[str]:
    """The sealed columns that a viewer is shown in clear, by name."""
    return [
        name
        for name, (sensitivity, traits) in _SEALED.items()
        if MATRIX.disposition(viewer, sensitivity, traits) is Disposition.CLEAR
    ]


async def _opened(session: AsyncSession, subject: Subject, vault: Vault) -> dict[str, str | None]:
    """The sealed values a viewer is shown in clear; after erasure there is no key to open them."""
    wanted = {name: f"{name}_cipher" for name in _shown_in_clear(subject.viewer)}
    if not wanted:
        return {}
    own_id = subject.customer_id
    sealed = await profiles.read_sealed(session, own_id, wanted.values())
    keys = await find_subject_keys(session, vault, [own_id])
    opened: dict[str, str | None] = {}
    for name, column in wanted.items():
        held = sealed[column]
        if held is None:
            opened[name] = None
        elif own_id in keys:
            try:
                clear = vault.decrypt(keys[own_id], "customers", column, own_id, held)
            except CipherError:
                continue
            opened[name] = clear.decode()
    return opened
