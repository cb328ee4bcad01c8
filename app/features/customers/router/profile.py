"""`/v1/customers/{customer_id}`: the profile that everybody sees as his role allows."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Response

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.features.customers import service
from app.features.customers.router.shared import READERS, Reader, router
from app.features.customers.schemas import (
    BODY_FIELDS,
    CustomerId,
    CustomerWrite,
    ProfileRead,
)
from app.features.imports.service import RowsRejected
from app.infra.audit import Audit, ChangeAudit, Outcome
from app.infra.auth import requires
from app.infra.conditions import IfMatch
from app.infra.description import problem_responses, read_responses
from app.infra.desk import Desk
from app.infra.express import ExpressCall
from app.infra.problems import FieldError, ProblemError
from app.infra.reveal import respond
from app.infra.turns import TAKES_TURN

_KIND_FIXED: Final = "kind-fixed"


@router.get(
    "/v1/customers/{customer_id}",
    response_model=ProfileRead,
    summary="A customer's profile, masked for the caller",
    response_description="The profile; what is withheld is null and listed in `meta.masked`.",
    responses=read_responses(404),
)
async def get_customer(
    customer_id: CustomerId,
    desk: Desk,
    audit: Audit,
    actor: Reader,
) -> Response:
    """Identity, declarations, tier and the panorama across policies, claims and contacts.

    A customer reads only himself; an account manager sees more of his own customers than of
    others; contact data in clear takes `X-Purpose` besides.
    """
    subject = await service.identify(desk.session, customer_id=customer_id, actor=actor)
    profile = await service.get_profile(
        desk.session, subject=subject, vault=desk.vault, on=desk.today
    )
    return await respond(
        ProfileRead.from_domain(profile),
        viewer=subject.viewer,
        audit=audit.noting(record_version=profile.stored.customer.updated_at.isoformat()),
        subjects=[subject.customer_id],
    )


@router.express("/v1/customers/{customer_id}", READERS, service.ProfileLookups)
async def look_up_customer(
    call: ExpressCall, lookups: service.ProfileLookups, customer_id: str
) -> Response | None:
    """`get_customer`, for many at once."""
    if call.is_of_another(customer_id):
        return None
    found = await lookups.find(customer_id, actor=call.actor, on=call.today)
    if found is None:
        return None
    viewer, profile = found
    known = profile.stored.customer
    return await respond(
        ProfileRead.from_domain(profile),
        viewer=viewer,
        audit=call.audit(known.updated_at.isoformat()),
        subjects=[known.customer_id],
    )


@router.put(
    "/v1/customers/{customer_id}",
    response_model=ProfileRead,
    summary="Create a customer, or change what is known of him",
    response_description="The customer was there and is changed; what is open is answered.",
    dependencies=[TAKES_TURN],
    responses={
        201: {"model": ProfileRead, "description": "The customer is new; likewise."},
        **problem_responses("kind-fixed", "conflict"),
    },
)
async def put_customer(
    customer_id: CustomerId,
    written: CustomerWrite,
    desk: Desk,
    audit: ChangeAudit,
    condition: IfMatch,
    actor: Annotated[Actor, requires(Role.INTEGRATION)],
) -> Response:
    """What is left out stays as it is, null clears it; the same call again changes nothing.

    Attributes that scoring reads hold from today on, and what held before stays in their history.
    Identifiers and amounts are encrypted before they are stored. Nothing is evaluated here. With
    `If-Match` only the version that the feed wrote last is changed.
    """
    if condition.is_stated:
        held = await service.lock_version(desk.session, customer_id=customer_id, on=desk.today)
        condition.check(held)
    try:
        upserted = await service.put_customer(
            desk.session,
            customer_id=customer_id,
            change=written.to_domain(),
            vault=desk.vault,
            settings=desk.settings,
            today=desk.today,
        )
    except RowsRejected as refused:
        raise _refused(refused) from None
    subject = await service.identify(desk.session, customer_id=upserted.customer_id, actor=actor)
    profile = await service.get_profile(
        desk.session, subject=subject, vault=desk.vault, on=desk.today
    )
    headers = {"ETag": condition.tag(profile.version)}
    if upserted.is_new:
        headers["Location"] = f"/v1/customers/{subject.customer_id}"
    return await respond(
        ProfileRead.from_domain(profile),
        viewer=subject.viewer,
        audit=audit.noting(
            outcome=Outcome.CHANGED, record_version=profile.stored.customer.updated_at.isoformat()
        ),
        subjects=[subject.customer_id],
        status=201 if upserted.is_new else 200,
        headers=headers,
    )


def _refused(refused: RowsRejected) -> ProblemError:
    """The places of the body that cannot be stored, and by which rule; no value."""
    places = {
        FieldError(("body", BODY_FIELDS.get(error.loc[1], error.loc[1])), error.code): None
        for error in refused.errors
    }
    # What is stored already stands against it, whatever else is wrong.
    is_fixed = any(error.code == _KIND_FIXED for error in refused.errors)
    return ProblemError(_KIND_FIXED if is_fixed else "validation", errors=list(places))
