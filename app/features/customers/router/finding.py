"""Finding customers: the list, and look-up by phone or ID number."""

from __future__ import annotations

from math import ceil
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from app.domain.privacy.actor import Actor
from app.features.customers import service
from app.features.customers.router.shared import SEARCHERS, router
from app.features.customers.schemas import (
    BOOK_FIELDS,
    BookQuery,
    BookRead,
    CandidateRead,
    CustomerSearch,
    ListedRead,
    SearchRead,
)
from app.infra.audit import Audit, ChangeAudit
from app.infra.auth import costs, requires
from app.infra.description import problem_responses, read_responses
from app.infra.desk import Desk
from app.infra.pagination import Cursors
from app.infra.problems import ProblemError
from app.infra.rate_limit import RateClass
from app.infra.reveal import respond_each


async def known_fields(request: Request, actor: Annotated[Actor, requires(*SEARCHERS)]) -> Actor:
    """A caller who asks about nothing but what there is to ask about.

    What is unknown and what is closed to a role are refused alike.
    """
    if not set(request.query_params) <= BOOK_FIELDS:
        raise ProblemError("field-not-permitted")
    return actor


@router.get(
    "/v1/customers",
    response_model=BookRead,
    summary="Customers by tier, segment, label, stage or renewal",
    response_description="A page of customers, masked.",
    responses=read_responses("field-not-permitted"),
)
async def list_customers(
    query: Annotated[BookQuery, Query()],
    desk: Desk,
    audit: Audit,
    actor: Annotated[Actor, Depends(known_fields)],
) -> Response:
    """In the order of ids; what may be filtered by is what the role is shown in clear.

    An account manager lists his own customers. A filter by anything else, be it unknown or closed
    to the role, is refused 403 `field-not-permitted`. Each page is one look in the audit.
    """
    cursors = Cursors(desk.vault.master, query.listing(), actor)
    page = await service.list_customers(
        desk.session,
        wanted=query.to_domain(actor),
        actor=actor,
        today=desk.today,
        limit=query.limit,
        after="" if query.cursor is None else cursors.open(query.cursor)[0],
    )
    return await respond_each(
        BookRead(items=[], next_cursor=None if page.after is None else cursors.seal([page.after])),
        items=[
            (
                ListedRead.from_domain(item),
                actor.viewer_of(item.customer_id, item.account_manager),
            )
            for item in page.items
        ],
        viewer=actor.viewer(),
        audit=audit,
        subjects=[item.customer_id for item in page.items],
    )


@router.post(
    "/v1/customers/search",
    response_model=SearchRead,
    summary="Find customers by phone or ID number",
    response_description="Everybody who has the number; nobody is an answer like any other.",
    responses=problem_responses("misses-exhausted"),
    # Who tries numbers by the thousand is to be slowed down here more than elsewhere.
    dependencies=[costs(RateClass.SEARCH)],
)
async def search_customers(
    asked: CustomerSearch,
    desk: Desk,
    audit: ChangeAudit,
    actor: Annotated[
        Actor,
        requires(*SEARCHERS, purpose=True),
    ],
) -> Response:
    """Exact only, and however the number is written: several people may share a phone.

    `X-Purpose` is needed. Names and phones are masked for everybody; the profile shows more to who
    may see more. A hit and a miss take the same time and leave the same trace. Who searches for
    numbers that are nobody's 30 times in an hour, or 100 in a day, is answered 429.
    """
    searcher = service.Searcher(
        audit.writer.actor_digest(actor.issuer, actor.subject),
        desk.now,
        desk.settings.search_misses_per_hour,
        desk.settings.search_misses_per_day,
    )
    try:
        found = await service.search_customers(
            desk.session,
            phone=asked.phone,
            id_no=asked.id_no,
            searcher=searcher,
            vault=desk.vault,
        )
    except service.MissesExhaustedError as error:
        seconds = max(1, ceil(error.retry_after.total_seconds()))
        slug = "misses-exhausted"
        raise ProblemError(slug, headers={"Retry-After": str(seconds)}) from None
    return await respond_each(
        SearchRead(items=[]),
        items=[
            (
                CandidateRead.from_domain(item),
                actor.viewer_of(item.customer_id, item.account_manager),
            )
            for item in found
        ],
        viewer=actor.viewer(),
        audit=audit,
        subjects=[item.customer_id for item in found],
    )
