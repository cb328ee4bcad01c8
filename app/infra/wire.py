"""The server's HTTP protocol, with limits on what it reads before there is a request to answer.

The server's own reads a head of any size for any time, and answers what it cannot read in plain
text. Here a head of more than 16 KB is answered 431, one that does not come in time 408, and one
that is no HTTP 400, all as problem documents. Who is answered before his body has come, and goes on
sending it, is cut off after a while. The trailers of a body mean nothing here, which the server's
own would add to the headers of the request that is being answered. Nor is any upgrade offered: a
request for one is answered like any other.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import chain
from typing import Any, Final

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from app.infra.deadline import has_body
from app.infra.ids import new_id
from app.infra.problems import problem_response
from app.infra.request_id import REQUEST_ID_HEADER, REQUEST_ID_KEY

log = logging.getLogger(__name__)

LARGEST_HEAD: Final = 16 * 1024
"""Bytes of the request line and the headers."""

#: Bytes that may come after the last chunk of a body.
_LARGEST_TRAILERS: Final = 4 * 1024
#: Bytes around the data of a chunk: its size, two ends of lines, and room for a short extension.
_AROUND_CHUNK: Final = 64

#: The colon, the space and the end of the line of each header.
_PUNCTUATION = 4


class HeadRefusedError(Exception):
    """A head that is not read any further."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection."""

    head_seconds = 10.0
    linger_seconds = 5.0

    def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 - the server's own.
        super().__init__(*args, **settings)
        self._timer: asyncio.TimerHandle | None = None
        self._is_in_head = False
        self._head_bytes = 0
        self._trailer_bytes = 0
        #: Bytes of the body beyond those that have a use.
        self._idle_bytes = 0
        self._slug = "bad-request"

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the server's own.
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._expect(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._relax()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and see to it that a head ends."""
        if self._is_in_head:
            self._head_bytes += len(data)
        else:
            self._idle_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if not self._is_in_head:
            if self._idle_bytes > LARGEST_HEAD:
                self._refuse("bad-request")
            elif self._is_between():
                self._relax()
        elif self._head_bytes > LARGEST_HEAD:
            self._refuse("headers-too-large")
        elif self._timer is None:
            self._expect(self.head_seconds)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._is_in_head = True
        self._head_bytes = self._trailer_bytes = self._idle_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer is passed over.

        Raises:
            HeadRefusedError: there are too many trailers.
        """
        if self._is_in_head:
            super().on_header(name, value)
            return
        self._trailer_bytes += len(name) + len(value) + _PUNCTUATION
        if self._trailer_bytes > _LARGEST_TRAILERS:
            raise HeadRefusedError

    def on_chunk_header(self) -> None:
        """A chunk begins, with what surrounds it."""
        self._idle_bytes -= _AROUND_CHUNK

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._idle_bytes -= len(body)
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """A head ends.

        Raises:
            HeadRefusedError: it is too large or means two things; the parser makes an error of its
                own of it.
        """
        self._is_in_head = False
        size = len(self.url) + _PUNCTUATION * len(self.headers)
        size += sum(map(len, chain.from_iterable(self.headers)))
        if size > LARGEST_HEAD:
            self._slug = "headers-too-large"
            raise HeadRefusedError
        names = [name for name, _ in self.headers]
        if not self._has_one_host(names) or not self._is_framed_as_read(names):
            raise HeadRefusedError
        # Of a request for an upgrade the parser takes no body, but would read it as the next one.
        if self.parser.should_upgrade() and has_body(dict(self.scope)):
            raise HeadRefusedError
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """The answer is out; what of the request is still to come is not waited for much longer."""
        super().on_response_complete()
        if self.cycle.more_body and not self.transport.is_closing():
            self._expect(self.linger_seconds)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the server's own.
        """Answer what cannot be read."""
        self._refuse(self._slug)

    def _has_one_host(self, names: list[bytes]) -> bool:
        """Whether there is one `Host`, which only an older client may leave out (RFC 9112, 3.2)."""
        hosts = names.count(b"host")
        return hosts == 1 or (hosts == 0 and self.parser.get_http_version() < "1.1")

    def _is_framed_as_read(self, names: list[bytes]) -> bool:
        """Whether the body is in chunks and nothing else, if it says how it is transferred.

        The parser would take other codings for chunks too, and others on the way would not.
        """
        if b"transfer-encoding" not in names:
            return True
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        is_chunked = [value.lower() for value in codings] == [b"chunked"]
        return is_chunked and self.parser.get_http_version() == "1.1"

    def _should_upgrade_to_ws(self) -> bool:
        """Never; the server's own would also log the paths of those who have shown no token."""
        return False

    def _unsupported_upgrade_warning(self) -> None:
        """Leave it to the access log to tell of the request."""

    def _is_between(self) -> bool:
        """Whether no answered request is still being read."""
        cycle = self._cycle()
        return cycle is None or not (cycle.response_complete and cycle.more_body)

    def _cycle(self) -> RequestResponseCycle | None:
        """The present request, which the server says there always is."""
        return self.cycle

    def _expect(self, seconds: float) -> None:
        self._relax()
        self._timer = self.loop.call_later(seconds, self._lose_patience)

    def _relax(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lose_patience(self) -> None:
        self._timer = None
        if self._is_in_head:
            self._refuse("request-timeout")
        else:
            self.transport.close()

    def _refuse(self, slug: str) -> None:
        """Answer without a request, unless an answer is under way, and close."""
        self._relax()
        if not self.transport.is_closing():
            cycle = self._cycle()
            if cycle is None or cycle.response_complete or not cycle.response_started:
                self.transport.write(_written(slug))
            self.transport.close()


def _written(slug: str) -> bytes:
    """A problem document as it goes over the wire."""
    request_id = str(new_id())
    log.info("request refused unread", extra={"reason": slug, "request_id": request_id})
    scope: Scope = {"type": "http", "headers": [], REQUEST_ID_KEY: request_id}
    answer = problem_response(
        scope,
        slug,
        headers={
            "Connection": "close",
            "X-Content-Type-Options": "nosniff",
            REQUEST_ID_HEADER: request_id,
        },
    )
    head = [STATUS_LINE[answer.status_code]]
    head += [name + b": " + value + b"\r\n" for name, value in answer.raw_headers]
    return b"".join([*head, b"\r\n", bytes(answer.body)])
