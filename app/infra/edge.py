"""The outermost layer: names each request, counts it, logs it, and lets no exception past."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.infra.ids import new_id
from app.infra.metrics import Metrics, route_template
from app.infra.rate_limit import RateLimiter
from app.infra.request_id import REQUEST_ID_HEADER, REQUEST_ID_KEY, route_of
from app.infra.telemetry import present_trace_id

log = logging.getLogger("app.access")

_RAW_HEADER: Final = REQUEST_ID_HEADER.lower().encode()
_ACCEPTED: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_NO_SNIFFING: Final = (b"x-content-type-options", b"nosniff")
_CACHE_CONTROL: Final = b"cache-control"
_DIED = 500


class Edge:
    """Times each request, tells of it, and names it.

    A caller's own id is taken over if it is 8 to 64 of `A-Z a-z 0-9 . _ -`, else one is made. An
    exception that was answered already is logged here and goes no further, since the server below
    would print it with all it says.

    Args:
        app: what lies behind the edge.
        metrics: where requests are counted.
        limiter: tells callers how they stand with their quotas.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, limiter: RateLimiter | None = None) -> None:
        self.app = app
        self._metrics = metrics
        self._limiter = limiter or RateLimiter({})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        request_id = scope[REQUEST_ID_KEY] = _request_id(scope["headers"])
        status = 0
        complete = False

        async def send_named(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *_guarded(message["headers"]),
                    (_RAW_HEADER, request_id.encode()),
                    *self._limiter.headers(scope),
                ]
            else:
                complete = not message.get("more_body", False)
            await send(message)

        try:
            await self.app(scope, receive, send_named)
        except Exception:
            log.exception("request failed", extra={"request_id": request_id})
            if not complete:
                raise
        finally:
            self._tell(scope, status, perf_counter() - started)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        self._metrics.observe(
            method=scope["method"],
            route=route_template(scope),
            status=status or _DIED,
            seconds=seconds,
        )
        told = {
            "request_id": scope[REQUEST_ID_KEY],
            "route": route_of(scope),
            "status": status,
            "milliseconds": round(seconds * 1000, 2),
        }
        if (trace_id := present_trace_id(scope)) is not None:
            told["trace_id"] = trace_id
        log.info("request", extra=told)


def _guarded(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, which nobody keeps unless it says so, and nobody guesses at."""
    told = [*headers, _NO_SNIFFING]
    if not any(name == _CACHE_CONTROL for name, _ in told):
        told.append((_CACHE_CONTROL, b"no-store"))
    return told


def _request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    for name, value in headers:
        if name == _RAW_HEADER and _ACCEPTED.fullmatch(value):
            return value.decode("ascii")
    return str(new_id())
