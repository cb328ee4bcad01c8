"""The two keys, and revoking what they opened."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Response

from app.features.overrides import service
from app.features.overrides.router.shared import (
    EVALUATION_PROBLEMS,
    LONGEST_BULK_SECONDS,
    CaseDesk,
    Officer,
    OverrideId,
    location,
    respond_once,
    router,
)
from app.features.overrides.schemas import ApprovalCreate, OverrideRead, OverrideRevoke
from app.infra.deadline import takes_up_to
from app.infra.description import problem_responses
from app.infra.idempotency import REPLAYED, Once
from app.infra.turns import TAKES_TURN


@router.post(
    "/v1/overrides/{override_id}/approvals",
    status_code=201,
    response_model=OverrideRead,
    summary="Turn a key",
    response_description="The request after the decision; active once both keys have turned.",
    dependencies=[TAKES_TURN],
    responses={
        201: REPLAYED,
        **problem_responses(
            404,
            "two-roles",
            "not-an-officer",
            "approver-is-requester",
            "approver-is-account-manager",
            "delegate-not-eligible",
            "part-of-bulk",
            "already-decided",
            "request-expired",
            "read-first",
            "delegated-away",
            "delegation-not-running",
            "decision-stale",
            "validity-over",
            *EVALUATION_PROBLEMS,
        ),
    },
)
@takes_up_to(seconds=LONGEST_BULK_SECONDS)
async def create_override_approval(
    override_id: OverrideId,
    written: ApprovalCreate,
    desk: CaseDesk,
    once: Once,
    _actor: Officer,
) -> Response:
    """One officer of risk and one of business, neither who asked nor the account manager.

    What is decided on is the version that the officer was shown last, whole and in clear: GET it
    with `X-Purpose` first. The first rejection closes the request; the second approval evaluates
    the customer again and lets the override serve, unless the rules give another tier by now.
    """
    case = await service.get_case(desk.session, override_id=override_id, acting=desk.acting)
    if await once.find() is None:
        decided = await service.decide(
            desk.session, override_id=override_id, verdict=written.to_domain(), acting=desk.acting
        )
        case = decided.case
        await once.keep(str(decided.approval_id))
    return await respond_once(case, desk, once, headers=location(case))


@router.post(
    "/v1/overrides/{override_id}/revoke",
    response_model=OverrideRead,
    summary="End an override before its time",
    response_description="What was revoked; the evaluated tier serves again.",
    dependencies=[TAKES_TURN],
    responses={
        200: REPLAYED,
        **problem_responses(
            404, "two-roles", "not-an-officer", "approver-is-requester", "not-active"
        ),
    },
)
@takes_up_to(seconds=LONGEST_BULK_SECONDS)
async def revoke_override(
    override_id: OverrideId,
    desk: CaseDesk,
    once: Once,
    _actor: Officer,
    written: Annotated[OverrideRevoke | None, Body()] = None,
) -> Response:
    """By either officer, unless he asked for it: one customer's override, or all of a request.

    Why is said in a statement, or without one left to be asked.
    """
    case = await service.get_case(desk.session, override_id=override_id, acting=desk.acting)
    if await once.find() is None:
        case = await service.revoke(
            desk.session,
            override_id=override_id,
            statement=None if written is None else written.statement,
            acting=desk.acting,
        )
        await once.keep(str(case.id), status=200)
    return await respond_once(case, desk, once)
