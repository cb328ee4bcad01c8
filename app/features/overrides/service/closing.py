"""Withdrawing a request, and revoking what serves."""

from __future__ import annotations

from uuid import UUID

from app.domain.errors import Forbidden
from app.domain.overrides.transitions import Step
from app.features.overrides.repository import steps
from app.features.overrides.repository.steps import Closing
from app.features.overrides.service.cases import (
    CLOSING_STATEMENT,
    Acting,
    Case,
    get_case,
    lock_case,
    request_key,
)
from app.features.overrides.service.officers import require_officer
from app.features.overrides.service.steps import stop_serving, tell
from app.infra.database import AsyncSession
from app.infra.people import find_people


async def withdraw(session: AsyncSession, *, override_id: UUID, acting: Acting) -> Case:
    """Take a request back before it is decided on.

    Raises:
        NotFound: there is none for the caller.
        Forbidden: `not-requester`.
        Conflict: `part-of-bulk` or `already-decided`.
    """
    case = await lock_case(session, override_id=override_id, acting=acting)
    case.require_requester(acting)
    case.require_whole()
    state = case.state_after(Step.WITHDRAW)
    waiting = case.waiting_overrides
    closing = Closing(state, "withdrawn", acting.now, acting.today, acting.digest)
    await steps.close(session, [found.id for found in waiting], closing)
    await tell(session, case, "override-withdrawn", now=acting.now, overrides=waiting)
    return await get_case(session, override_id=override_id, acting=acting)


async def revoke(
    session: AsyncSession, *, override_id: UUID, statement: str | None, acting: Acting
) -> Case:
    """End what serves before its time: one override, or all of a request that still serve.

    Args:
        session: in whose transaction.
        override_id: the override, or the request.
        statement: why, if he says so.
        acting: an officer who did not ask for it.

    Raises:
        NotFound: there is none.
        Forbidden: `two-roles`, `not-an-officer`, `approver-is-requester`.
        Conflict: `not-active`.
    """
    case = await lock_case(session, override_id=override_id, acting=acting)
    await _require_revoker(session, case, acting)
    state = case.state_after(Step.REVOKE)
    serving = [found for found in case.overrides if found.state == "active"]
    if statement is not None:
        key = request_key(case.request, acting.vault)
        sealed = {
            found.id: acting.vault.encrypt(
                key, *CLOSING_STATEMENT, str(found.id), statement.encode()
            )
            for found in serving
        }
        await steps.seal_closing_statements(session, sealed)
    closing = Closing(state, "revoked", acting.now, acting.today, acting.digest)
    await stop_serving(session, serving, closing, vault=acting.vault)
    await tell(session, case, "override-revoked", now=acting.now, overrides=serving)
    return await get_case(session, override_id=override_id, acting=acting)


async def _require_revoker(session: AsyncSession, case: Case, acting: Acting) -> None:
    require_officer(await find_people(session, [acting.digest]), acting)
    if acting.digest == case.request.requested_by:
        raise Forbidden("approver-is-requester")
