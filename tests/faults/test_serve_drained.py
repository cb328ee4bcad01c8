"""SIGTERM: not ready first, what is under way is finished, and then the process is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from app.domain.privacy.roles import Role
from app.infra.auth import development_token
from app.infra.clock import utc_now
from app.infra.settings import Settings
from tests.infra.wire import Wire
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

HEAD = (
    b"PUT /v1/customers/C1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer %b\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n"
)


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await what():  # noqa: ASYNC110 - another process is asked.
            await asyncio.sleep(0.02)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        return int(opened.getsockname()[1])


@asynccontextmanager
async def serving(
    url: str, settings: Settings, **environment: str
) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """A serving process and a client that is not kept alive."""
    port = free_port()
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    told = {"TIERING_DATABASE_URL": url, "DATA_DIR": str(settings.data_dir), **environment}
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **told}, stderr=subprocess.DEVNULL
    )
    limits = httpx.Limits(max_keepalive_connections=0)
    base = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(
            base_url=base, limits=limits, timeout=PATIENCE_SECONDS
        ) as http:

            async def is_ready() -> bool:
                assert process.returncode is None
                try:
                    return (await http.get("/readyz")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(is_ready)
            yield process, http
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_process_told_to_stop_is_not_ready_finishes_and_goes(
    fresh_database_url: str, settings: Settings
) -> None:
    token = development_token(settings, role=Role.INTEGRATION, now=utc_now())
    body = b'{"kind": "individual", "name": "Wang"}'
    drain = {"TIERING_DRAIN_SECONDS": "3"}
    async with serving(fresh_database_url, settings, **drain) as (process, http):
        wire = Wire(http.base_url.port or 0)

        async def is_refused() -> bool:
            return (await http.get("/readyz")).status_code == 503

        async def is_deaf() -> bool:
            try:
                await http.get("/livez")
            except httpx.TransportError:
                return True
            return False

        async with wire.connect() as under_way:
            await under_way.send(HEAD % (token.encode(), len(body)), body[:9])
            # The body is being waited for.
            assert (await under_way.answer()).status == 100
            process.send_signal(signal.SIGTERM)
            await until(is_refused)
            found = (await http.get("/readyz")).json()
            assert (found["status"], found["serving"]) == ("failed", "failed")
            # Whoever has not heard of it yet is answered all the same.
            assert (await http.get("/livez")).status_code == 200
            await until(is_deaf)
            assert process.returncode is None
            await under_way.send(body[9:])
            answer = await under_way.answer()
            assert (answer.status, answer.headers["connection"]) == (201, "close")
        assert await asyncio.wait_for(process.wait(), PATIENCE_SECONDS) == 0


async def test_a_second_signal_does_not_wait(fresh_database_url: str, settings: Settings) -> None:
    long = {"TIERING_DRAIN_SECONDS": "600"}
    async with serving(fresh_database_url, settings, **long) as (process, http):
        # This is the server with the limits.
        large = await http.get("/livez", headers={"X-Long": "a" * 20_480})
        assert large.status_code == 431
        process.send_signal(signal.SIGTERM)

        async def is_refused() -> bool:
            return (await http.get("/readyz")).status_code == 503

        await until(is_refused)
        assert process.returncode is None
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE_SECONDS) == 0
