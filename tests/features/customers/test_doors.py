"""What every door of the whole application does with what nobody sends by accident."""

from __future__ import annotations

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.database import AsyncSession
from app.infra.routing import StrictRoute
from tests.api import Api, Caller

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/v1/customers/C1/", "/v1/tiers/", "/v1/facts/", "/livez/"])
async def test_a_path_with_a_slash_too_many_is_nothing_and_no_host_comes_back(
    api: Api, path: str
) -> None:
    answer = await api.get(path, Role.COMPLIANCE, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert "location" not in answer.headers
    assert "evil.example" not in f"{answer.headers}{answer.text}"


async def test_every_route_that_takes_a_body_reads_it_strictly(api: Api) -> None:
    taking = [
        context.original_route
        for context in iter_route_contexts(api.app.routes)
        if getattr(context, "body_field", None) is not None
    ]
    assert len(taking) >= 3
    assert all(isinstance(route, StrictRoute) for route in taking)


async def test_two_roles_or_purposes_are_no_choice(api: Api) -> None:
    bearer = ("Authorization", f"Bearer {api.token(Caller(Role.AGENT))}")
    for name, values in (("X-Act-Role", ("agent", "agent")), ("X-Purpose", ("audit", "audit"))):
        sent = [bearer, *((name, value) for value in values)]
        answer = await api.client.get("/v1/tiers", headers=sent)
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-request")


async def test_what_is_about_no_customer_leaves_no_audit_event_when_it_is_refused(
    api: Api, session: AsyncSession
) -> None:
    refused = [
        await api.get("/metrics", Role.AGENT),
        await api.get("/v1/facts", Role.AGENT),
        await api.get("/v1/tiers/gold/sla", Role.ANALYST),
        await api.call("POST", "/v1/evaluations/what-if", Role.AGENT, json={"facts": {}}),
    ]
    assert [answer.status_code for answer in refused] == [403] * 4
    assert await session.scalar(text("SELECT count(*) FROM audit_events")) == 0
    assert (await api.get("/v1/customers/C1", Role.ADMIN)).status_code == 403
    routes = list(await session.scalars(text("SELECT route FROM audit_events")))
    assert routes == ["GET /v1/customers/{customer_id}"]
