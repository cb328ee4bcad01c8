"""Finding customers: the list, and look-up by phone or ID number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil
from typing import Annotated

from fastapi import Depends, Header, Query, Request, Response

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
    book_file,
)
from app.features.customers.service import BookFilter, ListedCustomer
from app.infra.audit import Audit, AuditTrail, ChangeAudit
from app.infra.auth import costs, requires
from app.infra.deadline import takes_up_to
from app.infra.description import problem_responses, read_responses
from app.infra.desk import Desk, RequestDesk
from app.infra.downloads import ListFile, Making, Row, respond_list
from app.infra.list_files import LONGEST_LIST_SECONDS, media_type_of_list
from app.infra.locale import RequestLocale
from app.infra.media_types import CSV, JSON, XLSX
from app.infra.pagination import Cursors, require_known_fields
from app.infra.problems import ProblemError
from app.infra.rate_limit import RateClass
from app.infra.reveal import respond_each
from app.infra.turns import TAKES_TURN


async def known_fields(request: Request, actor: Annotated[Actor, requires(*SEARCHERS)]) -> Actor:
    """A caller who asks about nothing but what there is to ask about."""
    require_known_fields(request, BOOK_FIELDS)
    return actor


async def listed_as(
    request: Request,
    actor: Annotated[Actor, Depends(known_fields)],
    accept: Annotated[
        str | None,
        # The description tells it by the media types of the answer, as OpenAPI wants it.
        Header(max_length=1000, include_in_schema=False),
    ] = None,
) -> str:
    """The media type of the list."""
    return media_type_of_list(request, actor, accept)


@router.get(
    "/v1/customers",
    response_model=BookRead,
    summary="Customers by tier, segment, label, stage or renewal",
    response_description="A page of customers, or all of them as a file; masked.",
    responses={
        200: {
            "content": {
                CSV: {"schema": {"type": "string"}},
                XLSX: {"schema": {"type": "string", "format": "binary"}},
            }
        },
        **read_responses("field-not-permitted", 406, "list-too-long"),
    },
)
@takes_up_to(seconds=LONGEST_LIST_SECONDS)
async def list_customers(
    query: Annotated[BookQuery, Query()],
    desk: Desk,
    audit: Audit,
    actor: Annotated[Actor, Depends(known_fields)],
    media_type: Annotated[str, Depends(listed_as)],
    locale: RequestLocale,
) -> Response:
    """In the order of ids; what may be filtered by is what the role is shown in clear.

    An account manager lists his own customers. A filter by anything else, be it unknown or closed
    to the role, is refused 403 `field-not-permitted`. Each page is one look in the audit.

    As CSV or XLSX (`Accept`) the answer is a file of all the customers that the filter leaves, as
    they are at one instant, with headings in the caller's language and without an `ETag`; it takes
    neither `limit` nor `cursor`, and refuses a list that is too long for it.
    """
    wanted = query.to_domain(actor)
    if media_type != JSON:
        return await _respond_file(wanted, desk, audit, actor, book_file(media_type, locale))
    cursors = Cursors(desk.vault.master, query.listing(), actor)
    page = await service.list_customers(
        desk.session,
        wanted=wanted,
        actor=actor,
        today=desk.today,
        limit=query.limit,
        after="" if query.cursor is None else cursors.open(query.cursor)[0],
    )
    return await respond_each(
        BookRead(items=[], next_cursor=None if page.after is None else cursors.seal([page.after])),
        items=[(model, viewer) for _, model, viewer in _rows(page.items, actor)],
        viewer=actor.viewer(),
        audit=audit,
        subjects=[item.customer_id for item in page.items],
        headers={"Vary": "Accept"},
    )


async def _respond_file(
    wanted: BookFilter, desk: RequestDesk, audit: AuditTrail, actor: Actor, file: ListFile
) -> Response:
    """All the customers that a filter leaves, as a file."""
    found = service.list_whole_book(
        desk.session,
        wanted=wanted,
        actor=actor,
        today=desk.today,
        most=desk.settings.list_max_rows,
    )
    return await respond_list(
        (_rows(part, actor) async for part in found),
        file=file,
        making=Making(desk.settings.data_dir.expanduser().resolve(), desk.now, desk.today),
        viewer=actor.viewer(),
        audit=audit,
    )


def _rows(items: Iterable[ListedCustomer], actor: Actor) -> Iterator[Row]:
    """Customers as they are told, each with the caller as his viewer."""
    for item in items:
        viewer = actor.viewer_of(item.customer_id, item.account_manager)
        yield item.customer_id, ListedRead.from_domain(item), viewer


@router.post(
    "/v1/customers/search",
    response_model=SearchRead,
    summary="Find customers by phone or ID number",
    response_description="Everybody who has the number; nobody is an answer like any other.",
    responses=problem_responses("misses-exhausted"),
    # Who tries numbers by the thousand is to be slowed down here more than elsewhere.
    dependencies=[costs(RateClass.SEARCH), TAKES_TURN],
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
        desk.today,
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
        raise ProblemError("misses-exhausted", headers={"Retry-After": str(seconds)}) from None
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
