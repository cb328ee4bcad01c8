"""Delegation for absence, over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response
from pydantic.types import UUID7

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.features.overrides.router.shared import (
    OFFICER_ROLES,
    CurrentStaffDesk,
    Officer,
    router,
)
from app.features.overrides.schemas.delegations import (
    DELEGATION_FIELDS,
    DelegationCreate,
    DelegationQuery,
    DelegationRead,
    DelegationsRead,
)
from app.features.overrides.service import delegations
from app.infra.audit import Audit, ChangeAudit, Outcome
from app.infra.auth import requires
from app.infra.description import problem_responses, read_responses
from app.infra.idempotency import REPLAYED, OnceRequired
from app.infra.pagination import Cursors, require_known_fields
from app.infra.reveal import respond, respond_each
from app.infra.turns import TAKES_TURN

DelegationReader = Annotated[Actor, requires(*OFFICER_ROLES, Role.COMPLIANCE)]
DelegationId = Annotated[UUID7, Path(description="Id of a delegation.")]


async def known_fields(request: Request, actor: DelegationReader) -> Actor:
    """A caller who asks about nothing but what there is to ask about."""
    require_known_fields(request, DELEGATION_FIELDS)
    return actor


@router.post(
    "/v1/override-delegations",
    status_code=201,
    response_model=DelegationRead,
    dependencies=[TAKES_TURN],
    summary="Delegate for an absence",
    response_description="The delegation.",
    responses={
        201: REPLAYED,
        **problem_responses(
            "two-roles",
            "not-an-officer",
            "delegate-not-eligible",
            "delegation-overlaps",
            "delegate-away",
            "delegation-out-of-range",
            "delegate-unknown",
            "conflict",
        ),
    },
)
async def create_override_delegation(
    written: DelegationCreate,
    desk: CurrentStaffDesk,
    once: OnceRequired,
    actor: Officer,
) -> Response:
    """An officer who will be away names a colleague of his department, who then decides for him.

    While it runs, the absent officer does not decide until he takes it back. The colleague acts in
    no request in which either of them acts already, and not while he is away himself.
    """
    if (earlier := await once.find()) is not None:
        made = await delegations.get_delegation(
            desk.session, delegation_id=UUID(earlier.resource), acting=desk.acting
        )
    else:
        made = await delegations.create_delegation(
            desk.session, absence=written.to_domain(), acting=desk.acting
        )
        await once.keep(str(made.id))
    return await respond(
        DelegationRead.from_domain(made, desk.acting.today),
        viewer=actor.viewer(),
        audit=once.noting(str(made.id)),
        subjects=[],
        status=once.status,
        headers={"Location": f"/v1/override-delegations/{made.id}", **once.headers},
    )


@router.get(
    "/v1/override-delegations",
    response_model=DelegationsRead,
    summary="Delegations",
    response_description="A page of delegations, the newest first.",
    responses=read_responses("field-not-permitted"),
)
async def list_override_delegations(
    query: Annotated[DelegationQuery, Query()],
    desk: CurrentStaffDesk,
    audit: Audit,
    actor: Annotated[Actor, Depends(known_fields)],
) -> Response:
    """Officers list those they gave or were given, compliance lists all."""
    cursors = Cursors(desk.acting.vault.master, query.listing(), actor)
    page = await delegations.list_delegations(
        desk.session,
        running=query.running is not None,
        acting=desk.acting,
        limit=query.limit,
        before=None if query.cursor is None else UUID(cursors.open(query.cursor)[0]),
    )
    viewer, after = actor.viewer(), page.after
    today = desk.acting.today
    return await respond_each(
        DelegationsRead(
            items=[], next_cursor=None if after is None else cursors.seal([str(after)])
        ),
        items=[(DelegationRead.from_domain(item, today), viewer) for item in page.items],
        viewer=viewer,
        audit=audit,
        subjects=[],
    )


@router.get(
    "/v1/override-delegations/{delegation_id}",
    response_model=DelegationRead,
    summary="A delegation",
    response_description="Who is away, who acts for him, and when.",
    responses=read_responses(404),
)
async def get_override_delegation(
    delegation_id: DelegationId,
    desk: CurrentStaffDesk,
    audit: Audit,
    actor: DelegationReader,
) -> Response:
    """One that the caller gave or was given; compliance reads all."""
    found = await delegations.get_delegation(
        desk.session, delegation_id=delegation_id, acting=desk.acting
    )
    return await respond(
        DelegationRead.from_domain(found, desk.acting.today),
        viewer=actor.viewer(),
        audit=audit.noting(record_version=str(found.id)),
        subjects=[],
    )


@router.post(
    "/v1/override-delegations/{delegation_id}/end",
    response_model=DelegationRead,
    dependencies=[TAKES_TURN],
    summary="Take a delegation back",
    response_description="The delegation, ended.",
    responses=problem_responses(404, "not-delegator", "delegation-ended"),
)
async def end_override_delegation(
    delegation_id: DelegationId,
    desk: CurrentStaffDesk,
    audit: ChangeAudit,
    actor: Officer,
) -> Response:
    """By who gave it, before it begins or while it runs; what was decided by it stays decided."""
    ended = await delegations.end_delegation(
        desk.session, delegation_id=delegation_id, acting=desk.acting
    )
    return await respond(
        DelegationRead.from_domain(ended, desk.acting.today),
        viewer=actor.viewer(),
        audit=audit.noting(outcome=Outcome.CHANGED, record_version=str(ended.id)),
        subjects=[],
    )
