"""Prometheus metrics of the HTTP edge: counts and durations by route template, never by id."""

from __future__ import annotations

from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram
from prometheus_client import generate_latest as render
from starlette.types import Scope

from app.infra.request_id import route_of

#: What no route matched is one label, or a scanner could fill the memory with paths it made up.
UNMATCHED: Final = "unmatched"

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER_METHOD: Final = "OTHER"
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

#: Label names by metric; the start-up check of `app.infra.classification` reads them.
LABELS: Final = ("method", "route", "status")


class Metrics:
    """The metrics of one application object."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Finding a series by its labels costs more than counting.
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
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
        """Count one answered request; methods that nobody declared are one label."""
        method = method if method in _METHODS else _OTHER_METHOD
        labels = (method, route, status)
        if (series := self._series.get(labels)) is None:
            counted = self._requests.labels(method, route, str(status))
            series = self._series[labels] = (counted, self._seconds.labels(method, route))
        series[0].inc()
        series[1].observe(seconds)

    def exposition(self) -> bytes:
        """The text format that Prometheus scrapes."""
        return render(self.registry)


def route_template(scope: Scope) -> str:
    """The matched route's path with its parameters named, as `/v1/customers/{customer_id}/tier`."""
    template = route_of(scope).partition(" ")[2]
    return UNMATCHED if template == "-" else template
