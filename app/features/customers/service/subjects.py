"""Who a request is about, and in which relation the caller stands to him."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import NotFound
from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Viewer
from app.features.customers.repository import subjects
from app.features.customers.repository.subjects import StoredSubject
from app.infra.database import AsyncSession

__all__ = [
    "StoredSubject",
    "Subject",
    "get_survivor",
    "get_survivors",
    "identify",
    "identify_each",
]


@dataclass(frozen=True, slots=True)
class Subject:
    """A customer by the id he is stored under, and the caller as his viewer."""

    customer_id: str
    kind: str
    viewer: Viewer


async def get_survivor(session: AsyncSession, *, customer_id: str) -> StoredSubject:
    """The customer an id stands for today; after merges the old id finds the survivor.

    Raises:
        NotFound: there is no such customer.
    """
    found = await subjects.find_subject(session, customer_id)
    if found is None:
        raise NotFound("not-found", "There is no such customer.")
    return found


async def get_survivors(
    session: AsyncSession, *, customer_ids: Sequence[str]
) -> dict[str, StoredSubject]:
    """The customers that ids stand for today, by the ids asked for.

    Raises:
        NotFound: there is no such customer; the error names the id in `customer_id`.
    """
    found = await subjects.find_subjects(session, customer_ids)
    for customer_id in customer_ids:
        if customer_id not in found:
            error = NotFound("not-found", "There is no such customer.")
            error.customer_id = customer_id
            raise error
    return found


async def identify(session: AsyncSession, *, customer_id: str, actor: Actor) -> Subject:
    """The customer an id stands for today, and the caller as his viewer.

    Everything about a customer begins here, so that a missing customer and one that the caller may
    not know of are the same to him.

    Raises:
        NotFound: there is no such customer, or the caller is a customer and not this one.
    """
    if actor.customer_id is None:
        found = await get_survivor(session, customer_id=customer_id)
        viewer = actor.viewer_of(found.customer_id, found.account_manager)
        return Subject(found.customer_id, found.kind, viewer)
    # One question about both ids, whichever of them there is: a second one for an id that exists
    # would tell by the time it takes that it does.
    known = await identify_each(session, customer_ids=[customer_id], actor=actor)
    if customer_id not in known:
        raise NotFound("not-found", "There is no such customer.")
    return known[customer_id]


async def identify_each(
    session: AsyncSession, *, customer_ids: Sequence[str], actor: Actor
) -> dict[str, Subject]:
    """The customers that ids stand for today, each with the caller as his viewer.

    An id that nobody has, and one of somebody that the caller may not know of, are both left out.

    Args:
        session: an open session.
        customer_ids: the ids.
        actor: the caller.
    """
    own = [] if actor.customer_id is None else [actor.customer_id]
    found = await subjects.find_subjects(session, [*customer_ids, *own])
    myself = found[own[0]].customer_id if own and own[0] in found else None
    known: dict[str, Subject] = {}
    for asked in customer_ids:
        if asked not in found:
            continue
        stored = found[asked]
        # A token of before a merge names the id of then.
        known_as = own[0] if own and stored.customer_id == myself else stored.customer_id
        try:
            viewer = actor.viewer_of(known_as, stored.account_manager)
        except NotFound:
            continue
        known[asked] = Subject(stored.customer_id, stored.kind, viewer)
    return known
