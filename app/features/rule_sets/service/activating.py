"""Putting versions in force and taking rule sets out of force, for those who may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from app.domain.errors import Conflict
from app.domain.rules.model import RuleSetDocument
from app.domain.words import ALL
from app.features.rule_sets import repository
from app.features.rule_sets.repository import StoredActivation, StoredVersion
from app.features.rule_sets.service.versions import store_version
from app.infra.database import AsyncSession

__all__ = ["activate", "deactivate", "list_activations", "lock_activations", "store_published"]


async def lock_activations(session: AsyncSession) -> None:
    """Let nobody else store versions or put them in force until the transaction ends."""
    await repository.lock_writes(session)


async def store_published(session: AsyncSession, document: RuleSetDocument) -> StoredVersion:
    """The version that a published document is, a new one if its meaning is new."""
    return await store_version(session, document, origin="published")


async def activate(session: AsyncSession, stored: StoredVersion, *, valid_from: date) -> UUID:
    """Let a version decide for its line from a day on; the id of the range that it was given.

    What began before ends on that day, and what would begin on or after it never comes into force.

    Raises:
        Conflict: `already-in-force`: it alone decides from that day on.
    """
    if await repository.is_in_force_from(session, stored, valid_from=valid_from):
        raise Conflict("already-in-force", "This version decides from that day on already.")
    return await repository.put_in_force(session, stored, valid_from=valid_from)


async def deactivate(session: AsyncSession, rule_set_id: str, *, valid_to: date) -> str:
    """Let a rule set decide on no day from one on; the line, for which `all` then decides.

    Raises:
        Conflict: `all-must-decide` for the rule set of all lines, `not-in-force` if it decides on
            no day from that one on anyway.
    """
    own = [
        found
        for found in await repository.list_activations(session)
        if found.rule_set_id == rule_set_id and (found.until is None or found.until > valid_to)
    ]
    if not own:
        raise Conflict("not-in-force", "It decides on no day from that one on.")
    if any(found.product_line == ALL for found in own):
        raise Conflict("all-must-decide", "Where no line has its own, this one decides.")
    await repository.end_activations(session, rule_set_id, valid_to=valid_to)
    return own[0].product_line


async def list_activations(session: AsyncSession) -> Sequence[StoredActivation]:
    """Every range in which a version decides, by line and day."""
    return await repository.list_activations(session)
