"""Nothing but the probes and the interface description answers without a token."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import iter_route_contexts

from app.domain.privacy.roles import Role
from tests.api import Api

pytestmark = pytest.mark.anyio

PARTS = ("page.js", "page.css", "swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")
DOCS = {"/docs", *(f"/docs/{part}" for part in PARTS)}
OPEN = {"/livez", "/readyz", "/openapi.json"} | DOCS
ID = "01a203c5-d8e4-7e70-99e9-34c1969cd2d3"


async def test_every_route_of_the_application_is_closed_or_listed_as_open(api: Api) -> None:
    seen: set[str] = set()
    for route in iter_route_contexts(api.app.routes):
        path = str(route.path)
        # Whatever it is: who has no token is not told whether it could be an id.
        filled = re.sub(r"\{\w+\}", ID, path)
        for method in route.methods or set():
            answer = await api.call(method, filled)
            seen.add(path)
            if path in OPEN:
                assert answer.status_code == 200, (method, path)
            else:
                assert answer.status_code == 401, (method, path)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert seen > OPEN
    assert "/v1/customers/{customer_id}/tier" in seen


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/admin", "/docs/", "/LIVEZ"])
async def test_what_no_route_matches_is_closed_too(api: Api, path: str) -> None:
    assert (await api.get(path)).status_code == 401


async def test_a_method_that_is_not_there_needs_a_token_before_it_says_so(api: Api) -> None:
    assert (await api.call("DELETE", "/v1/tiers")).status_code == 401
    answer = await api.call("DELETE", "/v1/tiers", Role.AGENT)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
