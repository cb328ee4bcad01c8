"""`X-Request-Id` in and out, one line per request in the log, and no exception past the edge."""

from __future__ import annotations

import logging
import re
import time
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.infra.ids import new_id

log = logging.getLogger("app.access")

REQUEST_ID_HEADER: Final = "X-Request-Id"
_SCOPE_KEY = "tiering.request_id"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id_of(scope: Scope) -> str:
    """The id of the request; empty where the middleware does not run."""
    return str(scope.get(_SCOPE_KEY, ""))


def route_of(scope: Scope) -> str:
    """Method and route template, such as `GET /v1/customers/{customer_id}`; never the path itself.

    An unmatched path is told as `-`, since it is whatever the caller typed.
    """
    template = getattr(scope.get("route"), "path_format", None)
    matched = scope.get("fastapi", {}).get("effective_route_context")
    template = getattr(matched, "path_format", None) or template or "-"
    return f"{scope.get('method', '-')} {template}"


class RequestIdMiddleware:
    """The outermost layer.

    A caller's own id is taken over if it is 8 to 64 of `A-Z a-z 0-9 . _ -`, else one is made. An
    exception that was answered already is logged here and goes no further, since the server below
    would print it with all it says.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        request_id = given if _ACCEPTED.fullmatch(given) else str(new_id())
        scope[_SCOPE_KEY] = request_id
        started = time.perf_counter()
        status = 0
        complete = False

        async def send_with_id(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)
            if message["type"] == "http.response.body":
                complete = not message.get("more_body", False)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            log.exception("request failed", extra={"request_id": request_id})
            if not complete:
                raise
        finally:
            log.info(
                "request",
                extra={
                    "request_id": request_id,
                    "route": route_of(scope),
                    "status": status,
                    "milliseconds": round((time.perf_counter() - started) * 1000, 2),
                },
            )
