"""`GET /v1/customers/{customer_id}/benefits`: what the mobile app shows."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.features.benefits import service
from app.features.benefits.schemas import BenefitsRead, Holder
from app.features.customers.schemas import CustomerId
from app.features.customers.service import identify
from app.features.tiers.service import get_tier
from app.infra.audit import Audit
from app.infra.auth import requires
from app.infra.description import read_responses
from app.infra.desk import Desk
from app.infra.locale import RequestLocale, language_headers
from app.infra.reveal import respond
from app.infra.routing import Router

router = Router("benefits")


@router.get(
    "/v1/customers/{customer_id}/benefits",
    response_model=BenefitsRead,
    summary="A customer's benefits",
    response_description="The benefits of the tier, and what the next one would add.",
    responses=read_responses(404, "not-evaluated"),
)
async def list_benefits(
    customer_id: CustomerId,
    desk: Desk,
    audit: Audit,
    locale: RequestLocale,
    actor: Annotated[Actor, requires(Role.CUSTOMER, Role.AGENT, Role.ACCOUNT_MANAGER)],
) -> Response:
    """What the tier grants, with quota and period; no quota means as needed.

    Nothing here says how the customer is judged, or what he would have to pay for more. Price and
    cover follow risk and never tier, so no benefit touches them. Never evaluated: 409
    `not-evaluated`.
    """
    subject = await identify(desk.session, customer_id=customer_id, actor=actor)
    served = await get_tier(
        desk.session,
        customer_id=subject.customer_id,
        now=desk.now,
        today=desk.today,
        stale_after_days=desk.settings.stale_after_days,
    )
    tier = served.stored.tier
    found = await service.get_benefits(
        desk.session, tier=tier, next_tier=served.next_tier, on=desk.today
    )
    holder = Holder(subject.customer_id, tier, served.next_tier)
    return await respond(
        BenefitsRead.from_domain(found, holder, locale),
        viewer=subject.viewer,
        audit=audit,
        subjects=[subject.customer_id],
        headers=language_headers(locale),
    )
