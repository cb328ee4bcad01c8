"""Requests as they are leafed through, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.words import Department, OverrideState


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """Which requests, all conditions together.

    Args:
        state: with an override in this state.
        customer_id: for this customer.
        asked_by: by whom: a digest.
        seen_by: asked for by the digest, or for the one customer of the manager of that subject.
        waits_for: such as wait for the key of this officer.
    """

    state: OverrideState | None = None
    customer_id: str | None = None
    asked_by: str | None = None
    seen_by: tuple[str, str] | None = None
    waits_for: Waiter | None = None


@dataclass(frozen=True, slots=True)
class Waiter:
    """An officer who may turn a key: his department, his digest, his subject, and when."""

    department: Department
    digest: str
    subject: str
    now: datetime


_MANAGED: Final = """EXISTS (
    SELECT FROM overrides AS managed JOIN customers USING (customer_id)
    WHERE managed.request_id = asked.id AND customers.account_manager = :subject {which}
)"""
# What the rules of `domain.overrides.keys` say, as far as it takes to find what may be decided; the
# request itself is judged by them when he decides.
_WAITS: Final = f"""
    asked.expires_at > :now AND asked.requested_by <> :me
    AND EXISTS (SELECT FROM overrides WHERE request_id = asked.id AND state = 'requested')
    AND NOT {_MANAGED.format(which="AND managed.state = 'requested'")}
    AND NOT EXISTS (
        SELECT FROM override_approvals AS turned
        WHERE turned.request_id = asked.id AND turned.version = asked.version
            AND turned.voided_at IS NULL AND may_turn_key(turned.approver, turned.department)
            AND NOT manages_request(turned.approver, asked.id)
            AND (turned.on_behalf_of IS NULL
                OR (may_turn_key(turned.on_behalf_of, turned.department)
                    AND NOT manages_request(turned.on_behalf_of, asked.id)))
            AND (turned.department = :department OR :me IN (turned.approver, turned.on_behalf_of))
    )
"""  # noqa: S608 - both texts are ours.


def _conditions(wanted: InboxFilter) -> tuple[list[str], dict[str, Any]]:
    clauses: list[str] = []
    values: dict[str, Any] = {}
    of_one = {
        name: value
        for name in ("state", "customer_id")
        if (value := getattr(wanted, name)) is not None
    }
    if of_one:
        # Of one override both, where both are asked for.
        same = " AND ".join(f"{name} = :{name}" for name in of_one)
        clauses.append(f"EXISTS (SELECT FROM overrides WHERE request_id = asked.id AND {same})")
        values |= of_one
    if wanted.asked_by is not None:
        clauses.append("asked.requested_by = :me")
        values["me"] = wanted.asked_by
    if wanted.seen_by is not None:
        managed = _MANAGED.format(which="AND NOT asked.is_bulk")
        clauses.append(f"(asked.requested_by = :me OR {managed})")
        values["me"], values["subject"] = wanted.seen_by
    if (waiter := wanted.waits_for) is not None:
        clauses.append(_WAITS)
        values |= {
            "me": waiter.digest,
            "subject": waiter.subject,
            "department": waiter.department,
            "now": waiter.now,
        }
    return clauses, values


async def list_request_ids(
    session: AsyncSession, wanted: InboxFilter, *, limit: int, before: UUID | None = None
) -> Sequence[UUID]:
    """Ids of requests, the newest first.

    Args:
        session: an open session.
        wanted: which.
        limit: how many at most.
        before: the last of the page before.
    """
    clauses, values = _conditions(wanted)
    if before is not None:
        clauses.append("asked.id < :before")
        values["before"] = before
    where = " AND ".join(clauses) or "true"
    query = text(
        f"SELECT asked.id FROM override_requests AS asked WHERE {where}"  # noqa: S608 - ours.
        " ORDER BY asked.id DESC LIMIT :limit"
    )
    return list(await session.scalars(query, {**values, "limit": limit}))
