"""Tokens for the documentation page of a demonstration, one at each click.

Whoever reaches this route is given a token of any role, so it is there only where `tiering demo`
serves its made-up book on the loopback, and then answers only the page itself in a browser of this
machine: not another site open in that browser, by its own name or by one that it made point here,
nor who comes through a proxy that says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Query, Request, Response
from pydantic import BaseModel, Field

from app.domain.errors import Invalid
from app.domain.privacy.roles import Role
from app.infra.auth.issuer import TokenRequest, development_issuer
from app.infra.clock import utc_now
from app.infra.loopback import is_loopback
from app.infra.masking import Open
from app.infra.problems import problem_response
from app.infra.routing import StrictRoute
from app.infra.settings import Settings

TOKEN_PATH: Final = "/docs/token"  # noqa: S105 - a path.
LIFETIME: Final = timedelta(hours=1)

#: What proxies tell of whom they speak for.
_SPEAKS_FOR_ANOTHER: Final = (
    *("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"),
)


@dataclass(frozen=True, slots=True)
class DemoSeats:
    """Who can be signed in as.

    Args:
        customer_id: the customer that role customer is; without one that role is not offered.
        account_manager: subject of a manager who has customers.
    """

    customer_id: str | None = None
    account_manager: str | None = None

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that are offered."""
        return frozenset(Role) - (frozenset() if self.customer_id else {Role.CUSTOMER})

    def request_of(self, role: Role) -> TokenRequest:
        """What the token of a role says: nothing but that role, and whose it is."""
        own_id = self.customer_id if role is Role.CUSTOMER else None
        subject = self.account_manager if role is Role.ACCOUNT_MANAGER else own_id
        return TokenRequest(subject or f"{role}-1", (role,), own_id, LIFETIME)


class TokenRead(BaseModel):
    """A token, and a customer to try it on."""

    token: Open[str] = Field(description="The access token.")
    seconds: Open[int] = Field(description="How long it is valid.")
    customer_id: Open[str | None] = Field(description="A customer of the demonstration.")


def may_offer_tokens(settings: Settings, host: str) -> bool:
    """Whether a process that listens there may give tokens to its documentation page.

    Args:
        settings: the deployment, whose own issuer has to be the one that is believed.
        host: the address it listens on, which nobody but this machine may reach.
    """
    return _issues_tokens(settings) and is_loopback(host)


def install_desk(app: FastAPI, settings: Settings, seats: DemoSeats) -> None:
    """Give tokens at `TOKEN_PATH`.

    Raises:
        Invalid: tokens of the development issuer are not believed here.
    """
    if not _issues_tokens(settings):
        raise Invalid("settings-invalid", "only a demonstration gives tokens to the page")
    issuer = development_issuer(settings)
    router = APIRouter(route_class=StrictRoute)

    @router.post(TOKEN_PATH, response_model=TokenRead, include_in_schema=False)
    async def give_token(request: Request, role: Annotated[Role, Query()]) -> Response | TokenRead:
        if not is_asked_by_the_page(request) or role not in seats.roles:
            return problem_response(request.scope, "forbidden")
        token = issuer.sign(seats.request_of(role), utc_now())
        seconds = int(LIFETIME.total_seconds())
        return TokenRead(token=token, seconds=seconds, customer_id=seats.customer_id)

    app.include_router(router)


def is_asked_by_the_page(request: Request) -> bool:
    """Whether a request comes from the page, in a browser on this machine, and from no other.

    The name under which the browser reached us has to be the loopback's own, or a site could make
    its own name point here; and the page that asks has to have come from that very place.
    """
    headers = request.headers
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    return (
        request.client is not None
        and is_loopback(request.client.host)
        and len(hosts) == len(origins) == 1
        and is_loopback(_name_of(hosts[0]))
        and origins[0] == f"http://{hosts[0]}"
        and headers.get("sec-fetch-site", "same-origin") == "same-origin"
        and not any(name in headers for name in _SPEAKS_FOR_ANOTHER)
    )


def _issues_tokens(settings: Settings) -> bool:
    has_key_set = settings.jwks_file is not None or settings.jwks_url is not None
    return not (settings.is_production or has_key_set)


def _name_of(host: str) -> str:
    """The name in a `Host` header; nothing if there is none to be found."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.netloc == host and "@" not in host else ""
