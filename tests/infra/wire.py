"""A real server over an application, and connections on which a test says what it likes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from app.infra.wire import GuardedProtocol
from tests.patience import PATIENCE_SECONDS


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> str:
        """The slug of a problem document."""
        assert self.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        assert document["request_id"] == self.headers["x-request-id"]
        return str(document["type"]).removeprefix("/problems/")


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection to the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *parts: bytes) -> None:
        """Say something."""
        self.writer.write(b"".join(parts))
        await self.writer.drain()

    async def takes(self, block: bytes, *, times: int) -> bool:
        """Whether the server takes that much more, or closes."""
        try:
            for _ in range(times):
                await self.send(block)
        except ConnectionError:
            return False
        return True

    async def answer(self) -> Answer:
        """The next answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines)
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(first.split()[1]), headers, body)

    async def is_closed(self) -> bool:
        """Whether the server closes, saying no more."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True


@dataclass(frozen=True, slots=True)
class Wire:
    """A server that listens."""

    port: int

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        """A connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Connection(reader, writer)
        finally:
            writer.close()

    async def ask(self, *parts: bytes) -> Answer:
        """One answer to one request."""
        async with self.connect() as connection:
            await connection.send(*parts)
            return await connection.answer()


@asynccontextmanager
async def serving(app: ASGIApp, protocol: type[GuardedProtocol]) -> AsyncIterator[Wire]:
    """The application on a port of its own."""
    config = uvicorn.Config(app, port=0, http=protocol, ws="none", log_config=None, lifespan="off")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    loop = asyncio.create_task(server.main_loop())
    try:
        yield Wire(server.servers[0].sockets[0].getsockname()[1])
    finally:
        # Told to leave, the loop would look up from its sleep a tenth of a second later.
        loop.cancel()
        await asyncio.wait([loop])
        await server.shutdown()
