"""The audit of what the clock does: an end of validity changes a customer's tier like a person.

Its event is stored in the transaction of the change, and is a stream of its own, as that of any
change is. It is here and not with the writer so that services may record it without knowing HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from sqlalchemy import insert

from app.db.rows.audit_event import AuditEventRow
from app.domain.privacy.matrix import MATRIX
from app.infra.clock import utc_now
from app.infra.database import AsyncSession
from app.infra.ids import new_id
from app.infra.jobs.queue import BY_THE_CLOCK

_DONE: Final = 200
_CHANGED: Final = "changed"


class ActorDigests(Protocol):
    """Knows what stands for an actor in the audit, as its writer does."""

    def actor_digest(self, issuer: str, subject: str) -> str:
        """What stands for an actor."""


async def record_by_clock(
    session: AsyncSession,
    writer: ActorDigests,
    *,
    route: str,
    subjects: Sequence[str],
    record_version: str | None = None,
) -> None:
    """Store the event of a change that nobody asked for, in its transaction.

    Args:
        session: the transaction of the change.
        writer: the writer of the audit, or whatever makes the same digests.
        route: what was done, as `job overrides`; no path, since there was no request.
        subjects: ids of the customers concerned.
        record_version: version of the record that was changed.
    """
    id_ = new_id()
    await session.execute(
        insert(AuditEventRow).values(
            id=id_,
            writer=str(id_),
            seq=1,
            at=utc_now(),
            actor_digest=writer.actor_digest(BY_THE_CLOCK, BY_THE_CLOCK),
            role=BY_THE_CLOCK,
            route=route,
            subjects=list(subjects),
            policy_version=MATRIX.version,
            record_version=record_version,
            dispositions={},
            status=_DONE,
            outcome=_CHANGED,
        )
    )
