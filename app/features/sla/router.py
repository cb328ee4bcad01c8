"""`GET /v1/tiers/{tier}/sla`: what a tier is promised."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Response
from pydantic import AfterValidator, Field

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.features.sla import service
from app.features.sla.schemas import SlaRead
from app.infra.application import problem_responses
from app.infra.auth import requires
from app.infra.desk import Today
from app.infra.locale import RequestLocale, language_headers
from app.infra.routing import Router
from app.infra.session import ReadSession
from app.infra.written import printable

router = Router("tiers")

Tier = Annotated[
    str,
    Field(min_length=1, max_length=32),
    AfterValidator(printable),
    Path(description="A tier of the ladder."),
]

Reader = Annotated[
    Actor,
    requires(
        Role.AGENT,
        Role.CUSTOMER,
        Role.ACCOUNT_MANAGER,
        Role.RISK_OFFICER,
        Role.BUSINESS_OFFICER,
        Role.COMPLIANCE,
        Role.ADMIN,
    ),
]


@router.get(
    "/v1/tiers/{tier}/sla",
    summary="What a tier is promised",
    response_description="The promises, one entry per service type.",
    responses=problem_responses(404),
)
async def get_tier_sla(
    tier: Tier,
    response: Response,
    session: ReadSession,
    today: Today,
    locale: RequestLocale,
    _actor: Reader,
) -> SlaRead:
    """The promises of the policy in force today, in seconds or days of the clock each runs on.

    An entry's `exceptions` are narrower cases that win over it. A statutory floor is a deadline of
    the law, which no tier loosens; where the two differ, the earlier one binds.
    """
    found = await service.get_sla(session, tier=tier, on=today)
    response.headers.update(language_headers(locale))
    return SlaRead.from_domain(found, locale)
