"""Tiers over HTTP: the ladder, a customer's tier, its history, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role, Viewer
from app.features.customers.schemas import CustomerId
from app.features.customers.service import Subject, identify, identify_each
from app.features.tiers import service
from app.features.tiers.schemas import (
    ExplanationRead,
    FoundTierRead,
    HistoryQuery,
    HistoryRead,
    LadderRead,
    LookupCreate,
    LookupRead,
    NotFoundRead,
    NoTierRead,
    TierRead,
)
from app.features.tiers.service import ServedTier
from app.infra.audit import Audit
from app.infra.auth import CurrentActor, requires
from app.infra.conditions import respond_open
from app.infra.description import problem_responses, read_responses
from app.infra.desk import Desk
from app.infra.express import ExpressCall
from app.infra.locale import RequestLocale, language_headers
from app.infra.pagination import Cursors
from app.infra.reveal import respond, respond_each
from app.infra.routing import Router

router = Router("tiers")

READERS: Final = frozenset(
    {
        Role.AGENT,
        Role.CUSTOMER,
        Role.ACCOUNT_MANAGER,
        Role.RISK_OFFICER,
        Role.BUSINESS_OFFICER,
        Role.COMPLIANCE,
        Role.INTEGRATION,
    }
)
Reader = Annotated[Actor, requires(*READERS)]


@router.get(
    "/v1/tiers",
    summary="The ladder of tiers",
    response_description="All tiers, the best first.",
    response_model=LadderRead,
    responses=read_responses(),
)
async def list_tiers(request: Request, _actor: CurrentActor) -> Response:
    """The tiers with the names people read; nothing here is about a customer."""
    return respond_open(request, LadderRead.shipped())


@router.get(
    "/v1/customers/{customer_id}/tier",
    response_model=TierRead,
    summary="The tier that serves a customer",
    response_description="The tier; what is withheld is null and listed in `meta.masked`.",
    responses=read_responses(404, "not-evaluated"),
)
async def get_tier(customer_id: CustomerId, desk: Desk, audit: Audit, actor: Reader) -> Response:
    """The tier, where it comes from, what would lift it, and whether it is fresh enough to use.

    A customer who was never evaluated is answered 409 `not-evaluated`: the id is good, and an
    evaluation or the next whole-book run gives it a tier. 404 is for ids nobody has.
    """
    subject = await identify(desk.session, customer_id=customer_id, actor=actor)
    found = await service.get_tier(
        desk.session,
        customer_id=subject.customer_id,
        now=desk.now,
        today=desk.today,
        stale_after_days=desk.settings.stale_after_days,
    )
    return await respond(
        TierRead.from_domain(found, subject.customer_id, subject.viewer),
        viewer=subject.viewer,
        audit=audit.noting(record_version=str(found.stored.decision_id)),
        subjects=[subject.customer_id],
    )


@router.express("/v1/customers/{customer_id}/tier", READERS, service.TierLookups)
async def look_up_tier(
    call: ExpressCall, lookups: service.TierLookups, customer_id: str
) -> Response | None:
    """`get_tier`, for many at once."""
    if call.is_of_another(customer_id):
        return None
    asked = service.Asked(call.now, call.today, call.state.settings.stale_after_days)
    found = await lookups.find(customer_id, asked)
    if found is None:
        return None
    viewer = call.actor.viewer_of(found.customer_id, found.account_manager)
    return await respond(
        TierRead.from_domain(found.served, found.customer_id, viewer),
        viewer=viewer,
        audit=call.audit(str(found.served.stored.decision_id)),
        subjects=[found.customer_id],
    )


@router.post(
    "/v1/tier-lookups",
    response_model=LookupRead,
    summary="The tiers of many customers",
    response_description="One item for each id, in the order asked.",
    responses=problem_responses(),
)
async def find_tiers(asked: LookupCreate, desk: Desk, audit: Audit, actor: Reader) -> Response:
    """Each as `GET /v1/customers/{customer_id}/tier` answers him, masked for him by himself.

    An id that nobody has and one the caller may not know of are both `found: false`; a customer who
    was never evaluated is found and has no tier. The whole is one look in the audit.
    """
    subjects = await identify_each(desk.session, customer_ids=asked.customer_ids, actor=actor)
    tiers = await service.find_tiers(
        desk.session,
        customer_ids=[subject.customer_id for subject in subjects.values()],
        asked=service.Asked(desk.now, desk.today, desk.settings.stale_after_days),
    )
    return await respond_each(
        LookupRead(items=[]),
        items=[
            _looked_up(customer_id, subjects.get(customer_id), tiers)
            for customer_id in asked.customer_ids
        ],
        viewer=actor.viewer(),
        audit=audit,
        subjects=list(
            dict.fromkeys(
                subjects[asked_id].customer_id if asked_id in subjects else asked_id
                for asked_id in asked.customer_ids
            )
        ),
    )


def _looked_up(
    customer_id: str, subject: Subject | None, tiers: Mapping[str, ServedTier]
) -> tuple[BaseModel, Viewer | None]:
    """What is answered for one id, and the caller as the viewer of that customer."""
    if subject is None:
        return NotFoundRead(customer_id=customer_id, found=False), None
    own_id, viewer = subject.customer_id, subject.viewer
    if own_id not in tiers:
        return NoTierRead(customer_id=own_id, found=True, tier=None), viewer
    return FoundTierRead.of(TierRead.from_domain(tiers[own_id], own_id, viewer)), viewer


@router.get(
    "/v1/customers/{customer_id}/tier-history",
    response_model=HistoryRead,
    summary="The tiers a customer was served by",
    response_description="Assignments, the newest first.",
    responses=read_responses(404, "future-day"),
)
async def list_tier_history(
    customer_id: CustomerId,
    query: Annotated[HistoryQuery, Query()],
    desk: Desk,
    audit: Audit,
    actor: Reader,
) -> Response:
    """Every tier with the business days it served on; one replaced on its first day never served.

    With `as_of` there is one entry, or none if the customer had no tier on that day.
    """
    query.require_past(desk.today)
    subject = await identify(desk.session, customer_id=customer_id, actor=actor)
    own_id = subject.customer_id
    cursors = Cursors(desk.vault.master, f"tier-history:{own_id}", actor)
    before = None if query.cursor is None else _place(cursors.open(query.cursor))
    page = await service.list_history(
        desk.session, customer_id=own_id, as_of=query.as_of, limit=query.limit, before=before
    )
    after = page.after
    next_cursor = None if after is None else cursors.seal([after[0].isoformat(), str(after[1])])
    return await respond(
        HistoryRead.from_domain(own_id, page.items, next_cursor),
        viewer=subject.viewer,
        audit=audit,
        subjects=[own_id],
    )


def _place(parts: list[str]) -> tuple[date, UUID]:
    """Where a page ended: first day and id of its last assignment."""
    day, id_ = parts
    return date.fromisoformat(day), UUID(id_)


@router.get(
    "/v1/customers/{customer_id}/tier/explanation",
    response_model=ExplanationRead,
    summary="Why a customer has his tier",
    response_description="The explanation in the language asked for.",
    responses=read_responses(404, "not-evaluated"),
)
async def get_tier_explanation(
    customer_id: CustomerId, desk: Desk, audit: Audit, locale: RequestLocale, actor: Reader
) -> Response:
    """The reasons of the newest decision, what would lift the tier, and what the customer may do.

    A reason the caller may not see is `GENERAL`; the list keeps its length. A customer is told
    what tiers follow from in general, and never to pay more. Never evaluated: 409 `not-evaluated`.
    """
    subject = await identify(desk.session, customer_id=customer_id, actor=actor)
    own_id = subject.customer_id
    found = await service.get_explanation(desk.session, customer_id=own_id, today=desk.today)
    return await respond(
        ExplanationRead.from_domain(found, own_id, subject.viewer, locale),
        viewer=subject.viewer,
        audit=audit.noting(record_version=str(found.stored.decision_id)),
        subjects=[own_id],
        headers=language_headers(locale),
    )
