"""Reading requests: one of them, which an approval rests on, and the inbox."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app.domain.privacy.actor import Actor
from app.features.overrides import service
from app.features.overrides.router.shared import (
    CaseDesk,
    CurrentStaffDesk,
    OverrideId,
    Reader,
    respond_case,
    router,
)
from app.features.overrides.schemas import InboxQuery, InboxRead, OverrideRead
from app.features.overrides.schemas.inbox import INBOX_FIELDS, RequestListedRead
from app.infra.audit import Audit
from app.infra.description import problem_responses, read_responses
from app.infra.pagination import Cursors, require_known_fields
from app.infra.reveal import respond_each


async def known_fields(request: Request, actor: Reader) -> Actor:
    """A caller who asks about nothing but what there is to ask about."""
    require_known_fields(request, INBOX_FIELDS)
    return actor


@router.get(
    "/v1/overrides",
    response_model=InboxRead,
    summary="Requests for overrides",
    response_description="A page of requests, the newest first.",
    responses=read_responses("field-not-permitted"),
)
async def list_overrides(
    query: Annotated[InboxQuery, Query()],
    desk: CurrentStaffDesk,
    audit: Audit,
    actor: Annotated[Actor, Depends(known_fields)],
) -> Response:
    """`status=requested&for=me` is an officer's inbox: what waits for his key.

    An account manager lists what he asked for and what is asked for his own customers. A request
    for many customers is one entry. What people wrote is not in the list.
    """
    cursors = Cursors(desk.acting.vault.master, query.listing(), actor)
    page = await service.list_requests(
        desk.session,
        wanted=query.to_domain(),
        for_me=query.for_ is not None,
        acting=desk.acting,
        limit=query.limit,
        before=None if query.cursor is None else UUID(cursors.open(query.cursor)[0]),
    )
    after = page.after
    return await respond_each(
        InboxRead(items=[], next_cursor=None if after is None else cursors.seal([str(after)])),
        items=[(RequestListedRead.from_domain(item), item.viewer) for item in page.items],
        viewer=actor.viewer(),
        audit=audit,
        subjects=list(
            dict.fromkeys(item.only.customer_id for item in page.items if item.only is not None)
        ),
    )


@router.get(
    "/v1/overrides/{override_id}",
    response_model=OverrideRead,
    summary="A request for an override",
    response_description="What is asked for, for whom, who decided, and how far it has come.",
    responses=problem_responses(404),
)
async def get_override(
    override_id: OverrideId,
    desk: CaseDesk,
    audit: Audit,
    _actor: Reader,
) -> Response:
    """With `X-Purpose`, what people wrote is shown in clear; and this is what an officer approves.

    An officer who reads a request that waits, by its own id and with a purpose, is noted to have
    read this version of it. An account manager reads what he asked for, and what concerns his
    customers. The `ETag` is what `PUT` takes in `If-Match`; `If-None-Match` has no effect.
    """
    case = await service.get_case(desk.session, override_id=override_id, acting=desk.acting)
    return await respond_case(
        case,
        desk,
        audit.noting(record_version=case.recorded_as),
    )
