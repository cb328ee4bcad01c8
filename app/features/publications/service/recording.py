"""What both publishing and retiring ask for, and what they leave behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from app.domain.errors import Forbidden, Invalid
from app.domain.privacy.roles import Role
from app.domain.words import EventKind, PublicationKind
from app.features.publications import repository
from app.features.publications.repository import Act
from app.infra.database import AsyncSession
from app.infra.outbox import record_event
from app.infra.people import find_people

_TOLD_AS: Final[dict[PublicationKind, EventKind]] = {
    "published": "rule-set-published",
    "republished": "rule-set-published",
    "retired": "rule-set-retired",
}


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes, by the digest of him, and when: the time, and its business day."""

    digest: str
    now: datetime
    today: date


def require_day(day: date, publisher: Publisher) -> None:
    """See to it that what was decided stays.

    Raises:
        Invalid: `publication-back-dated`.
    """
    if day < publisher.today:
        raise Invalid("publication-back-dated", "It begins or ends today or later.")


async def require_publisher(session: AsyncSession, publisher: Publisher) -> None:
    """See to it that the caller publishes by his newest token, wherever that was seen.

    Raises:
        Forbidden: `not-a-publisher`.
    """
    people = await find_people(session, [publisher.digest])
    if not any(Role.RULE_PUBLISHER in person.roles for person in people.values()):
        raise Forbidden("not-a-publisher")


async def record_act(session: AsyncSession, act: Act, *, hash_: str | None = None) -> None:
    """Record an act for good, and tell it."""
    await repository.insert_publication(session, act)
    words: dict[str, str | int] = {
        "publication_id": str(act.id),
        "rule_set_id": act.rule_set_id,
        "product_line": act.product_line,
        "effective_on": act.effective_on.isoformat(),
    }
    if act.version is not None and hash_ is not None:
        words |= {"version": act.version, "hash": hash_}
    await record_event(
        session,
        kind=_TOLD_AS[act.kind],
        customer_ids=(),
        payload=words,
        occurred_at=act.published_at,
    )
