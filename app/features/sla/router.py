"""`GET /v1/tiers/{tier}/sla`: what a tier is promised."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Final

from fastapi import Path, Request, Response
from pydantic import Field
from starlette.types import Scope

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.features.sla import service
from app.features.sla.schemas import SlaRead
from app.infra.auth import requires
from app.infra.conditions import respond_bytes
from app.infra.description import read_responses
from app.infra.desk import Today
from app.infra.express import ExpressCall
from app.infra.locale import Locale, RequestLocale, language_headers
from app.infra.routing import Router
from app.infra.session import ReadSession
from app.infra.written import PRINTABLE

router = Router("tiers")

Tier = Annotated[
    str,
    Field(min_length=1, max_length=32),
    PRINTABLE,
    Path(description="A tier of the ladder."),
]

READERS: Final = frozenset(
    {
        Role.AGENT,
        Role.CUSTOMER,
        Role.ACCOUNT_MANAGER,
        Role.RISK_OFFICER,
        Role.BUSINESS_OFFICER,
        Role.COMPLIANCE,
        Role.ADMIN,
    }
)
Reader = Annotated[Actor, requires(*READERS)]


@router.get(
    "/v1/tiers/{tier}/sla",
    response_model=SlaRead,
    summary="What a tier is promised",
    response_description="The promises, one entry per service type.",
    responses=read_responses(404),
)
async def get_tier_sla(
    tier: Tier,
    request: Request,
    session: ReadSession,
    today: Today,
    locale: RequestLocale,
    _actor: Reader,
) -> Response:
    """The promises of the policy in force today, in seconds or days of the clock each runs on.

    An entry's `exceptions` are narrower cases that win over it. A statutory floor is a deadline of
    the law, which no tier loosens; where the two differ, the earlier one binds.
    """
    found = await service.get_sla(session, tier=tier, on=today)
    return _answer(request.scope, found, locale)


@router.express("/v1/tiers/{tier}/sla", READERS, service.SlaLookups)
async def look_up_sla(call: ExpressCall, lookups: service.SlaLookups, tier: str) -> Response | None:
    """`get_tier_sla`, for many at once."""
    found = await lookups.find(tier, on=call.today)
    return None if found is None else _answer(call.scope, found, call.locale)


def _answer(scope: Scope, found: service.TierSla, locale: Locale) -> Response:
    return respond_bytes(scope, _written(found, locale), language_headers(locale))


@lru_cache(64)
def _written(found: service.TierSla, locale: Locale) -> bytes:
    """The promises in one language; nothing of them depends on who asks."""
    return SlaRead.from_domain(found, locale).model_dump_json().encode()
