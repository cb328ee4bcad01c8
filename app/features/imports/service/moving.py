"""What is recorded of a merged id goes to the survivor, whichever way the merge came."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Final

from app.domain.words import EventKind
from app.features.imports.repository import merging, records
from app.features.imports.repository.merging import EndedOverride, SealedCheck
from app.infra.cipher import (
    CipherError,
    SubjectKey,
    Vault,
    ensure_subject_keys,
    find_subject_keys,
)
from app.infra.database import AsyncSession
from app.infra.outbox import OutboxEvent, record_events

_TABLE = "external_checks"
_TOLD: Final[Mapping[str, EventKind]] = {
    "ended": "override-ended",
    "withdrawn": "override-withdrawn",
}


async def move_merged(
    session: AsyncSession, aliases: Collection[str], *, vault: Vault, today: date
) -> None:
    """Move the records of merged ids to the customers they stand for, and end their tiers.

    Their overrides end too, which the outbox is told.

    Policies, claims, contacts and the like all move. Of consents and model scores the survivor's
    stand where both ids have one of the same day, a withdrawal of either excepted; identity,
    dated attributes, decisions and past tiers stay under the old id. Doing it again moves nothing,
    so a merge that is corrected to another survivor later leaves with the first what it moved.

    Args:
        session: the transaction in which the aliases were written.
        aliases: the merged ids.
        vault: seals anew what was sealed under the key of a merged id.
        today: the business day.
    """
    known = await records.list_aliases(session)
    survivors = {alias_id: known[alias_id] for alias_id in aliases if alias_id in known}
    if not survivors:
        return
    await _reseal(session, survivors, vault)
    ended = await merging.move_records(session, survivors, today=today)
    await record_events(session, _events(ended))


def _events(ended: Sequence[EndedOverride]) -> list[OutboxEvent]:
    """What became of overrides, told as their own steps are: one event for those of a request."""
    together = attrgetter("request_id", "version", "digest", "state", "closed_at")
    return [
        OutboxEvent(
            kind=_TOLD[state],
            customer_ids=[found.customer_id for found in group],
            occurred_at=closed_at,
            payload={
                "request_id": str(request_id),
                "version": version,
                "digest": digest,
                "because": "merge",
            },
        )
        for (request_id, version, digest, state, closed_at), group in groupby(
            sorted(ended, key=attrgetter("request_id", "state", "version", "customer_id")), together
        )
    ]


async def _reseal(session: AsyncSession, survivors: Mapping[str, str], vault: Vault) -> None:
    """Seal the texts of external checks under the survivors' keys; erased ones are gone anyway."""
    checks = await merging.list_sealed_checks(session, list(survivors))
    if not checks:
        return
    old = await find_subject_keys(session, vault, [check.customer_id for check in checks])
    new = await ensure_subject_keys(
        session, vault, [survivors[check.customer_id] for check in checks]
    )
    await merging.reseal_checks(
        session,
        [
            replace(
                check,
                declared=_sealed_anew(check, "declared", old, new[survivors[check.customer_id]]),
                verified=_sealed_anew(check, "verified", old, new[survivors[check.customer_id]]),
            )
            for check in checks
        ],
    )


def _sealed_anew(
    check: SealedCheck, name: str, old: Mapping[str, SubjectKey], new: SubjectKey
) -> bytes | None:
    sealed: bytes | None = getattr(check, name)
    if sealed is None or check.customer_id not in old:
        return None
    place = (_TABLE, f"{name}_cipher", check.check_no)
    try:
        clear = Vault.decrypt(old[check.customer_id], *place, sealed)
    except CipherError:
        return None
    return Vault.encrypt(new, *place, clear)
