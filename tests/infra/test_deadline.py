"""What takes too long is given up, and nothing of it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from starlette.responses import StreamingResponse

from app.infra.application import Application
from app.infra.database import create_database
from app.infra.deadline import extend_deadline, takes_up_to
from app.infra.problems import install_problems
from app.infra.routing import Router
from app.infra.session import WriteSession
from app.infra.settings import Settings
from tests.infra.edge import client

pytestmark = pytest.mark.anyio

router = Router("tests")
cancelled = asyncio.Event()


@router.get("/v1/forever")
async def wait_forever() -> None:
    """Never answers."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        cancelled.set()
        raise


@router.post("/v1/write")
async def write_and_wait(session: WriteSession) -> None:
    """Writes, and then waits for the database."""
    await session.execute(text("INSERT INTO benefits_tried VALUES (1)"))
    await session.execute(text("SELECT pg_sleep(60)"))


@router.get("/v1/stream")
async def stream_slowly() -> StreamingResponse:
    """Begins in time, and ends later."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"one "
        await asyncio.sleep(0.2)
        yield b"two"

    return StreamingResponse(parts(), media_type="text/plain")


@router.put("/v1/long")
@takes_up_to(seconds=5)
async def take_long(_body: dict[str, int]) -> str:
    """Asks for the time it takes."""
    await asyncio.sleep(0.2)
    return "done"


@router.get("/v1/own")
async def give_up_oneself() -> None:
    """A timeout of the route's own."""
    raise TimeoutError


def hasty() -> Application:
    """An application that gives a request a moment."""
    app = Application(request_seconds=0.05, body_seconds=0.05)
    install_problems(app)
    app.include_router(router)
    return app


async def test_what_is_not_answered_in_time_is_cancelled_and_answered_503() -> None:
    cancelled.clear()
    async with client(hasty()) as http:
        answer = await http.get("/v1/forever")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/timeout")
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert cancelled.is_set()


async def test_what_was_written_is_rolled_back_and_the_connection_comes_back(
    settings: Settings, fresh_database_url: str
) -> None:
    one = settings.model_copy(update={"pool_size": 1})
    database = create_database(fresh_database_url, one)
    async with database.sessions.begin() as session:
        await session.execute(text("CREATE TABLE benefits_tried (n int)"))
    app = Application(request_seconds=0.5)
    app.state.database = database
    install_problems(app)
    app.include_router(router)
    async with client(app) as http:
        for _ in range(2):
            assert (await http.post("/v1/write")).status_code == 503
    async with database.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM benefits_tried")) == 0
    await database.close()


async def test_an_answer_that_began_in_time_may_take_longer() -> None:
    async with client(hasty()) as http:
        answer = await http.get("/v1/stream")
    assert (answer.status_code, answer.text) == (200, "one two")


async def test_a_route_may_ask_for_more_time_for_its_body_too() -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"a":'
        await asyncio.sleep(0.2)
        yield b"1}"

    headers = {"Content-Type": "application/json"}
    async with client(hasty()) as http:
        answer = await http.put("/v1/long", content=slowly(), headers=headers)
    assert (answer.status_code, answer.json()) == (200, "done")


async def test_a_timeout_of_the_route_is_no_deadline() -> None:
    async with client(hasty()) as http:
        answer = await http.get("/v1/own")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")


async def test_where_no_deadline_is_none_is_extended() -> None:
    scope = {"type": "http"}
    extend_deadline(scope, take_long)
    assert scope == {"type": "http"}
