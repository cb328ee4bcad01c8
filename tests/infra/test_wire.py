"""What a real server answers to heads and bodies that are too large, too slow, or no HTTP."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
from fastapi import Request

from app.infra.application import Application
from app.infra.problems import install_problems
from app.infra.routing import Router
from app.infra.wire import LARGEST_HEAD, GuardedProtocol
from tests.infra.wire import Wire, serving

pytestmark = pytest.mark.anyio

HEAD = b"GET /v1/things HTTP/1.1\r\nHost: x\r\n"
PUT = b"PUT /v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
router = Router("tests")


@router.get("/v1/things")
async def list_things() -> list[str]:
    """Some things."""
    return ["thing"]


@router.put("/v1/things")
async def put_thing(thing: dict[str, int]) -> dict[str, int]:
    """A thing."""
    return thing


@router.put("/v1/headers")
async def put_headers(_: dict[str, int], request: Request) -> list[tuple[str, str]]:
    """The headers, when the body was read."""
    return request.headers.items()


class Impatient(GuardedProtocol):
    """As the real one, in a hurry."""

    head_seconds = 0.5
    linger_seconds = 0.5


@pytest.fixture
def app() -> Application:
    """A small application that gives bodies a moment, and 1 MB."""
    made = Application(body_seconds=1, max_body_size=1_000_000, redirect_slashes=False)
    install_problems(made)
    made.include_router(router)
    return made


@pytest.fixture
async def wire(app: Application) -> AsyncIterator[Wire]:
    """A server as it is run."""
    async with serving(app, GuardedProtocol) as opened:
        yield opened


@pytest.fixture
async def impatient(app: Application) -> AsyncIterator[Wire]:
    """A server that waits for no head."""
    async with serving(app, Impatient) as opened:
        yield opened


@pytest.mark.parametrize(
    "line",
    [
        b"X-Long: " + b"a" * 20_480 + b"\r\n",
        b"".join(b"X-%d: a\r\n" % number for number in range(3000)),
        b"Cookie: " + b"a" * LARGEST_HEAD + b"\r\n",
    ],
)
async def test_headers_beyond_the_limit_are_answered_431(wire: Wire, line: bytes) -> None:
    async with wire.connect() as connection:
        await connection.send(HEAD, line, b"\r\n")
        answer = await connection.answer()
        assert (answer.status, answer.problem()) == (431, "headers-too-large")
        assert answer.headers["connection"] == "close"
        assert answer.headers["cache-control"] == "no-store"
        assert await connection.is_closed()


async def test_a_header_without_end_is_answered_431_before_it_ends(wire: Wire) -> None:
    async with wire.connect() as connection:
        await connection.send(HEAD, b"X-Long: ")
        try:
            for _ in range(2000):
                await connection.send(b"a" * 1000)
        except ConnectionError:
            pass
        assert (await connection.answer()).status == 431


async def test_a_long_path_is_answered_431(wire: Wire) -> None:
    answer = await wire.ask(b"GET /", b"a" * 20_000, b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (answer.status, answer.problem()) == (431, "headers-too-large")


async def test_a_head_within_the_limit_is_read(wire: Wire) -> None:
    line = b"X-Long: " + b"a" * (LARGEST_HEAD - 200) + b"\r\n"
    assert (await wire.ask(HEAD, line, b"\r\n")).status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /v1/things HTTP/9.9\r\nHost: x\r\n\r\n",
        b"SENTINEL /v1/things HTTP/1.1\r\nHost: x\r\n\r\n",
        HEAD + b"no colon\r\n\r\n",
        HEAD + b"Content-Length: 4711x\r\n\r\n",
        PUT + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        PUT + b"Transfer-Encoding: chunked\r\n\r\nsentinel\r\n",
        PUT + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        PUT + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        PUT + b"Transfer-Encoding: sentinel\r\n\r\n0\r\n\r\n",
        PUT + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        PUT.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /v1/things HTTP/1.1\r\n\r\n",
        HEAD + b"Host: x\r\n\r\n",
        HEAD.replace(b"1.1", b"1.0") + b"host: sentinel\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
async def test_what_is_no_http_is_answered_400(wire: Wire, sent: bytes) -> None:
    answer = await wire.ask(sent)
    assert (answer.status, answer.problem()) == (400, "bad-request")
    assert b"entinel" not in answer.body.lower()


async def test_an_older_client_names_no_host(wire: Wire) -> None:
    assert (await wire.ask(b"GET /v1/things HTTP/1.0\r\n\r\n")).status == 200


async def test_chunks_may_be_written_in_capitals(wire: Wire) -> None:
    tail = b'8\r\n{"a": 1}\r\n0\r\n\r\n'
    assert (await wire.ask(PUT, b"Transfer-Encoding: Chunked\r\n\r\n", tail)).status == 200


@pytest.mark.parametrize("host", [b"", b"a b", b"'\"<script>", b"x" * 5000])
async def test_whatever_the_host_is_called_it_is_not_repeated(wire: Wire, host: bytes) -> None:
    answer = await wire.ask(b"GET /v1/things/ HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    assert answer.status == 404
    assert b"script" not in answer.body


async def test_a_head_that_does_not_end_in_time_is_answered_408(impatient: Wire) -> None:
    async with impatient.connect() as connection:
        await connection.send(HEAD)
        answer = await connection.answer()
        assert (answer.status, answer.problem()) == (408, "request-timeout")
        assert await connection.is_closed()


async def test_the_second_head_of_a_connection_is_timed_too(impatient: Wire) -> None:
    async with impatient.connect() as connection:
        await connection.send(HEAD, b"\r\n")
        assert (await connection.answer()).status == 200
        await connection.send(HEAD[:9])
        assert (await connection.answer()).status == 408


async def test_who_says_nothing_is_left(impatient: Wire) -> None:
    async with impatient.connect() as connection:
        assert await connection.is_closed()


async def test_a_body_that_trickles_is_answered_408(wire: Wire) -> None:
    async with wire.connect() as connection:
        await connection.send(PUT, b'Content-Length: 10\r\n\r\n{"a"')
        answer = await connection.answer()
        assert (answer.status, answer.problem()) == (408, "request-timeout")
        assert answer.headers["connection"] == "close"
        assert await connection.is_closed()


async def test_a_chunk_that_never_ends_is_answered_408(wire: Wire) -> None:
    async with wire.connect() as connection:
        await connection.send(PUT, b"Transfer-Encoding: chunked\r\n\r\n5;extension=", b"a" * 5000)
        assert (await connection.answer()).status == 408


async def test_a_body_in_many_small_chunks_is_read_or_refused_but_never_hangs(wire: Wire) -> None:
    chunks = b"1\r\n \r\n" * 100_000
    answer = await wire.ask(PUT, b"Transfer-Encoding: chunked\r\n\r\n", chunks, b"0\r\n\r\n")
    assert answer.status in {408, 422}
    tail = b'8\r\n{"a": 1}\r\n0\r\n\r\n'
    answer = await wire.ask(PUT, b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 100, tail)
    assert (answer.status, answer.body) == (200, b'{"a":1}')


CHUNKED = PUT.replace(b"/things", b"/headers") + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b'8\r\n{"a": 1}\r\n'


async def test_a_trailer_is_no_header(wire: Wire) -> None:
    trailers = b"Authorization: Bearer sentinel\r\nX-Act-Role: sentinel\r\n"
    async with wire.connect() as connection:
        await connection.send(CHUNKED, CHUNK, b"0\r\n", trailers, b"\r\n", HEAD, b"\r\n")
        answer = await connection.answer()
        assert (await connection.answer()).body == b'["thing"]'
    assert answer.status == 200
    assert b"sentinel" not in answer.body


@pytest.mark.parametrize("path", [b"/headers", b"/nothing"])
@pytest.mark.parametrize("line", [b"A: " + b"x" * 1000 + b"\r\n", b"x" * 1000])
async def test_trailers_without_end_are_cut_off(wire: Wire, path: bytes, line: bytes) -> None:
    """Whether answered before or not, and in many trailers or in one."""
    async with wire.connect() as connection:
        await connection.send(CHUNKED.replace(b"/headers", path), CHUNK, b"0\r\nA: ")
        # What the buffers on the way hold is sent in any case.
        assert not await connection.takes(line * 64, times=256)


async def test_an_extension_of_a_chunk_without_end_is_answered_400(wire: Wire) -> None:
    async with wire.connect() as connection:
        await connection.send(CHUNKED, b"8;extension=", b"a" * 1_000_000)
        answer = await connection.answer()
        assert (answer.status, answer.problem()) == (400, "bad-request")


async def test_short_extensions_and_trailers_are_passed_over(wire: Wire) -> None:
    tail = b"0;last\r\n" + b"Checksum: " + b"a" * 64 + b"\r\n\r\n"
    answer = await wire.ask(CHUNKED, CHUNK.replace(b"8", b"8;name=value"), tail)
    assert answer.status == 200


UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


async def test_a_request_to_upgrade_is_one_like_any_other(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    # As in our configuration.
    caplog.set_level(logging.CRITICAL, "uvicorn.access")
    caplog.set_level(logging.INFO)
    async with wire.connect() as connection:
        await connection.send(HEAD.replace(b"/things", b"/sentinel?sentinel=1"), UPGRADE, b"\r\n")
        answer = await connection.answer()
        assert (answer.status, answer.problem()) == (404, "not-found")
        await connection.send(HEAD, b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        assert (await connection.answer()).body == b'["thing"]'
    lines = [(record.name, record.getMessage()) for record in caplog.records]
    assert lines == [("app.access", "request")] * 2
    assert "sentinel" not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c"])
@pytest.mark.parametrize("framing", [b"Content-Length: 38", b"Transfer-Encoding: chunked"])
async def test_a_body_that_would_be_read_as_the_next_request_is_refused(
    wire: Wire, upgrade: bytes, framing: bytes
) -> None:
    async with wire.connect() as connection:
        await connection.send(PUT, framing, b"\r\nConnection: Upgrade\r\nUpgrade: ", upgrade)
        await connection.send(b"\r\n\r\n")
        answer = await connection.answer()
        assert (answer.status, answer.problem()) == (400, "bad-request")
        assert await connection.is_closed()


async def test_chunks_beyond_the_limit_of_a_body_are_answered_413(wire: Wire) -> None:
    chunk = b"%x\r\n" % 300_000 + b" " * 300_000 + b"\r\n"
    answer = await wire.ask(PUT, b"Transfer-Encoding: chunked\r\n\r\n", chunk * 4)
    assert (answer.status, answer.problem()) == (413, "body-too-large")


async def test_who_sends_on_after_the_answer_is_cut_off(impatient: Wire) -> None:
    async with impatient.connect() as connection:
        await connection.send(PUT.replace(b"/things", b"/nothing"), b"Content-Length: 999\r\n\r\n")
        assert (await connection.answer()).status == 404
        await connection.send(b"trickle")
        assert await connection.is_closed()


async def test_a_body_where_none_is_read_disturbs_nothing(wire: Wire) -> None:
    async with wire.connect() as connection:
        for _ in range(2):
            await connection.send(HEAD, b'Content-Length: 8\r\n\r\n{"a": 1}')
            assert (await connection.answer()).body == b'["thing"]'


async def test_pipelined_requests_are_answered_in_order(wire: Wire) -> None:
    async with wire.connect() as connection:
        await connection.send(
            HEAD, b"\r\n", PUT, b'Content-Length: 8\r\n\r\n{"a": 1}', HEAD, b"\r\n"
        )
        bodies = [(await connection.answer()).body for _ in range(3)]
    assert bodies == [b'["thing"]', b'{"a":1}', b'["thing"]']
