"""`/v1/customers/{customer_id}/consents`: what may be done with a customer's data, by his word."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.features.customers import service
from app.features.customers.router.shared import Reader, router
from app.features.customers.schemas import ConsentsRead, ConsentsWrite, CustomerId
from app.features.imports.service import RowsRejected
from app.infra.audit import Audit, ChangeAudit, Outcome
from app.infra.auth import requires
from app.infra.conditions import IfMatch
from app.infra.description import problem_responses, read_responses
from app.infra.desk import Desk
from app.infra.problems import FieldError, ProblemError
from app.infra.reveal import respond
from app.infra.turns import TAKES_TURN


@router.get(
    "/v1/customers/{customer_id}/consents",
    response_model=ConsentsRead,
    summary="What a customer consented to",
    response_description="All his consents, by purpose, the newest first.",
    responses=read_responses(404),
)
async def list_consents(
    customer_id: CustomerId, desk: Desk, audit: Audit, actor: Reader
) -> Response:
    """With the text agreed to, and withdrawn ones too.

    Where no consent holds, the facts it covers are unknown to every evaluation.
    """
    subject = await service.identify(desk.session, customer_id=customer_id, actor=actor)
    own_id = subject.customer_id
    found = await service.list_consents(desk.session, customer_id=own_id)
    return await respond(
        ConsentsRead.from_domain(own_id, found, desk.today),
        viewer=subject.viewer,
        audit=audit,
        subjects=[own_id],
    )


@router.put(
    "/v1/customers/{customer_id}/consents",
    response_model=ConsentsRead,
    summary="Say what a customer consents to",
    response_description="All his consents as they are now.",
    dependencies=[TAKES_TURN],
    responses=problem_responses(404, "conflict"),
)
async def put_consents(
    customer_id: CustomerId,
    written: ConsentsWrite,
    desk: Desk,
    audit: ChangeAudit,
    condition: IfMatch,
    actor: Annotated[Actor, requires(Role.INTEGRATION)],
) -> Response:
    """A purpose that is not listed and holds is withdrawn from today on; the past stays.

    The same call again changes nothing. With `If-Match` only the consents that were written last
    are replaced. Nothing is evaluated here.
    """
    subject = await service.identify(desk.session, customer_id=customer_id, actor=actor)
    own_id = subject.customer_id
    if condition.is_stated:
        condition.check(await service.lock_consents_version(desk.session, customer_id=own_id))
    try:
        await service.put_consents(
            desk.session,
            customer_id=own_id,
            given=[item.to_domain() for item in written.items],
            vault=desk.vault,
            settings=desk.settings,
            today=desk.today,
        )
    except RowsRejected as refused:
        errors = [FieldError(("body", "items", *error.loc), error.code) for error in refused.errors]
        raise ProblemError("validation", errors=errors) from None
    found = await service.list_consents(desk.session, customer_id=own_id)
    return await respond(
        ConsentsRead.from_domain(own_id, found, desk.today),
        viewer=subject.viewer,
        audit=audit.noting(outcome=Outcome.CHANGED),
        subjects=[own_id],
        headers={"ETag": condition.tag(service.consents_version(found))},
    )
