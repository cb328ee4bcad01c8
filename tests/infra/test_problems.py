"""Whatever goes wrong, at whatever door, is told by a problem document that echoes nothing."""

from __future__ import annotations

import io
import json
import logging
from typing import Annotated, Any, Literal

import asyncpg
import pytest
from dirty_equals import IsStr
from fastapi import APIRouter, Query, Request
from httpx import Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.types import Message

from app.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.infra.description import problem_responses
from app.infra.locale import Locale, RequestLocale, preferred_locale
from app.infra.logging import ExceptionScrubber, JsonFormatter
from app.infra.problems import AWAITS_COMMIT, CATALOGUE, FieldError, ProblemError
from tests.described import in_full
from tests.infra.edge import application, bearer, client

pytestmark = pytest.mark.anyio

SENTINEL = "sentinel-4711"
router = APIRouter(prefix="/v1")
nested = APIRouter(prefix="/things")


class Thing(BaseModel):
    """A body."""

    model_config = ConfigDict(extra="forbid")

    size: int
    kind: Literal["a", "b"] = "a"
    tags: dict[str, int] = {}


def _driver_error(sqlstate: str | None) -> Exception:
    error = Exception(SENTINEL)
    if sqlstate is not None:
        error.sqlstate = sqlstate  # type: ignore[attr-defined]
    return error


ERRORS: dict[str, tuple[Exception, int, str]] = {
    "not-found": (NotFound("not-found"), 404, "not-found"),
    "conflict": (Conflict("conflict", SENTINEL), 409, "conflict"),
    "invalid": (Invalid("invalid"), 422, "invalid"),
    "forbidden": (Forbidden("forbidden"), 403, "forbidden"),
    "new-slug": (Conflict("decision-stale", SENTINEL), 409, "decision-stale"),
    "no-kind": (DomainError("odd"), 500, "odd"),
    "problem": (
        ProblemError("too-many-requests", headers={"Retry-After": "9"}),
        429,
        "too-many-requests",
    ),
    "fields": (ProblemError("validation", errors=[FieldError(("q",), "odd")]), 422, "validation"),
    "teapot": (HTTPException(418, SENTINEL), 418, "bad-request"),
    "gateway": (HTTPException(502, SENTINEL), 502, "internal"),
    "bad": (HTTPException(400, SENTINEL), 400, "bad-request"),
    "unexpected": (ValueError(SENTINEL), 500, "internal"),
    "sql": (DBAPIError(SENTINEL, {"p": SENTINEL}, _driver_error("42601")), 500, "internal"),
    "unique": (IntegrityError(SENTINEL, {}, _driver_error("23505")), 409, "conflict"),
    "shutdown": (DBAPIError(SENTINEL, {}, _driver_error("57P01")), 503, "unavailable"),
    "deadlock": (DBAPIError(SENTINEL, {}, _driver_error("40P01")), 503, "unavailable"),
    "disk-full": (DBAPIError(SENTINEL, {}, _driver_error("53100")), 503, "unavailable"),
    "gone": (InterfaceError(SENTINEL, {}, _driver_error(None)), 503, "unavailable"),
    "invalidated": (
        DBAPIError(SENTINEL, {}, _driver_error("42601"), connection_invalidated=True),
        503,
        "unavailable",
    ),
    "pool": (PoolTimeoutError(SENTINEL), 503, "unavailable"),
    "refused": (ConnectionRefusedError(SENTINEL), 503, "unavailable"),
    "no-socket": (FileNotFoundError(SENTINEL), 503, "unavailable"),
    "slow": (TimeoutError(SENTINEL), 503, "unavailable"),
    "raw": (asyncpg.CannotConnectNowError(SENTINEL), 503, "unavailable"),
    "raw-sql": (asyncpg.PostgresSyntaxError(SENTINEL), 500, "internal"),
    "raw-interface": (asyncpg.InterfaceError(SENTINEL), 503, "unavailable"),
}


@nested.get("/{name}")
async def get_thing(name: str, request: Request) -> None:
    """Fails as it is told."""
    if name == "commit":
        request.scope[AWAITS_COMMIT] = True
        raise ERRORS["sql"][0]
    raise ERRORS[name][0]


@nested.put("/{name}")
async def put_thing(
    name: str, body: Thing, limit: Annotated[int | None, Query(le=200)] = None
) -> int:
    """Takes a body."""
    return len(name) + body.size + (limit or 0)


@nested.delete("/{name}/parts")
async def delete_parts(name: str) -> str:
    """Another path."""
    return name


@router.get("/language")
async def get_language(locale: RequestLocale) -> Locale:
    """The language of the request."""
    return locale


router.include_router(nested)
app = application(router)


@pytest.mark.parametrize("name", ERRORS)
async def test_an_error_is_answered_by_its_problem(name: str) -> None:
    _, status, slug = ERRORS[name]
    async with client(app) as http:
        answer = await http.get(f"/v1/things/{name}", headers=bearer())
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert answer.json()["type"] == f"/problems/{slug}"
    assert answer.json()["status"] == status
    assert SENTINEL not in answer.text
    assert ("retry-after" in answer.headers) == (status in {429, 503})


async def test_a_problem_document_has_exactly_these_members() -> None:
    async with client(app) as http:
        answer = await http.get("/v1/things/fields", headers=bearer())
    assert answer.json() == {
        "type": "/problems/validation",
        "title": "Validation failed",
        "status": 422,
        "detail": "errors[] names each place and what is wrong there.",
        "request_id": IsStr(min_length=36),
        "errors": [{"loc": ["q"], "type": "odd"}],
    }


async def test_a_commit_that_fails_for_any_reason_after_the_audit_event_is_503() -> None:
    async with client(app) as http:
        answer = await http.get("/v1/things/commit", headers=bearer())
    assert answer.status_code == 503


async def test_an_unexpected_error_is_logged_and_goes_no_further(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "app.access"):
        async with client(app) as http:
            answer = await http.get("/v1/things/unexpected", headers=bearer())
    failed = next(record for record in caplog.records if record.levelname == "ERROR")
    assert failed.__dict__["request_id"] == answer.json()["request_id"]


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("sql", logging.ERROR),
        ("raw-sql", logging.ERROR),
        ("no-kind", logging.ERROR),
        ("gateway", logging.ERROR),
        ("deadlock", logging.WARNING),
        ("refused", logging.WARNING),
    ],
)
async def test_what_fails_on_our_side_is_logged_with_its_state_and_frames_and_no_value(
    name: str, level: int
) -> None:
    answer, told = await _logged(name)
    assert told["level"] == logging.getLevelName(level).lower()
    assert told["request_id"] == answer.json()["request_id"]
    assert told["exception"]["types"][0].endswith(type(ERRORS[name][0]).__name__)
    assert told["exception"]["frames"][-1].endswith(" get_thing")
    # The others have a driver's error beside them instead of behind them, or none.
    states = {"raw-sql": ["42601"]}
    assert told["exception"]["sqlstates"] == states.get(name, [])


async def _logged(name: str) -> tuple[Response, dict[str, Any]]:
    """The answer to an error, and the one line that is written down of it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(ExceptionScrubber())
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("app.infra.problems")
    logger.addHandler(handler)
    try:
        async with client(app) as http:
            answer = await http.get(f"/v1/things/{name}", headers=bearer())
    finally:
        logger.removeHandler(handler)
    (line,) = written.getvalue().splitlines()
    assert SENTINEL not in line
    told: dict[str, Any] = json.loads(line)
    return answer, told


async def test_a_change_that_the_database_refuses_is_logged_with_the_constraint_and_no_value(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = "INSERT INTO customers (customer_id, kind) VALUES ('sentinel-4711', :kind)"
    with pytest.raises(IntegrityError) as refused:
        await session.execute(text(statement), {"kind": SENTINEL})
    monkeypatch.setitem(ERRORS, "refused-change", (refused.value, 409, "conflict"))
    answer, told = await _logged("refused-change")
    assert answer.status_code == told["status"] == 409
    assert told["request_id"] == answer.json()["request_id"]
    assert (told["level"], told["constraint"]) == ("warning", "ck_customers_kind")
    assert told["exception"]["sqlstates"][-1] == "23514"


async def test_a_refusal_that_names_no_constraint_is_logged_without_one() -> None:
    _, told = await _logged("unique")
    assert told["constraint"] is None


@pytest.mark.parametrize("name", ["not-found", "fields"])
async def test_what_the_caller_did_wrong_is_no_failure(
    caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with caplog.at_level(logging.INFO, "app"):
        async with client(app) as http:
            await http.get(f"/v1/things/{name}", headers=bearer())
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_an_unknown_path_is_not_found() -> None:
    async with client(app) as http:
        answer = await http.get(f"/{SENTINEL}", headers=bearer())
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert SENTINEL not in answer.text


@pytest.mark.parametrize(
    ("path", "allow"),
    [("/v1/things/x", "GET, PUT"), ("/v1/things/x/parts", "DELETE"), ("/docs", "GET, HEAD")],
)
async def test_405_lists_every_method_of_the_path(path: str, allow: str) -> None:
    async with client(app) as http:
        answer = await http.post(path, headers=bearer())
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    assert answer.json()["type"] == "/problems/method-not-allowed"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (b"{", [{"loc": ["body", 1], "type": "json_invalid"}]),
        (b'{"size": "\xff"}', [{"loc": ["body"], "type": "json_invalid"}]),
        (b"[" * 9000, [{"loc": ["body"], "type": "json_invalid"}]),
        (b'{"size": ' + b"9" * 5000 + b"}", [{"loc": ["body"], "type": "json_invalid"}]),
        (b'{"size": "sentinel-4711"}', [{"loc": ["body", "size"], "type": "int_parsing"}]),
        (b'{"size": 1, "sentinel-4711": 1}', [{"loc": ["body", "?"], "type": "extra_forbidden"}]),
        (
            b'{"size": 1, "tags": {"sentinel-4711": "x"}}',
            [{"loc": ["body", "tags", "?"], "type": "int_parsing"}],
        ),
        (b'{"kind": "sentinel-4711", "size": 1}', [{"loc": ["body", "kind"], "type": IsStr()}]),
        (b"", [{"loc": ["body"], "type": "missing"}]),
    ],
)
async def test_a_refused_body_is_not_echoed(body: bytes, errors: list[object]) -> None:
    small = application(router, max_body_size=10_000)
    headers = bearer() | {"Content-Type": "application/json"}
    async with client(small) as http:
        answer = await http.put("/v1/things/x", headers=headers, content=body)
    assert (answer.status_code, answer.json()["errors"]) == (422, errors)
    assert SENTINEL not in answer.text


async def test_a_refused_query_is_not_echoed() -> None:
    async with client(app) as http:
        # The second answer takes the names that the first one remembered.
        answers = [
            await http.put(
                "/v1/things/x?limit=4711", headers=bearer(), content=json.dumps({"size": 1})
            )
            for _ in range(2)
        ]
    for answer in answers:
        assert answer.json()["errors"] == [
            {"loc": ["query", "limit"], "type": "less_than_equal"},
            {"loc": ["body"], "type": IsStr()},
        ]
        assert "4711" not in answer.text


async def test_a_body_too_large_is_told_at_every_door() -> None:
    async def chunks() -> object:
        for _ in range(3):
            yield b" " * 500

    headers = bearer() | {"Content-Type": "application/json"}
    async with client(app) as http:
        declared = await http.put("/v1/things/x", headers=headers, content=b" " * 1001)
        unread = await http.get("/v1/language", headers=headers | {"Content-Length": "1001"})
        chunked = await http.put("/v1/things/x", headers=headers, content=chunks())  # type: ignore[arg-type]
    for answer in (declared, unread, chunked):
        assert (answer.status_code, answer.json()["type"]) == (413, "/problems/body-too-large")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", Locale.ZH),
        ("en-GB,zh;q=0.9", Locale.EN),
        ("fr", Locale.EN),
        ("", Locale.EN),
        (None, Locale.EN),
        ("zh;q=0", Locale.EN),
        ("zh;q=nan", Locale.EN),
        ("zh;q=x,en;q=0.1", Locale.EN),
        ("zh;level=1", Locale.EN),
        ("ZH", Locale.ZH),
    ],
)
async def test_the_language_is_the_preferred_of_ours(
    accepted: str | None, expected: Locale
) -> None:
    assert preferred_locale(accepted) is expected


async def test_texts_follow_the_language_and_the_type_does_not() -> None:
    async with client(app) as http:
        answer = await http.get("/v1/things/not-found", headers=bearer(Accept_Language="zh"))
        language = await http.get("/v1/language", headers=bearer(Accept_Language="zh"))
    assert (answer.json()["title"], answer.json()["type"]) == ("未找到", "/problems/not-found")
    assert answer.headers["content-language"] == "zh"
    assert answer.headers["vary"] == "Accept-Language"
    assert language.json() == "zh"


@pytest.mark.parametrize("slug", CATALOGUE)
def test_every_problem_has_its_texts_in_both_languages(slug: str) -> None:
    entry = CATALOGUE[slug]
    assert all(entry.title[locale] and entry.detail[locale] for locale in Locale)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("caller-id-1", True), ("short", False), ("x" * 65, False), ("white space", False)],
)
async def test_a_callers_request_id_is_kept_if_it_is_one(given: str, kept: bool) -> None:  # noqa: FBT001 - a column of the table above.
    async with client(app) as http:
        answer = await http.get("/v1/language", headers=bearer(X_Request_Id=given))
    assert (answer.headers["x-request-id"] == given) is kept


async def test_a_request_is_logged_by_its_route_and_not_by_its_path(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "app.access"):
        async with client(app) as http:
            await http.get("/v1/things/not-found", headers=bearer())
            await http.get(f"/{SENTINEL}", headers=bearer())
    told = [record.__dict__["route"] for record in caplog.records if record.name == "app.access"]
    assert told == ["GET /v1/things/{name}", "GET -"]
    assert SENTINEL not in caplog.text


async def test_what_is_no_request_passes_the_edge() -> None:
    received = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return next(received)

    await application(router)({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_an_answer_that_breaks_off_is_not_taken_for_complete() -> None:
    from app.infra.edge import Edge
    from app.infra.metrics import Metrics

    async def broken(_scope: object, _receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"x", "more_body": True})  # type: ignore[operator]
        raise ValueError(SENTINEL)

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(ValueError, match=SENTINEL):
        await Edge(broken, Metrics())(
            {"type": "http", "method": "GET", "headers": []}, receive, send
        )
    assert len(sent) == 2


def test_the_interface_description_holds_the_problem_schema_once() -> None:
    described = APIRouter()

    @described.get("/v1/x", responses=problem_responses(404, 409))
    async def get_x() -> str:
        return ""

    document = in_full(application(described).openapi())
    responses = document["paths"]["/v1/x"]["get"]["responses"]
    assert sorted(responses) == [
        "200",
        "400",
        "401",
        "403",
        "404",
        "409",
        "422",
        "429",
        "500",
        "503",
    ]
    assert responses["404"]["description"] == "Not found"
    content = responses["404"]["content"]["application/problem+json"]
    assert content["schema"] == {"$ref": "#/components/schemas/ProblemRead"}
    assert content["examples"]["not-found"]["value"]["type"] == "/problems/not-found"
    problem = document["components"]["schemas"]["ProblemRead"]
    assert problem["properties"]["errors"]["items"] == {
        "$ref": "#/components/schemas/FieldErrorRead"
    }
    assert "FieldErrorRead" in document["components"]["schemas"]
