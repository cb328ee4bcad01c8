"""Traces and metrics: there where asked for, on the short way too, and without identifiers."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.domain.errors import Invalid
from app.domain.privacy.roles import Role
from app.infra.database import AsyncSession, Database
from app.infra.settings import Settings
from app.infra.telemetry import (
    ENDPOINT,
    OFF,
    DiscreetTracers,
    Telemetry,
    telemetry_of_environment,
    trace_id_of,
)
from app.main import create_app
from tests.api import Api, Caller, open_api
from tests.factories.book import AS_OF, write_book
from tests.factories.templates import put_templates

pytestmark = pytest.mark.anyio

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
TIER = "/v1/customers/C00000007/tier"
OFFICER = Caller(Role.RISK_OFFICER, subject="sentinel-officer")
SPAN_KEYS = {
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "network.protocol.version",
    "url.scheme",
    "error.type",
}


@dataclass(slots=True)
class Collected:
    """What was collected in memory."""

    spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def telemetry(self) -> Telemetry:
        """Telemetry that is collected here."""
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        return Telemetry(tracers, MeterProvider([self.reader], shutdown_on_exit=False))

    def names(self) -> list[str]:
        """The names of the spans, in order."""
        return [span.name for span in self.spans.get_finished_spans()]

    def points(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every series of every metric, with its labels."""
        data = self.reader.get_metrics_data()
        assert data is not None
        for resource in data.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        yield metric.name, dict(point.attributes or {})


@pytest.fixture
def collected() -> Collected:
    """Nothing yet."""
    return Collected()


@pytest.fixture
async def api(
    settings: Settings, database: Database, session: AsyncSession, collected: Collected
) -> AsyncIterator[Api]:
    """The application with telemetry, over a small book with one customer evaluated."""
    await write_book(session, 40)
    await put_templates(session)
    await session.commit()
    app = create_app(settings, database, collected.telemetry())
    async with open_api(app, settings) as opened:
        path = TIER.replace("tier", "evaluations")
        body = {"as_of": AS_OF.isoformat()}
        assert (await opened.call("POST", path, OFFICER, json=body)).status_code == 201
        collected.spans.clear()
        yield opened


async def test_the_short_way_has_a_span_like_the_ordinary_one(
    api: Api, collected: Collected
) -> None:
    headers = {"traceparent": PARENT}
    assert (await api.get(TIER, OFFICER, headers=headers)).status_code == 200
    # A query takes a request off the short way.
    assert (await api.get(f"{TIER}?x=1", OFFICER, headers=headers)).status_code == 200
    short, ordinary = collected.spans.get_finished_spans()
    assert short.name == ordinary.name == "GET /v1/customers/{customer_id}/tier"
    assert short.attributes == ordinary.attributes
    for span in (short, ordinary):
        assert span.context is not None
        assert f"{span.context.trace_id:032x}" == TRACE


async def test_no_span_and_no_metric_holds_what_identifies_anybody(
    api: Api, collected: Collected
) -> None:
    headers = {"Host": "sentinel.example", "User-Agent": "sentinel", "baggage": "a=sentinel"}
    for path in (TIER, "/v1/customers/sentinel-1", "/sentinel", "/v1/tiers?sentinel=1"):
        await api.get(path, OFFICER, headers=headers)
        await api.call("SENTINEL", path, OFFICER, headers=headers)
    await api.get(TIER, headers=headers)
    for span in collected.spans.get_finished_spans():
        assert set(span.attributes or {}) <= SPAN_KEYS
        told = json.dumps([span.name, dict(span.attributes or {}), len(span.events)]).lower()
        assert "sentinel" not in told
        assert "c00000007" not in told
    points = list(collected.points())
    assert {name for name, _ in points} >= {"http.server.request.duration"}
    for _, labels in points:
        assert set(labels) <= SPAN_KEYS
        assert "sentinel" not in json.dumps(labels).lower()
    short = {"http.route": "/v1/customers/{customer_id}/tier", "http.response.status_code": 200}
    assert any(short.items() <= labels.items() for _, labels in points)


async def test_a_failure_tells_its_class_and_no_message(
    api: Api, collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: object, **_named: object) -> None:
        raise RuntimeError("sentinel-4711")

    monkeypatch.setattr("app.features.tiers.service.list_history", broken)
    answer = await api.get(f"{TIER}-history", OFFICER)
    assert answer.status_code == 500
    (span,) = collected.spans.get_finished_spans()
    assert (span.attributes or {})["error.type"] == "RuntimeError"
    assert "sentinel" not in span.to_json()
    assert span.events == ()


async def test_a_line_of_the_log_tells_the_trace(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "app.access"):
        await api.get(TIER, OFFICER, headers={"traceparent": PARENT})
        await api.get("/livez")
    first, second = (record.__dict__["trace_id"] for record in caplog.records[-2:])
    assert first == TRACE
    # Recorded, it is a trace of its own.
    assert len(second) == 32
    assert second != TRACE


async def test_without_telemetry_the_log_tells_the_trace_of_the_caller_only(
    settings: Settings, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_api(create_app(settings, database), settings) as api:
        assert not api.app._native_telemetry.enabled()  # noqa: SLF001 - what its cost hangs on.
        with caplog.at_level(logging.INFO, "app.access"):
            await api.get("/livez", headers={"traceparent": PARENT})
            await api.get("/livez", headers={"traceparent": "nonsense"})
            await api.get("/livez")
    told = [record.__dict__.get("trace_id") for record in caplog.records[-3:]]
    assert told == [TRACE, None, None]


@pytest.mark.parametrize(
    "given",
    [
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
        f"00-{TRACE}-00f067aa0ba902b7-01-more",
        f"01-{TRACE}-00f067aa0ba902b7-01more",
        f"00-{TRACE}-00f067aa0ba902b7",
        f"00-{TRACE}-00f067aa0ba902b7-01\n",
        f" {PARENT}",
        "",
    ],
)
def test_a_malformed_parent_is_ignored(given: str) -> None:
    assert trace_id_of([(b"traceparent", given.encode())]) is None


def test_two_parents_are_none_and_a_later_version_may_say_more() -> None:
    assert trace_id_of([(b"traceparent", PARENT.encode())] * 2) is None
    later = f"01-{TRACE}-00f067aa0ba902b7-01-what-comes-later"
    assert trace_id_of([(b"x", b"y"), (b"traceparent", later.encode())]) == TRACE


@given(st.binary(max_size=80))
def test_no_bytes_break_the_reading_of_a_parent(given: bytes) -> None:
    found = trace_id_of([(b"traceparent", given)])
    assert found is None or len(found) == 32


def test_nothing_is_on_unless_a_collector_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    assert telemetry_of_environment() is OFF
    config = OFF.config()
    assert (config["tracing"], config["metrics"], config["logs"]) == (False, False, False)
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert telemetry_of_environment() is OFF


async def test_a_named_collector_is_sent_to_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.delenv("OTEL_SDK_DISABLED", raising=False)
    sent: list[str] = []
    exporter = "opentelemetry.exporter.otlp.proto.http"
    monkeypatch.setattr(
        f"{exporter}.metric_exporter.OTLPMetricExporter.export", lambda *_, **__: sent.append("m")
    )
    monkeypatch.setattr(
        f"{exporter}.trace_exporter.OTLPSpanExporter.export", lambda *_: sent.append("t")
    )
    telemetry = telemetry_of_environment()
    assert telemetry.tracers is not None
    async with telemetry.opened():
        tracer = DiscreetTracers(telemetry.tracers).get_tracer("tests")
        with tracer.start_as_current_span("span", attributes={"url.path": "/x"}) as span:
            assert getattr(span, "attributes", None) == {}
    assert "t" in sent


def test_a_collector_without_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.delenv("OTEL_SDK_DISABLED", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(Invalid, match="telemetry"):
        telemetry_of_environment()
