"""Metrics count by route template and never by what was in the path."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.domain.privacy.roles import Role
from app.infra.database import Database
from app.infra.edge import Edge
from app.infra.metrics import LABELS, Metrics, route_template
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, Caller, open_api

pytestmark = pytest.mark.anyio


@pytest.fixture
async def api(settings: Settings, database: Database) -> AsyncIterator[Api]:
    """The application over the test's database."""
    async with open_api(create_app(settings, database), settings) as opened:
        yield opened


def count(metrics: Metrics, method: str, route: str, status: int) -> float:
    """How many requests were counted under these labels."""
    labels = dict(zip(LABELS, (method, route, str(status)), strict=True))
    return metrics.registry.get_sample_value("tiering_http_requests_total", labels) or 0.0


async def test_requests_are_counted_by_template_status_and_method(api: Api) -> None:
    metrics: Metrics = api.app.state.metrics
    for customer_id in ("SECRET-1", "SECRET-2"):
        await api.get(f"/v1/customers/{customer_id}/tier", Role.AGENT)
    await api.call("HEAD", "/livez")
    assert count(metrics, "GET", "/v1/customers/{customer_id}/tier", 404) == 2
    assert count(metrics, "HEAD", "/livez", 200) == 1
    told = (await api.get("/metrics", Role.ADMIN)).text
    assert "SECRET" not in told
    assert 'route="/v1/customers/{customer_id}/tier"' in told


async def test_what_no_route_matched_is_one_label(api: Api) -> None:
    metrics: Metrics = api.app.state.metrics
    await api.get("/v1/made-up", Role.AGENT)
    await api.get("/another", Role.AGENT)
    await api.get("/v1/customers/C1/tier")
    await api.get("/v1/customers/C1/tier", Caller(Role.ADMIN))
    assert count(metrics, "GET", "unmatched", 404) == 2
    assert count(metrics, "GET", "unmatched", 401) == 1
    assert count(metrics, "GET", "/v1/customers/{customer_id}/tier", 403) == 1


async def test_made_up_methods_are_one_label(api: Api) -> None:
    metrics: Metrics = api.app.state.metrics
    await api.call("BREW", "/v1/tiers", Role.AGENT)
    assert count(metrics, "OTHER", "/v1/tiers", 405) == 1


def test_a_scope_without_a_route_is_unmatched() -> None:
    assert route_template({"type": "http", "method": "GET"}) == "unmatched"


async def test_a_request_that_dies_counts_as_a_server_error_and_others_pass_through() -> None:
    async def dying(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ValueError

    async def silent() -> Message:
        return {"type": "http.disconnect"}

    async def nowhere(_message: Message) -> None:
        return None

    metrics = Metrics()
    edge = Edge(dying, metrics)
    with pytest.raises(ValueError):  # noqa: PT011 - it is the one raised above.
        await edge({"type": "http", "method": "GET", "headers": []}, silent, nowhere)
    assert count(metrics, "GET", "unmatched", 500) == 1
    with pytest.raises(ValueError):  # noqa: PT011 - it is the one raised above.
        await edge({"type": "lifespan"}, silent, nowhere)
    assert count(metrics, "GET", "unmatched", 500) == 1
