"""Reading what publishers did, and where a line is left to `all` for a while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from uuid import UUID

from app.domain.errors import NotFound
from app.features.publications import repository
from app.features.publications.repository import StoredPublication
from app.features.rule_sets.service import list_activations
from app.infra.database import AsyncSession
from app.infra.people import find_people


@dataclass(frozen=True, slots=True)
class Told:
    """An act, and the ids of the people in it by their digests."""

    stored: StoredPublication
    subjects: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PublicationPage:
    """Some acts; `after` is the last of them, None at the end of all."""

    items: list[Told]
    after: UUID | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Business days on which no version of a line is in force, between two that are."""

    since: date
    until: date


async def get_publication(
    session: AsyncSession, *, rule_set_id: str, publication_id: UUID
) -> StoredPublication:
    """One act of a publisher.

    Raises:
        NotFound: there is none.
    """
    found = await repository.find_publication(session, rule_set_id, publication_id)
    if found is None:
        raise NotFound("not-found", "There is no such publication.")
    return found


async def list_publications(
    session: AsyncSession, *, rule_set_id: str, limit: int, before: UUID | None = None
) -> PublicationPage:
    """A page of what publishers did with a rule set, the newest first.

    Args:
        session: an open session.
        rule_set_id: the rule set; of one that nobody published there are none.
        limit: items of a page.
        before: the last one of the page before.
    """
    found = await repository.list_publications(session, rule_set_id, limit=limit + 1, before=before)
    shown = found[:limit]
    after = shown[-1].act.id if len(found) > limit else None
    return PublicationPage(await tell(session, shown), after)


async def tell(session: AsyncSession, found: Sequence[StoredPublication]) -> list[Told]:
    """Acts with the ids of their people."""
    digests = {digest for one in found for digest in (one.act.published_by, *one.act.authors)}
    people = await find_people(session, digests)
    subjects = {digest: person.subject for digest, person in people.items()}
    return [Told(one, subjects) for one in found]


async def list_gaps(session: AsyncSession, product_line: str, *, today: date) -> list[Gap]:
    """Where a line has no version of its own for a while, today or to come; `all` decides then."""
    own = [found for found in await list_activations(session) if found.product_line == product_line]
    return [
        Gap(max(earlier.until, today), later.since)
        for earlier, later in pairwise(own)
        if earlier.until is not None and max(earlier.until, today) < later.since
    ]
