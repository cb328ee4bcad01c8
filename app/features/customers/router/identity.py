"""Who a customer is: verifying a caller, and merging two ids of one."""

from __future__ import annotations

from math import ceil
from typing import Annotated

from fastapi import Response

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.features.customers import service
from app.features.customers.router.shared import router
from app.features.customers.schemas import (
    CustomerId,
    MergeCreate,
    MergeRead,
    VerificationCreate,
    VerificationRead,
)
from app.features.imports import service as imports
from app.infra.audit import ChangeAudit, Outcome
from app.infra.auth import requires
from app.infra.description import problem_responses
from app.infra.desk import Desk
from app.infra.problems import ProblemError
from app.infra.reveal import respond
from app.infra.turns import TAKES_TURN


@router.post(
    "/v1/customers/{customer_id}/verifications",
    response_model=VerificationRead,
    summary="Verify a caller without seeing what is known",
    response_description="Whether it is what is known.",
    dependencies=[TAKES_TURN],
    responses=problem_responses(404, "tries-exhausted"),
)
async def verify_customer(
    customer_id: CustomerId,
    asked: VerificationCreate,
    desk: Desk,
    audit: ChangeAudit,
    actor: Annotated[Actor, requires(Role.AGENT, Role.ACCOUNT_MANAGER)],
) -> Response:
    """Yes or no; a value that is not stored is a no.

    Three tries in an hour by one caller at one customer, right or wrong; after that 429. Each try
    is in the audit, and what was said is nowhere.
    """
    subject = await service.identify(desk.session, customer_id=customer_id, actor=actor)
    try:
        found = await service.verify(
            desk.session,
            customer_id=subject.customer_id,
            actor_digest=audit.writer.actor_digest(actor.issuer, actor.subject),
            said=service.Said(asked.field, asked.value),
            vault=desk.vault,
            now=desk.now,
        )
    except service.TriesExhaustedError as error:
        seconds = max(1, ceil(error.retry_after.total_seconds()))
        raise ProblemError("tries-exhausted", headers={"Retry-After": str(seconds)}) from None
    return await respond(
        VerificationRead.from_domain(found),
        viewer=subject.viewer,
        audit=audit,
        subjects=[subject.customer_id],
    )


@router.post(
    "/v1/customers/{customer_id}/merge",
    response_model=MergeRead,
    summary="Merge a customer into another",
    response_description="The merge holds.",
    dependencies=[TAKES_TURN],
    responses=problem_responses(
        404, "merged-already", "merged-away", "kind-fixed", "same-customer", "conflict"
    ),
)
async def merge_customer(
    customer_id: CustomerId,
    asked: MergeCreate,
    desk: Desk,
    audit: ChangeAudit,
    actor: Annotated[Actor, requires(Role.INTEGRATION)],
) -> Response:
    """From now on the old id answers as the other customer, who has its policies and all records.

    The tier of the old id ends today; its decisions and past tiers stay stored under it. The same
    call again changes nothing; one that names another survivor, or one merged away, is refused.
    Nothing is evaluated here.
    """
    merge = await imports.merge_customer(
        desk.session,
        merged_id=customer_id,
        survivor_id=asked.into,
        vault=desk.vault,
        settings=desk.settings,
        today=desk.today,
    )
    return await respond(
        MergeRead.from_domain(merge),
        viewer=actor.viewer(),
        audit=audit.noting(outcome=Outcome.CHANGED if merge.is_new else Outcome.ANSWERED),
        subjects=[merge.customer_id, merge.merged_id],
    )
