"""The caller as an annotated dependency, and the gate that nothing passes without a token.

A router declares who may call in its signature:

    @router.get("/v1/customers/{customer_id}/tier", ...)
    async def get_tier(actor: Annotated[Actor, requires(Role.AGENT, Role.CUSTOMER)], ...): ...

`CurrentActor` is any authenticated caller in his one active role.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Header, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.domain.errors import Forbidden
from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Purpose, Role
from app.infra.auth.issuer import development_issuer
from app.infra.auth.jwks import JwksKeys
from app.infra.auth.keys import KeySource, StaticKeys, read_jwks_file
from app.infra.auth.policy import policy_of
from app.infra.auth.tokens import TokenRefusedError, TokenVerifier
from app.infra.auth.verified import (
    NoRegister,
    RegisterUnavailableError,
    TokenRegister,
    VerifiedToken,
)
from app.infra.clock import utc_now
from app.infra.lifespan import hold_open
from app.infra.problems import ProblemError, problem_response
from app.infra.rate_limit import RateClass, RateLimiter
from app.infra.request_id import request_id_of
from app.infra.settings import Settings

log = logging.getLogger(__name__)

#: The only paths that answer without a token.
OPEN_PATHS: Final = frozenset(
    {
        "/livez",
        "/readyz",
        "/openapi.json",
        "/docs",
        "/docs/page.js",
        "/docs/page.css",
        "/docs/swagger-ui-bundle.js",
        "/docs/swagger-ui.css",
        "/docs/favicon.png",
    }
)

_TOKEN_KEY = "tiering.token"  # noqa: S105 - the name of an entry in the ASGI scope.
_ACTOR_KEY = "tiering.actor"
#: Whoever stands between could take the one and we the other.
_STATED_ONCE = ("X-Act-Role", "X-Purpose")
_POLICY_VIOLATION = 1008
_BEARER = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="Access token of the issuer."
)


class TokenGate:
    """Verifies the bearer token before anything of the request is read, an unknown path included.

    Args:
        app: what lies behind the gate.
        verifier: verifies tokens.
        register: notes them before their requests go on.
        open_paths: paths that need none.
    """

    def __init__(
        self,
        app: ASGIApp,
        verifier: TokenVerifier,
        register: TokenRegister | None = None,
        open_paths: Collection[str] = OPEN_PATHS,
    ) -> None:
        self.app = app
        self._verifier = verifier
        self._register = NoRegister() if register is None else register
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one connection through, or answer 401."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        if scope["type"] == "http" and scope["path"] not in self._open_paths:
            try:
                token = await self._verifier.verify(_bearer_token(scope))
            except TokenRefusedError as refused:
                log.info(
                    "token refused",
                    extra={"reason": str(refused), "request_id": request_id_of(scope)},
                )
                await problem_response(scope, "unauthenticated")(scope, receive, send)
                return
            scope[_TOKEN_KEY] = token
            if not self._register.has_noted(token):
                try:
                    await self._register.note(token)
                except RegisterUnavailableError:
                    await problem_response(scope, "unavailable")(scope, receive, send)
                    return
        await self.app(scope, receive, send)


def _bearer_token(scope: Scope) -> str:
    given = Headers(scope=scope).getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer":
        reason = "no-bearer-token"
        raise TokenRefusedError(reason)
    return token


def _active_role(roles: frozenset[Role], asked: str | None) -> Role:
    """The one role of a request, never a union."""
    if asked is None:
        if len(roles) != 1:
            raise ProblemError("role-required")
        return next(iter(roles))
    if asked not in roles:
        raise ProblemError("role-not-held")
    return Role(asked)


def _purpose(stated: str | None) -> Purpose | None:
    try:
        return None if stated is None else Purpose(stated)
    except ValueError:
        raise ProblemError("purpose-unknown") from None


async def current_actor(
    request: Request,
    _bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    # Checked here and not by the framework, whose 422 would come before the role is known.
    x_act_role: Annotated[
        str | None,
        Header(
            description="The role to act in; needed if the token carries several.",
            json_schema_extra={"enum": list(Role)},
        ),
    ] = None,
    x_purpose: Annotated[
        str | None,
        Header(
            description="What the data is needed for; some clear values need one.",
            json_schema_extra={"enum": list(Purpose)},
        ),
    ] = None,
) -> Actor:
    """The caller, in his one active role."""
    token = request.scope.get(_TOKEN_KEY)
    if not isinstance(token, VerifiedToken):
        raise ProblemError("unauthenticated")
    if any(len(request.headers.getlist(name)) > 1 for name in _STATED_ONCE):
        raise ProblemError("bad-request")
    actor = actor_of(token, x_act_role, x_purpose)
    request.scope[_ACTOR_KEY] = actor
    _limiter(request).require(request.scope, actor, RateClass.ORDINARY)
    return actor


def _limiter(request: Request) -> RateLimiter:
    limiter: RateLimiter = request.app.state.rate_limiter
    return limiter


def actor_of(token: VerifiedToken, act_role: str | None, purpose: str | None) -> Actor:
    """The caller in his one active role, by his token and what the request states.

    Raises:
        ProblemError: he holds several roles and names none, or one he does not hold; or the purpose
            is unknown.
    """
    role = _active_role(token.roles, act_role)
    return Actor(
        issuer=token.issuer,
        subject=token.subject,
        role=role,
        customer_id=token.customer_id if role is Role.CUSTOMER else None,
        purpose=_purpose(purpose),
    )


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of a caller, who may not have got as far as having one role."""

    issuer: str
    subject: str
    role: Role | None = None
    purpose: Purpose | None = None


def caller_of(scope: Scope) -> Caller | None:
    """The caller of a request; None without a verified token."""
    actor = scope.get(_ACTOR_KEY)
    if isinstance(actor, Actor):
        return Caller(actor.issuer, actor.subject, actor.role, actor.purpose)
    token = scope.get(_TOKEN_KEY)
    return Caller(token.issuer, token.subject) if isinstance(token, VerifiedToken) else None


CurrentActor = Annotated[Actor, Depends(current_actor)]


@dataclass(frozen=True, slots=True)
class Admission:
    """Whom a dependency lets through: callers of some roles, who may have to say what for."""

    roles: frozenset[Role]
    needs_purpose: bool = False

    def require(self, actor: Actor) -> None:
        """Let a caller through.

        Raises:
            Forbidden: another role, or no purpose.
        """
        if actor.role not in self.roles:
            raise Forbidden("forbidden")
        if self.needs_purpose and actor.purpose is None:
            raise Forbidden("purpose-required")


#: By dependency, for the interface description.
_ADMISSIONS: Final[dict[Callable[..., Any], Admission]] = {
    current_actor: Admission(frozenset(Role))
}


def requires(*roles: Role, purpose: bool = False) -> Any:  # noqa: ANN401 - what Depends() gives is for FastAPI only.
    """A dependency on the caller acting in one of the given roles; others are answered 403.

    Args:
        roles: the roles.
        purpose: whether the caller has to state what for; 403 `purpose-required` without it.
    """
    admission = Admission(frozenset(roles), needs_purpose=purpose)

    async def permitted_actor(actor: CurrentActor) -> Actor:
        admission.require(actor)
        return actor

    _ADMISSIONS[permitted_actor] = admission
    return Depends(permitted_actor)


def costs(rate_class: RateClass) -> Any:  # noqa: ANN401 - what Depends() gives is for FastAPI only.
    """A dependency that counts a request in a narrower quota too, beside the ordinary one."""

    async def within_quota(request: Request, actor: CurrentActor) -> None:
        charge(request, actor, rate_class)

    return Depends(within_quota)


def charge(request: Request, actor: Actor, rate_class: RateClass) -> None:
    """Count a request in a narrower quota, where only its content says that it is costly.

    Raises:
        ProblemError: the quota is used up.
    """
    _limiter(request).require(request.scope, actor, rate_class)


def admission_of(dependency: Callable[..., Any] | None) -> Admission | None:
    """Whom a dependency lets through; None if it asks nobody."""
    return None if dependency is None else _ADMISSIONS.get(dependency)


async def admit(request: Request, admissions: Iterable[Admission]) -> None:
    """Settle who calls, within which quota, and whether he may, before his body is read.

    The framework reads a body first and asks the dependencies then, to which this makes no
    difference: a request is counted once.

    Raises:
        Forbidden: as `Admission.require`.
        ProblemError: as `current_actor`.
    """
    given = request.headers
    actor = await current_actor(request, None, given.get("x-act-role"), given.get("x-purpose"))
    for admission in admissions:
        admission.require(actor)


def create_verifier(settings: Settings) -> TokenVerifier:
    """The verifier of a deployment: the keys of its key set, else of the development issuer.

    Raises:
        Invalid: production without a key set, a file that is no usable one, or settings that do
            not say where in a token things stand.
    """
    policy = policy_of(settings)
    keys: KeySource
    if settings.jwks_url is not None:
        keys = JwksKeys(settings.jwks_url, overlap_seconds=settings.jwks_overlap_seconds)
    elif settings.jwks_file is not None:
        keys = read_jwks_file(settings.jwks_file)
    else:
        keys = StaticKeys([development_issuer(settings).verification_key()])
    return TokenVerifier(keys, policy, utc_now)


def install_authentication(
    app: FastAPI,
    settings: Settings,
    register: TokenRegister | None = None,
    *,
    also_open: Collection[str] = (),
) -> None:
    """Let nothing but `OPEN_PATHS` answer without a verified token.

    Args:
        app: the application.
        settings: the deployment.
        register: notes every token before its request goes on; None where there is no database.
        also_open: further paths that need none.

    Raises:
        Invalid: as `create_verifier`.
    """
    verifier = create_verifier(settings)
    app.state.token_verifier = verifier
    hold_open(app, lambda: aclosing(verifier.keys))
    app.add_middleware(
        TokenGate,
        verifier=verifier,
        register=register,
        open_paths=OPEN_PATHS.union(also_open),
    )


def get_token_verifier(request: Request) -> TokenVerifier:
    """The verifier of the application."""
    verifier: TokenVerifier = request.app.state.token_verifier
    return verifier
