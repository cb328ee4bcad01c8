"""A body is read as JSON in UTF-8 if it says so, and never otherwise."""

from __future__ import annotations

import pytest

from app.domain.privacy.roles import Role
from tests.api import Api, Caller
from tests.features.conftest import api

__all__ = ["api"]
pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C1"
BODY = b'{"kind": "individual", "name": "Wang"}'


async def put(api: Api, content: bytes, *types: str) -> tuple[int, str]:
    """Status and slug of a body sent under these content types."""
    headers = [("Authorization", f"Bearer {api.token(Caller(Role.INTEGRATION))}")]
    headers += [("Content-Type", kind) for kind in types]
    answer = await api.client.put(PATH, headers=headers, content=content)
    body = answer.json()
    return answer.status_code, str(body.get("type", "")).removeprefix("/problems/")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/merge-patch+json",
    ],
)
async def test_json_in_utf_8_is_read(api: Api, kind: str) -> None:
    assert await put(api, BODY, kind) == (201, "")


@pytest.mark.parametrize(
    "types",
    [
        [],
        [""],
        ["text/plain"],
        ["application/x-www-form-urlencoded"],
        ["multipart/form-data; boundary=x"],
        ["application/xml"],
        ["application/json; charset=gbk"],
        ["application/json; charset=utf-16"],
        ["text/json+json"],
        ["application/json", "application/json"],
        ["nonsense"],
    ],
)
async def test_anything_else_is_answered_415(api: Api, types: list[str]) -> None:
    assert await put(api, BODY, *types) == (415, "unsupported-media-type")


@pytest.mark.parametrize("coding", ["utf-16", "utf-32", "utf-8-sig", "gbk"])
async def test_what_says_utf_8_and_is_not_is_refused(api: Api, coding: str) -> None:
    content = '{"kind": "individual", "name": "\u738b\u4f1f"}'.encode(coding)
    assert await put(api, content, "application/json") == (422, "validation")


async def test_a_key_that_stands_twice_is_refused(api: Api) -> None:
    content = b'{"kind": "individual", "name": "Wang", "name": "Li"}'
    assert await put(api, content, "application/json") == (422, "validation")


async def test_options_and_head_say_which_methods_there_are(api: Api) -> None:
    for method in ("OPTIONS", "HEAD", "TRACE", "PATCH"):
        answer = await api.call(method, PATH, Role.INTEGRATION)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, PUT")
