"""`/v1/customers/{customer_id}`: the profile that everybody sees as his role allows."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from app.domain.privacy.roles import Role
from app.features.customers import service
from app.features.customers.schemas import CustomerId, ProfileRead
from app.infra.application import problem_responses
from app.infra.audit import Audit
from app.infra.auth import Actor, requires
from app.infra.cipher import AppVault
from app.infra.desk import Desk
from app.infra.reveal import respond

router = APIRouter(tags=["customers"])

Reader = Annotated[
    Actor,
    requires(
        Role.AGENT,
        Role.CUSTOMER,
        Role.ACCOUNT_MANAGER,
        Role.RISK_OFFICER,
        Role.BUSINESS_OFFICER,
        Role.COMPLIANCE,
    ),
]


@router.get(
    "/v1/customers/{customer_id}",
    response_model=ProfileRead,
    summary="A customer's profile, masked for the caller",
    response_description="The profile; what is withheld is null and listed in `meta.masked`.",
    responses=problem_responses(404),
)
async def get_customer(
    customer_id: CustomerId,
    desk: Desk,
    vault: AppVault,
    audit: Audit,
    actor: Reader,
) -> Response:
    """Identity, declarations, tier and the panorama across policies, claims and contacts.

    A customer reads only himself; an account manager sees more of his own customers than of
    others; contact data in clear takes `X-Purpose` besides.
    """
    subject = await service.identify(desk.session, customer_id=customer_id, actor=actor)
    profile = await service.get_profile(desk.session, subject=subject, vault=vault, on=desk.today)
    return await respond(
        ProfileRead.from_domain(profile),
        viewer=subject.viewer,
        audit=audit.noting(record_version=profile.customer.updated_at.isoformat()),
        subjects=[subject.customer_id],
    )
