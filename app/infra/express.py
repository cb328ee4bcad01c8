"""A short way for the reads that everything waits for.

An ordinary request goes through the framework's stack, which costs several times what a look-up
does. A hot read that is ordinary in every way (a token verified before, one role, no body, no
query) is answered here instead, by functions that its feature declares beside the route:

    @router.express("/v1/customers/{customer_id}/tier", READERS, service.TierLookups)
    async def look_up_tier(call: ExpressCall, lookups: TierLookups, customer_id: str): ...

Whatever is out of the ordinary goes on to the route, which says what is wrong with it: `None`, any
error, and any doubt mean just that. So nothing is decided here that the route does not decide, and
tests hold both to the same bytes.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeAlias

from fastapi import FastAPI
from starlette.datastructures import State
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.domain.customer_ids import is_customer_id
from app.domain.errors import DomainError
from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.infra.audit import AuditTrail
from app.infra.auth.dependencies import actor_of
from app.infra.auth.tokens import TokenVerifier
from app.infra.auth.verified import TokenRegister
from app.infra.clock import business_day, utc_now
from app.infra.database import DATABASE_ERRORS
from app.infra.lanes import Lanes
from app.infra.locale import Locale, preferred_locale
from app.infra.problems import ProblemError
from app.infra.rate_limit import RateClass, RateLimiter
from app.infra.request_id import ROUTE_KEY
from app.infra.telemetry import note_route

log = logging.getLogger(__name__)

_PARAMETER: Final = re.compile(r"\{[a-z_]+\}")
_BEARER: Final = "bearer "
#: With one of these a request is not ordinary.
_ODD_HEADERS: Final = frozenset({b"content-length", b"transfer-encoding", b"expect", b"upgrade"})


@dataclass(frozen=True, slots=True)
class ExpressCall:
    """What is known of an ordinary request for a hot read."""

    state: State
    scope: Scope
    actor: Actor
    accept_language: str | None
    now: datetime
    today: date

    @property
    def locale(self) -> Locale:
        """The language asked for."""
        return preferred_locale(self.accept_language)

    def is_of_another(self, customer_id: str) -> bool:
        """Whether a customer asks about an id that his token does not name.

        Such a look-up is left to the route, and nobody is looked up for it: by the time that takes
        he would know which ids there are.
        """
        return self.actor.customer_id not in {None, customer_id}

    def audit(self, record_version: str | None = None) -> AuditTrail:
        """The audit of the request."""
        writer = self.state.audit
        return AuditTrail(writer, self.actor, self.scope, record_version=record_version)


Answering: TypeAlias = Callable[[ExpressCall, Any, str], Awaitable[Response | None]]


@dataclass(frozen=True, slots=True)
class ExpressRoute:
    """One hot read: its path with one parameter, who may call, and what answers.

    `lookups` is made once per application, over its lanes, and handed to `answer`. A parameter
    that could be no customer's id, be it one or not, goes the ordinary way.
    """

    template: str
    roles: frozenset[Role]
    lookups: Callable[[Lanes], object]
    answer: Answering


class ExpressWay:
    """Answers hot reads, and hands everything else on.

    Args:
        app: the ordinary way.
        application: whose state and settings are used.
        routes: the hot reads.
    """

    def __init__(self, app: ASGIApp, application: FastAPI, routes: Sequence[ExpressRoute]) -> None:
        self.app = app
        self._state = application.state
        lanes: Lanes = application.state.database.lanes
        self._zone: str = application.state.settings.business_zone
        self._verifier: TokenVerifier = application.state.token_verifier
        self._register: TokenRegister = application.state.actors
        self._limiter: RateLimiter = application.state.rate_limiter
        self._routes = [
            (re.compile(_PARAMETER.sub("([^/]+)", route.template)), route, route.lookups(lanes))
            for route in routes
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        response = None
        if scope["type"] == "http" and scope["method"] == "GET" and not scope["query_string"]:
            response = await self._answer(scope)
        await (response or self.app)(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response | None:
        for pattern, route, lookups in self._routes:
            if (found := pattern.fullmatch(scope["path"])) and is_customer_id(found[1]):
                call = self._call(scope, route)
                return None if call is None else await _try(call, route, lookups, found[1])
        return None

    def _call(self, scope: Scope, route: ExpressRoute) -> ExpressCall | None:
        headers = _ordinary(scope["headers"])
        if headers is None:
            return None
        given = headers.get(b"authorization", b"").decode("latin-1")
        if given[: len(_BEARER)].lower() != _BEARER:
            return None
        token = self._verifier.find_verified(given[len(_BEARER) :])
        if token is None or not self._register.has_noted(token):
            return None
        try:
            actor = actor_of(token, _text(headers, b"x-act-role"), _text(headers, b"x-purpose"))
        except ProblemError:
            return None
        admitted = self._limiter.admits(scope, actor, RateClass.ORDINARY)
        if not admitted or actor.role not in route.roles:
            return None
        now = utc_now()
        language = _text(headers, b"accept-language")
        return ExpressCall(self._state, scope, actor, language, now, business_day(now, self._zone))


def _ordinary(raw: Sequence[tuple[bytes, bytes]]) -> Mapping[bytes, bytes] | None:
    """The headers by name; None if one of them is odd, or stands there twice."""
    headers = dict(raw)
    if len(headers) != len(raw) or not _ODD_HEADERS.isdisjoint(headers):
        return None
    return headers


def _text(headers: Mapping[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


async def _try(
    call: ExpressCall, route: ExpressRoute, lookups: object, parameter: str
) -> Response | None:
    """The answer, or None if the ordinary way has to find out what is the matter."""
    call.scope[ROUTE_KEY] = route.template
    note_route(call.scope, route.template)
    try:
        response = await route.answer(call, lookups, parameter)
    except (DomainError, ProblemError, *DATABASE_ERRORS):
        response = None
    except Exception:
        log.exception("a hot read failed")
        response = None
    if response is None:
        del call.scope[ROUTE_KEY]
    return response
