"""Requests with everything that belongs to them, read and locked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.customer import CustomerRow
from app.db.rows.override import OverrideRow
from app.db.rows.override_approval import OverrideApprovalRow, OverrideReadRow
from app.db.rows.override_request import OverrideRequestRow, OverrideVersionRow
from app.domain.words import (
    ApprovalDecision,
    ClosingCause,
    Department,
    OverrideMode,
    OverrideReason,
    OverrideState,
)


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """What two officers decide on as one; `requested_by` is the digest of who asks."""

    id: UUID
    is_bulk: bool
    version: int
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    key_id: str
    wrapped_key: bytes


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """What is asked for, with the statement sealed."""

    request_id: UUID
    version: int
    tier: str
    mode: OverrideMode
    reason: OverrideReason
    valid_until: date
    written_on: date
    written_at: datetime
    statement_cipher: bytes
    statement_characters: int
    salt: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class StoredOverride:
    """One customer's override."""

    id: UUID
    request_id: UUID
    customer_id: str
    version: int
    tier: str
    mode: OverrideMode
    valid_until: date
    evaluated_tier: str
    decision_id: UUID
    state: OverrideState
    valid_from: date | None
    activated_at: datetime | None
    closed_at: datetime | None
    closed_on: date | None
    closed_because: ClosingCause | None
    closed_by: str | None
    closing_statement_cipher: bytes | None


@dataclass(frozen=True, slots=True)
class StoredApproval:
    """One officer's word on one version; people are digests."""

    id: UUID
    request_id: UUID
    version: int
    digest: str
    approver: str
    department: Department
    delegation_id: UUID | None
    on_behalf_of: str | None
    decision: ApprovalDecision
    statement_cipher: bytes
    statement_characters: int
    decided_at: datetime
    voided_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A request with its newest version, its overrides and what was decided on it."""

    request: StoredRequest
    version: StoredVersion
    overrides: Sequence[StoredOverride]
    approvals: Sequence[StoredApproval]


def _columns(row: type[Any], shape: type[Any]) -> list[Any]:
    return [getattr(row, name) for name in shape.__dataclass_fields__]


_REQUEST: Final = _columns(OverrideRequestRow, StoredRequest)
_VERSION: Final = _columns(OverrideVersionRow, StoredVersion)
_OVERRIDE: Final = _columns(OverrideRow, StoredOverride)
_APPROVAL: Final = _columns(OverrideApprovalRow, StoredApproval)


async def find_request_id(session: AsyncSession, override_id: UUID) -> UUID | None:
    """The request that an id means, which may be its own or that of one override of it."""
    row = OverrideRequestRow
    if await session.scalar(select(row.id).where(row.id == override_id)) is not None:
        return override_id
    of_one = select(OverrideRow.request_id).where(OverrideRow.id == override_id)
    return (await session.execute(of_one)).scalar_one_or_none()


async def lock_request(
    session: AsyncSession, request_id: UUID, *, unless_busy: bool = False
) -> bool:
    """Let one step of a request happen at a time; its overrides are locked with it.

    Not the keys of their rows: an evaluation that names an override in its assignment holds the
    customer already, for whom this transaction may wait.

    Args:
        session: in whose transaction.
        request_id: the request.
        unless_busy: do not wait for who takes a step in it now.

    Returns:
        Whether it is locked.
    """
    asked = select(OverrideRequestRow.id).where(OverrideRequestRow.id == request_id)
    locking = asked.with_for_update(key_share=True, skip_locked=unless_busy)
    if await session.scalar(locking) is None:
        return False
    rows = select(OverrideRow.id).where(OverrideRow.request_id == request_id)
    await session.execute(rows.order_by(OverrideRow.id).with_for_update(key_share=True))
    return True


async def lock_customers(session: AsyncSession, request_id: UUID) -> None:
    """Keep the customers for whom a request waits from others, and what serves them.

    Requests and overrides come before customers, as with everybody.
    """
    row, customer = OverrideRow, CustomerRow.customer_id
    waiting = select(row.customer_id).where(row.request_id == request_id, row.state == "requested")
    customer_ids = (await session.scalars(waiting)).all()
    await lock_active(session, customer_ids)
    query = select(customer).where(customer.in_(customer_ids)).order_by(customer)
    await session.execute(query.with_for_update(key_share=True))


async def get_cases(
    session: AsyncSession, request_ids: Sequence[UUID], *, with_bulk: bool = True
) -> dict[UUID, StoredCase]:
    """Requests, whole, by id and in the order of the ids given, which must be ids of requests.

    Args:
        session: an open session.
        request_ids: which.
        with_bulk: whether the overrides of requests for many customers are read, too.
    """
    rows = await session.execute(
        select(*_REQUEST, *_VERSION)
        .join(
            OverrideVersionRow,
            (OverrideVersionRow.request_id == OverrideRequestRow.id)
            & (OverrideVersionRow.version == OverrideRequestRow.version),
        )
        .where(OverrideRequestRow.id.in_(request_ids))
    )
    heads = {row[0]: (row[: len(_REQUEST)], row[len(_REQUEST) :]) for row in rows}
    row = OverrideRow
    of_requests = select(*_OVERRIDE).where(row.request_id.in_(request_ids))
    if not with_bulk:
        # The one override of a request for one customer has its id.
        of_requests = of_requests.where(row.id == row.request_id)
    overrides: dict[UUID, list[StoredOverride]] = {}
    for found in await session.execute(of_requests.order_by(row.customer_id)):
        override = StoredOverride(*found)
        overrides.setdefault(override.request_id, []).append(override)
    decided: dict[UUID, list[StoredApproval]] = {}
    for found in await session.execute(
        select(*_APPROVAL)
        .where(OverrideApprovalRow.request_id.in_(request_ids))
        .order_by(
            OverrideApprovalRow.decided_at,
            OverrideApprovalRow.department,
            OverrideApprovalRow.id,
        )
    ):
        approval = StoredApproval(*found)
        decided.setdefault(approval.request_id, []).append(approval)
    return {
        id_: StoredCase(
            StoredRequest(*heads[id_][0]),
            StoredVersion(*heads[id_][1]),
            overrides.get(id_, []),
            decided.get(id_, []),
        )
        for id_ in request_ids
    }


async def account_managers(session: AsyncSession, customer_ids: Sequence[str]) -> dict[str, str]:
    """The subjects of customers' account managers, by customer; who has none is left out."""
    row = CustomerRow
    query = select(row.customer_id, row.account_manager).where(
        row.customer_id.in_(customer_ids), row.account_manager.is_not(None)
    )
    return {found.customer_id: found.account_manager for found in await session.execute(query)}


async def find_pending(session: AsyncSession, customer_ids: Sequence[str]) -> set[str]:
    """Those of some customers for whom a request waits already."""
    row = OverrideRow
    query = select(row.customer_id).where(
        row.customer_id.in_(customer_ids), row.state == "requested"
    )
    return set(await session.scalars(query))


async def lock_active(
    session: AsyncSession, customer_ids: Sequence[str]
) -> Sequence[StoredOverride]:
    """The overrides that serve some customers, in order of their ids, locked.

    Their requests are locked first, as by everybody.
    """
    row, asked = OverrideRow, OverrideRequestRow
    serving = (row.customer_id.in_(customer_ids), row.state == "active")
    of_requests = select(asked.id).where(asked.id.in_(select(row.request_id).where(*serving)))
    await session.execute(of_requests.order_by(asked.id).with_for_update(key_share=True))
    query = select(*_OVERRIDE).where(*serving)
    rows = await session.execute(query.order_by(row.id).with_for_update(key_share=True))
    return [StoredOverride(*found) for found in rows]


async def find_read(session: AsyncSession, request_id: UUID, reader: str) -> tuple[int, str] | None:
    """Version and digest of what somebody was shown of a request last."""
    row = OverrideReadRow
    query = (
        select(row.version, row.digest)
        .where(row.request_id == request_id, row.reader == reader)
        .order_by(row.version.desc())
        .limit(1)
    )
    found = (await session.execute(query)).first()
    return None if found is None else (found.version, found.digest)


async def count_states(
    session: AsyncSession, request_ids: Sequence[UUID]
) -> Mapping[UUID, Mapping[OverrideState, int]]:
    """How many overrides of some requests are in which state."""
    row = OverrideRow
    query = (
        select(row.request_id, row.state, func.count())
        .where(row.request_id.in_(request_ids))
        .group_by(row.request_id, row.state)
    )
    counted: dict[UUID, dict[OverrideState, int]] = {}
    for request_id, state, number in await session.execute(query):
        counted.setdefault(request_id, {})[cast("OverrideState", state)] = number
    return counted
