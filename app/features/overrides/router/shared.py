"""The router of overrides, who may ask, and how a request is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Path, Response
from pydantic.types import UUID7

from app.domain.overrides.keys import OFFICERS
from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.features.overrides import service
from app.features.overrides.schemas import OverrideRead
from app.features.overrides.service import Acting, Case
from app.infra.audit import AuditTrail
from app.infra.auth import CurrentActor, requires
from app.infra.conditions import Condition, RecordTags
from app.infra.database import AsyncSession
from app.infra.desk import Desk
from app.infra.idempotency import OneEffect
from app.infra.requester import CurrentRequester
from app.infra.reveal import respond
from app.infra.routing import Router

router = Router("overrides")

OFFICER_ROLES: Final = tuple(OFFICERS.values())
READERS: Final = (Role.ACCOUNT_MANAGER, *OFFICER_ROLES, Role.COMPLIANCE)
Manager = Annotated[Actor, requires(Role.ACCOUNT_MANAGER)]
Officer = Annotated[Actor, requires(*OFFICER_ROLES)]
Reader = Annotated[Actor, requires(*READERS)]
OverrideId = Annotated[
    UUID7, Path(description="Id of a request, or of one override of a request for many.")
]
#: The customers of a request for many, a thousand at most, are evaluated in one transaction.
LONGEST_BULK_SECONDS: Final = 120
#: As what an evaluation may be refused.
EVALUATION_PROBLEMS: Final = ("back-dated", "no-rule-set", "input-error")


@dataclass(frozen=True, slots=True)
class StaffDesk:
    """What routes about overrides work with: the transaction, and who acts."""

    session: AsyncSession
    acting: Acting


async def staff_desk(desk: Desk, actor: CurrentActor, requester: CurrentRequester) -> StaffDesk:
    """The desk of one request about overrides."""
    acting = Acting(actor, requester.digest, desk.vault, desk.now, desk.today, desk.settings)
    return StaffDesk(desk.session, acting)


#: `scope="function"` keeps to the scope of the desk.
CurrentStaffDesk = Annotated[StaffDesk, Depends(staff_desk, scope="function")]


@dataclass(frozen=True, slots=True)
class OverridesDesk(StaffDesk):
    """With the tags of the records, which tell the version of what is answered."""

    tags: Condition


async def overrides_desk(desk: CurrentStaffDesk, tags: RecordTags) -> OverridesDesk:
    """The desk of a request that is answered with a request for overrides."""
    return OverridesDesk(desk.session, desk.acting, tags)


CaseDesk = Annotated[OverridesDesk, Depends(overrides_desk, scope="function")]


def version_of(case: Case) -> str:
    """Changes with every step of what was asked for: the request, or one override of it alone."""
    states = ",".join(found.state for found in case.overrides)
    return f"{case.request.id}/{case.request.version}/{len(case.stored.approvals)}/{states}"


async def respond_case(
    case: Case,
    desk: OverridesDesk,
    audit: AuditTrail,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A request, as the caller is shown it."""
    told = await service.tell_case(desk.session, case, desk.acting)
    return await respond(
        OverrideRead.from_domain(told),
        viewer=told.viewer,
        audit=audit,
        subjects=[found.customer_id for found in case.overrides],
        status=status,
        headers={"ETag": desk.tags.tag(version_of(case)), **(headers or {})},
    )


async def respond_once(
    case: Case, desk: OverridesDesk, once: OneEffect, *, headers: Mapping[str, str] | None = None
) -> Response:
    """A request after a step that is taken once, whether it was taken now or before."""
    return await respond_case(
        case,
        desk,
        once.noting(case.recorded_as),
        status=once.status,
        headers={**(headers or {}), **once.headers},
    )


def location(case: Case) -> Mapping[str, str]:
    """Where what was made is read."""
    return {"Location": f"/v1/overrides/{case.id}"}
