"""Asking for an override, asking otherwise, and taking it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from fastapi import Response

from app.features.customers.service import identify, identify_each
from app.features.overrides import service
from app.features.overrides.router.shared import (
    EVALUATION_PROBLEMS,
    LONGEST_BULK_SECONDS,
    CaseDesk,
    Manager,
    OverrideId,
    OverridesDesk,
    location,
    respond_case,
    respond_once,
    router,
    version_of,
)
from app.features.overrides.schemas import (
    BulkOverrideCreate,
    OverrideCreate,
    OverrideRead,
    OverrideWrite,
)
from app.features.overrides.service import CustomersRefusedError
from app.infra.audit import ChangeAudit, Outcome
from app.infra.auth import costs
from app.infra.conditions import IfMatchRequired
from app.infra.deadline import takes_up_to
from app.infra.description import problem_responses
from app.infra.idempotency import REPLAYED, Once, OnceRequired
from app.infra.problems import FieldError, ProblemError
from app.infra.rate_limit import RateClass
from app.infra.turns import TAKES_TURN


@router.post(
    "/v1/overrides",
    status_code=201,
    response_model=OverrideRead,
    summary="Ask for an override",
    response_description="The request, which waits for an officer of risk and one of business.",
    dependencies=[costs(RateClass.COSTLY), TAKES_TURN],
    responses={
        201: REPLAYED,
        **problem_responses(
            404, "override-pending", "validity-out-of-range", "conflict", *EVALUATION_PROBLEMS
        ),
    },
)
async def create_override(
    written: OverrideCreate,
    desk: CaseDesk,
    once: OnceRequired,
    actor: Manager,
) -> Response:
    """A temporary tier for one customer, by two keys; until both have turned nothing changes.

    The customer is evaluated, so that the officers decide on what is true today. Who asks decides
    nothing himself. Where nobody has decided in 72 hours, the request expires.
    """
    subject = await identify(desk.session, customer_id=written.customer_id, actor=actor)
    if (earlier := await once.find()) is not None:
        case = await service.get_case(
            desk.session, override_id=UUID(earlier.resource), acting=desk.acting
        )
    else:
        try:
            case = await service.create_request(
                desk.session,
                customer_ids=[subject.customer_id],
                wanted=written.to_domain(),
                acting=desk.acting,
            )
        except CustomersRefusedError as refused:
            raise ProblemError(refused.type) from None
        await once.keep(str(case.id))
    return await respond_once(case, desk, once, headers=location(case))


@router.post(
    "/v1/overrides/bulk",
    status_code=201,
    response_model=OverrideRead,
    summary="Ask for the same override of many customers",
    response_description="The request; it is decided on as one.",
    dependencies=[costs(RateClass.COSTLY), TAKES_TURN],
    responses={
        201: REPLAYED,
        **problem_responses(
            "override-pending", "validity-out-of-range", "conflict", *EVALUATION_PROBLEMS
        ),
    },
)
@takes_up_to(seconds=LONGEST_BULK_SECONDS)
async def create_override_bulk(
    written: BulkOverrideCreate,
    desk: CaseDesk,
    once: OnceRequired,
    _actor: Manager,
) -> Response:
    """As after the merger of two companies: up to 1,000 customers, one statement, one evidence set.

    It is approved as one and executed in one transaction; each effect is revoked by itself. All
    customers are there and none waits for another request, or nothing is stored, and `errors[]`
    names the places of those that are not.
    """
    if (earlier := await once.find()) is not None:
        case = await service.get_case(
            desk.session, override_id=UUID(earlier.resource), acting=desk.acting
        )
    else:
        # Not before, since of those whom the first request named some may have been merged by now.
        customers = await _customers(desk, written.customer_ids)
        try:
            case = await service.create_request(
                desk.session,
                customer_ids=customers,
                wanted=written.to_domain(),
                acting=desk.acting,
                is_bulk=True,
            )
        except CustomersRefusedError as refused:
            raise _refused(refused.type, customers, refused.customer_ids) from None
        await once.keep(str(case.id))
    return await respond_once(case, desk, once, headers=location(case))


async def _customers(desk: OverridesDesk, asked: Sequence[str]) -> list[str]:
    """The ids that customers are stored under, in the order asked.

    Raises:
        ProblemError: an id is nobody's, or two are the same customer's.
    """
    known = await identify_each(desk.session, customer_ids=asked, actor=desk.acting.actor)
    errors = [
        _place(index, "unknown_customer") for index, id_ in enumerate(asked) if id_ not in known
    ]
    own_ids = [known[id_].customer_id for id_ in asked if id_ in known]
    if not errors:
        errors = [
            _place(index, "repeated_customer")
            for index, own_id in enumerate(own_ids)
            if own_id in own_ids[:index]
        ]
    if errors:
        raise ProblemError("validation", errors=errors)
    return own_ids


def _refused(slug: str, customers: Sequence[str], refused: Iterable[str]) -> ProblemError:
    """The places of the customers because of whom a request is refused."""
    places = [customers.index(own_id) for own_id in refused]
    return ProblemError(slug, errors=[_place(index, slug) for index in sorted(places)])


def _place(index: int, rule: str) -> FieldError:
    return FieldError(("body", "customer_ids", index), rule)


@router.put(
    "/v1/overrides/{override_id}",
    response_model=OverrideRead,
    summary="Ask otherwise",
    response_description="The request in its new version.",
    dependencies=[costs(RateClass.COSTLY), TAKES_TURN],
    responses=problem_responses(
        404,
        "not-requester",
        "already-decided",
        "request-expired",
        "part-of-bulk",
        "validity-out-of-range",
        *EVALUATION_PROBLEMS,
    ),
)
@takes_up_to(seconds=LONGEST_BULK_SECONDS)
async def put_override(
    override_id: OverrideId,
    written: OverrideWrite,
    desk: CaseDesk,
    audit: ChangeAudit,
    condition: IfMatchRequired,
    _actor: Manager,
) -> Response:
    """A new version, by who asked, as long as it waits; what was approved of the old one is void.

    The customers are evaluated anew; for whom it is cannot change. `If-Match` names the version
    that was read.
    """
    # Who may not know of it waits for nobody's lock: that would tell him that there is something.
    await service.get_case(desk.session, override_id=override_id, acting=desk.acting)
    held = await service.lock_revisable(desk.session, override_id=override_id, acting=desk.acting)
    condition.check(version_of(held))
    case = await service.revise(desk.session, held, wanted=written.to_domain(), acting=desk.acting)
    return await respond_case(
        case,
        desk,
        audit.noting(outcome=Outcome.CHANGED, record_version=case.recorded_as),
    )


@router.post(
    "/v1/overrides/{override_id}/withdraw",
    response_model=OverrideRead,
    summary="Take a request back",
    response_description="The request, withdrawn.",
    dependencies=[TAKES_TURN],
    responses={
        200: REPLAYED,
        **problem_responses(404, "not-requester", "already-decided", "part-of-bulk"),
    },
)
async def withdraw_override(
    override_id: OverrideId,
    desk: CaseDesk,
    once: Once,
    _actor: Manager,
) -> Response:
    """By who asked, before it is decided on."""
    case = await service.get_case(desk.session, override_id=override_id, acting=desk.acting)
    if await once.find() is None:
        case = await service.withdraw(desk.session, override_id=override_id, acting=desk.acting)
        await once.keep(str(case.id), status=200)
    return await respond_once(case, desk, once)
