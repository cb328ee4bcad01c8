"""Who calls is settled before his body is read, and nothing is said twice."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import Query
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.database import AsyncSession, Database
from app.infra.routing import Router
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api
from tests.features.conftest import api
from tests.infra.edge import application, client

__all__ = ["api"]
pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C00000001"
BAD_BODIES: list[tuple[bytes, dict[str, str]]] = [
    (b"{", {"Content-Type": "application/json"}),
    (b"{}", {"Content-Type": "text/plain"}),
    (b"{}", {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
]
router = Router("tests")


@router.get("/v1/things")
async def list_things(
    kind: str = "", tags: Annotated[list[str] | None, Query()] = None
) -> list[str]:
    """Some things."""
    return [kind, *(tags or [])]


async def put(
    api: Api, role: Role, body: bytes, headers: dict[str, str]
) -> tuple[int, str, dict[str, str]]:
    """Status, slug and headers of a change."""
    answer = await api.call("PUT", PATH, role, headers=headers, content=body)
    slug = str(answer.json().get("type", "")).removeprefix("/problems/")
    return answer.status_code, slug, dict(answer.headers)


@pytest.mark.parametrize(("body", "headers"), BAD_BODIES)
async def test_the_role_goes_before_the_body_and_its_denial_is_written_down(
    api: Api, session: AsyncSession, body: bytes, headers: dict[str, str]
) -> None:
    assert (await put(api, Role.AGENT, body, headers))[:2] == (403, "forbidden")
    events = await session.execute(text("SELECT status, outcome, subjects FROM audit_events"))
    assert [tuple(event) for event in events] == [(403, "denied", ["C00000001"])]


@pytest.mark.parametrize(("body", "headers"), BAD_BODIES)
async def test_what_the_caller_states_goes_before_the_body(
    api: Api, body: bytes, headers: dict[str, str]
) -> None:
    asked = {**headers, "X-Act-Role": "admin"}
    assert (await put(api, Role.INTEGRATION, body, asked))[:2] == (403, "role-not-held")
    stated = {**headers, "X-Purpose": "sentinel"}
    assert (await put(api, Role.INTEGRATION, body, stated))[:2] == (400, "purpose-unknown")


async def test_a_needed_purpose_goes_before_the_body(api: Api) -> None:
    json = {"Content-Type": "application/json"}
    answer = await api.call("POST", "/v1/customers/search", Role.AGENT, headers=json, content=b"{")
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/purpose-required")


@pytest.mark.parametrize(("body", "headers"), BAD_BODIES)
async def test_a_body_that_is_not_read_counts_once(
    settings: Settings, database: Database, body: bytes, headers: dict[str, str]
) -> None:
    narrow = settings.model_copy(update={"rate_limit_per_minute": 3})
    async with open_api(create_app(narrow, database), narrow) as api:
        answers = [await put(api, Role.INTEGRATION, body, headers) for _ in range(4)]
    assert answers[0][0] in {415, 422}
    assert [status for status, _, _ in answers] == [*[answers[0][0]] * 3, 429]


@router.post("/v1/things")
async def read_things(things: list[dict[str, int | list[list[int]]]]) -> int:
    """How many things."""
    return len(things)


def _keys(count: int) -> str:
    return "{" + ",".join(f'"{number}":1' for number in range(count)) + "}"


def _items(count: int) -> str:
    return f"[{','.join(['1'] * count)}]"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (f"[{_keys(500)}]", 200),
        (f"[{_keys(501)}]", 422),
        ("[" + ",".join([_keys(500)] * 20) + "]", 200),
        ("[" + ",".join([_keys(500)] * 21) + "]", 422),
        (f'[{{"a":[{_items(10_000)}]}}]', 200),
        (f'[{{"a":[[],{_items(10_001)}]}}]', 422),
        (f'[{{"a":[[],{_items(10_001)}]}},{{"a":[[[1]]]}}]', 422),
        ("[" + ",".join(["{}"] * 10_000) + "]", 200),
        ("[" + ",".join(["{}"] * 10_001) + "]", 422),
        ("[" * 100_000, 422),
    ],
)
async def test_a_body_beyond_anything_that_is_asked_for_is_refused(body: str, status: int) -> None:
    async with client(application(router, gated=False, max_body_size=1_000_000)) as asking:
        json = {"Content-Type": "application/json"}
        answer = await asking.post("/v1/things", headers=json, content=body)
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["errors"] == [{"loc": ["body"], "type": "json_invalid"}]


@pytest.mark.parametrize(("count", "told"), [(50, 50), (51, 51), (400, 51)])
async def test_an_answer_names_so_many_refused_places(api: Api, count: int, told: int) -> None:
    json = {"Content-Type": "application/json"}
    body = _keys(count)[:-1] + ',"kind":"individual","name":"Wang"}'
    answer = await api.call("PUT", PATH, Role.INTEGRATION, headers=json, content=body.encode())
    errors = answer.json()["errors"]
    assert (answer.status_code, len(errors)) == (422, told)
    assert errors[:50] == [{"loc": ["body", "?"], "type": "extra_forbidden"}] * 50
    assert errors[50:] == [{"loc": [], "type": "further_errors"}] * (told - 50)


@pytest.mark.parametrize("coding", ["gzip", "identity, gzip", "br", "sentinel"])
async def test_a_compressed_body_is_answered_415(api: Api, coding: str) -> None:
    body, headers = b'{"kind": "individual", "name": "Wang"}', {"Content-Type": "application/json"}
    asked = {**headers, "Content-Encoding": coding}
    status, slug, told = await put(api, Role.INTEGRATION, body, asked)
    assert (status, slug) == (415, "unsupported-media-type")
    assert told["accept-encoding"] == "identity"
    plain = {**headers, "Content-Encoding": "Identity"}
    assert (await put(api, Role.INTEGRATION, body, plain))[0] == 201


async def test_a_compressed_upload_is_answered_415(api: Api) -> None:
    answer = await api.call(
        "POST",
        "/v1/imports",
        Role.INTEGRATION,
        headers={"Content-Encoding": "gzip"},
        files={"file": b"id\n1\n"},
        data={"mapping": ""},
    )
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-media-type")


async def test_a_name_that_stands_twice_in_the_query_is_refused(api: Api) -> None:
    path = "/v1/customers?tier=diamond&limit=1&tier=gold&sentinel=1&sentinel=1"
    answer = await api.get(path, Role.AGENT)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")
    assert answer.json()["errors"] == [{"loc": ["query", "tier"], "type": "repeated"}]
    # Who may not call is told that, and who says the same twice says it twice.
    assert (await api.get(path, Role.INTEGRATION)).status_code == 403
    same = await api.get("/v1/customers?tier=gold&tier=gold", Role.AGENT)
    assert same.json()["errors"] == [{"loc": ["query", "tier"], "type": "repeated"}]


async def test_a_list_in_the_query_may_be_as_long_as_it_is() -> None:
    async with client(application(router, gated=False)) as asking:
        assert (await asking.get("/v1/things?tags=a&kind=k&tags=b")).json() == ["k", "a", "b"]
        assert (await asking.get("/v1/things?tags=a&kind=k&kind=l")).status_code == 422
