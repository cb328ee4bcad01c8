"""An issuer's host on the loopback, which serves a key set or whatever else a test has it say."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.infra.auth.forge import ec_jwk, key_set, rsa_jwk, rsa_key

PATH = "/keys"
GOOD = key_set(ec_jwk(), rsa_jwk(), rsa_jwk(rsa_key(name="pss"), kid="pss", alg="PS256"))


def http(body: bytes | str, status: str = "200 OK", *headers: str) -> bytes:
    """An answer, byte by byte."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass
class KeyHost:
    """What the host answers, and what it was asked.

    Args:
        answer: the bytes it sends.
        pause: it sends the first byte at once, and the rest when this is set.
    """

    port: int
    answer: bytes = field(default_factory=lambda: http(GOOD))
    pause: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    requests: list[bytes] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where the key set is."""
        return f"http://127.0.0.1:{self.port}{PATH}"

    @property
    def fetches(self) -> int:
        """How often it was asked."""
        return len(self.requests)

    def serve(self, *keys: object) -> None:
        """Answer with these keys from now on."""
        self.answer = http(key_set(*keys))

    async def up(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def down(self) -> None:
        """Listen no more, and hang up on whoever waits."""
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)
        if self._server is not None:
            await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            self.asked.set()
            answer = self.answer
            writer.write(answer[:1])
            await writer.drain()
            await self.pause.wait()
            writer.write(answer[1:])
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def key_host() -> AsyncIterator[KeyHost]:
    """A host that serves the keys of `forge.verifier` at once."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    host = KeyHost(port)
    host.pause.set()
    await host.up()
    try:
        yield host
    finally:
        await host.down()


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        """The present second."""
        return self.seconds

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds
