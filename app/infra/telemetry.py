"""Traces and metrics by OpenTelemetry, where a collector is named, and without identifiers.

The framework makes the spans and counts the requests. It would put the path and the query into the
spans, which hold customers' ids, and the caller's `Host`; and it would log exceptions with their
messages. So the tracer leaves those attributes out before a sampler or an exporter sees them, and
nothing is logged here. What remains tells method, route template, status and the class of an error.

Off means off: then the framework is told so, since finding it out costs it more with every request.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, Tracer, TracerProvider
from starlette.types import Scope

from app import __version__
from app.domain.errors import Invalid

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""Names the collector; the other variables of OpenTelemetry are heeded too."""

WITHHELD: Final = frozenset(
    {
        "url.path",
        "url.query",
        "url.full",
        "server.address",
        "server.port",
        "client.address",
        "user_agent.original",
        "http.request.method_original",
        "exception.message",
        "exception.stacktrace",
    }
)
"""Attributes of a span that hold what a caller typed."""

#: In the order in which a tracer takes them.
_OF_A_SPAN = ("name", "context", "kind", "attributes", "links", "start_time")
_TELEMETRY_KEY = "fastapi.telemetry"
_TRACE_PARENT = b"traceparent"
#: Version, trace, parent, flags; a later version may go on after them (W3C Trace Context).
_FORM: Final = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"
)


def trace_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The trace a caller's request belongs to, by its `traceparent`; None without a good one.

    >>> trace_id_of([(b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")])
    '4bf92f3577b34da6a3ce929d0e0e4736'
    """
    given = [value for name, value in headers if name == _TRACE_PARENT]
    found = _FORM.fullmatch(given[0]) if len(given) == 1 else None
    if found is None or (found[1] == b"00" and found[3] is not None):
        return None
    return found[2].decode()


def present_trace_id(scope: Scope) -> str | None:
    """The trace that a request is recorded in, or that it says it belongs to."""
    if _TELEMETRY_KEY in scope:
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            return trace.format_trace_id(context.trace_id)
    return trace_id_of(scope["headers"])


def note_route(scope: Scope, template: str) -> None:
    """Tell the route of a request that the framework's router does not see."""
    telemetry = scope.get(_TELEMETRY_KEY)
    if telemetry is not None:
        telemetry.route = template
        span = trace.get_current_span()
        span.set_attribute("http.route", template)
        span.update_name(f"{scope['method']} {template}")


class DiscreetTracer(Tracer):
    """Starts spans that tell nothing a caller typed.

    Args:
        tracer: starts them.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(self, *given: Any, **options: Any) -> Span:  # noqa: ANN401 - handed on.
        """A span without the attributes that are withheld."""
        return self._tracer.start_span(**_discreet(given, options))

    def start_as_current_span(self, *given: Any, **options: Any) -> Any:  # noqa: ANN401 - handed on.
        """The same, as the present one."""
        return self._tracer.start_as_current_span(**_discreet(given, options))


def _discreet(given: Sequence[object], options: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a new span by name, without what is withheld."""
    told: dict[str, Any] = {**dict(zip(_OF_A_SPAN, given, strict=False)), **options}
    attributes = told.get("attributes") or {}
    told["attributes"] = {key: attributes[key] for key in attributes if key not in WITHHELD}
    return told


class DiscreetTracers(TracerProvider):
    """Gives tracers that tell nothing a caller typed.

    Args:
        provider: gives theirs.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def get_tracer(self, *names: Any, **options: Any) -> Tracer:  # noqa: ANN401 - handed on unchanged.
        """A tracer."""
        return DiscreetTracer(self._provider.get_tracer(*names, **options))


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Where traces and metrics go; nowhere where there is no provider.

    `close` sends what is left.
    """

    tracers: TracerProvider | None = None
    meters: MeterProvider | None = None
    close: Callable[[], None] = lambda: None

    def config(self) -> TelemetryConfig:
        """What the framework is told."""
        return TelemetryConfig(
            tracer_provider=None if self.tracers is None else DiscreetTracers(self.tracers),
            meter_provider=self.meters,
            tracing=self.tracers is not None,
            metrics=self.meters is not None,
            logs=False,
            operation_spans=False,
            auto_configure=False,
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Close it in the end."""
        try:
            yield
        finally:
            self.close()


OFF: Final = Telemetry()


def telemetry_of_environment() -> Telemetry:
    """What the variables of OpenTelemetry ask for; without a collector's address, nothing.

    Raises:
        Invalid: a collector is named and the extra `telemetry` is not installed.
    """
    is_disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if is_disabled or not os.environ.get(ENDPOINT):
        return OFF
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk import metrics
        from opentelemetry.sdk import trace as traces
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise Invalid(
            "settings-invalid",
            f"{ENDPOINT} is set; install the extra: pip install 'tiering[telemetry]'",
        ) from None
    name = os.environ.get("OTEL_SERVICE_NAME", "tiering")
    resource = Resource.create({"service.name": name, "service.version": __version__})
    tracers = traces.TracerProvider(resource=resource, shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    meters = metrics.MeterProvider([reader], resource=resource, shutdown_on_exit=False)

    def close() -> None:
        tracers.shutdown()
        meters.shutdown()

    return Telemetry(tracers, meters, close)
