"""Conditions: required ones, and reads that are about no customer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.domain.privacy.roles import Role
from app.features.sla.service import install_sla
from app.infra.conditions import IfMatchRequired, is_known
from app.infra.database import AsyncSession, Database
from app.infra.routing import Router
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api

pytestmark = pytest.mark.anyio

OPEN_READS = [
    ("/v1/tiers", Role.AGENT),
    ("/v1/tiers/gold/sla", Role.AGENT),
    ("/v1/facts", Role.ANALYST),
]
router = Router("tests")


@router.put("/v1/things/{version}")
async def put_thing(version: str, condition: IfMatchRequired) -> dict[str, str]:
    """A thing at a version."""
    condition.check(version)
    return {"tag": condition.tag(version)}


@pytest.fixture
async def api(settings: Settings, database: Database, session: AsyncSession) -> AsyncIterator[Api]:
    """The application with a route that wants a condition."""
    await install_sla(session)
    await session.commit()
    app = create_app(settings, database)
    app.include_router(router)
    async with open_api(app, settings) as opened:
        yield opened


async def test_where_a_condition_is_required_nothing_is_changed_without(api: Api) -> None:
    refused = await api.call("PUT", "/v1/things/1", Role.AGENT)
    assert refused.status_code == 428
    assert refused.json()["type"] == "/problems/precondition-required"
    other = await api.call("PUT", "/v1/things/1", Role.AGENT, headers={"If-Match": '"1"'})
    assert other.status_code == 412
    found = await api.call("PUT", "/v1/things/1", Role.AGENT, headers={"If-Match": "*"})
    stated = {"If-Match": found.json()["tag"]}
    assert (await api.call("PUT", "/v1/things/1", Role.AGENT, headers=stated)).status_code == 200
    assert (await api.call("PUT", "/v1/things/2", Role.AGENT, headers=stated)).status_code == 412


@pytest.mark.parametrize(("path", "role"), OPEN_READS)
async def test_an_open_read_that_is_known_is_not_sent_again(
    api: Api, path: str, role: Role
) -> None:
    first = await api.get(path, role)
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = await api.get(path, role, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers.get("Vary") == first.headers.get("Vary")
    other = await api.get(path, role, headers={"If-None-Match": '"x"'})
    assert (other.status_code, other.content) == (200, first.content)
    assert (await api.get(path, headers={"If-None-Match": tag})).status_code == 401


async def test_another_language_is_another_answer(api: Api) -> None:
    english, chinese = [
        await api.get("/v1/facts", Role.ANALYST, headers={"Accept-Language": language})
        for language in ("en", "zh")
    ]
    assert english.headers["ETag"] != chinese.headers["ETag"]
    assert (english.headers["Vary"], chinese.headers["Content-Language"]) == (
        "Accept-Language",
        "zh",
    )


@pytest.mark.parametrize(
    ("given", "known"), [([], False), (['"a"', '"b"'], True), (['"a,b"'], False), ([""], False)]
)
def test_values_of_several_headers_are_one_list(given: list[str], *, known: bool) -> None:
    headers = [(b"if-none-match", value.encode()) for value in given]
    assert is_known({"method": "GET", "headers": headers}, '"b"') is known


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/livez"),
        ("HEAD", "/readyz"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("GET", "/v1/tiers"),
        ("GET", "/v1/customers/C9"),
        ("GET", "/nowhere"),
        ("DELETE", "/v1/tiers"),
        ("POST", "/v1/evaluations/what-if"),
        ("GET", "/metrics"),
    ],
)
@pytest.mark.parametrize("role", [None, Role.AGENT, Role.ANALYST, Role.ADMIN])
async def test_every_answer_says_who_may_keep_it_and_that_its_type_is_meant(
    api: Api, method: str, path: str, role: Role | None
) -> None:
    answer = await api.call(method, path, role, json={"facts": {}} if method == "POST" else None)
    assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"]
    (kept,) = answer.headers.get_list("Cache-Control")
    is_open = path == "/v1/tiers" and answer.status_code == 200
    assert kept == ("private, no-cache" if is_open else "no-store")
    if answer.headers["Content-Type"] == "application/problem+json":
        assert answer.headers["Content-Language"] == "en"
        assert answer.headers["Vary"] == "Accept-Language"
