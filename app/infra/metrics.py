"""Prometheus metrics of the HTTP edge: counts and durations by route template, never by id."""

from __future__ import annotations

from time import perf_counter
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram
from prometheus_client import generate_latest as render
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.infra.request_id import route_of

#: What no route matched is one label, or a scanner could fill the memory with paths it made up.
UNMATCHED: Final = "unmatched"

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER_METHOD: Final = "OTHER"
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

#: Label names by metric; the start-up check of `app.infra.masking` reads them.
LABELS: Final = ("method", "route", "status")


class Metrics:
    """The metrics of one application object."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "tiering_http_requests",
            "Requests by method, route template and status.",
            LABELS,
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tiering_http_request_seconds",
            "Seconds from the first byte of the request to the last of the answer.",
            LABELS[:2],
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def observe(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def exposition(self) -> bytes:
        """The text format that Prometheus scrapes."""
        return render(self.registry)


class MetricsMiddleware:
    """Pure ASGI: times each request and reads the status off the first message sent."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            self.metrics.observe(
                method=scope["method"] if scope["method"] in _METHODS else _OTHER_METHOD,
                route=route_template(scope),
                status=status,
                seconds=perf_counter() - started,
            )


def route_template(scope: Scope) -> str:
    """The matched route's path with its parameters named, as `/v1/customers/{customer_id}/tier`."""
    template = route_of(scope).partition(" ")[2]
    return UNMATCHED if template == "-" else template
