"""How long a request may take, until its body is there and until its answer begins.

A body that has not come in time is answered 408, and the connection is closed. A request that is
not answered in time is cancelled, which rolls its transaction back, and answered 503 with
`Retry-After`; as nothing was sent before, no half answer is. Whether a change was stored whose
commit was under way nobody knows then, which is what idempotency keys are for. An answer that has
begun may take as long as it needs. The express way is not timed: it waits for nothing but batches,
which have timeouts of their own.

A route that takes longer, such as one that reads a large file, says so, and is given that long for
everything, its body included:

    @router.post("/v1/imports", ...)
    @takes_up_to(seconds=600)
    async def create_import(...): ...
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.infra.problems import problem_response

RouteT = TypeVar("RouteT", bound=Callable[..., Any])

_DEADLINE_KEY: Final = "tiering.deadline"
#: The attribute of a route function that asks for more time.
_SECONDS: Final = "tiering_seconds"


class Deadline:
    """Answers what takes too long.

    Args:
        app: what lies behind.
        request_seconds: from the last byte of the request to the first of the answer.
        body_seconds: from the head of the request to the last byte of its body.
    """

    def __init__(self, app: ASGIApp, *, request_seconds: float, body_seconds: float) -> None:
        self.app = app
        self._request_seconds = request_seconds
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        awaits_body = has_body(scope)
        first = self._body_seconds if awaits_body else self._request_seconds
        limit = scope[_DEADLINE_KEY] = _Limit(first)

        async def receive_timed() -> Message:
            nonlocal awaits_body
            message = await receive()
            if awaits_body and not message.get("more_body", False):
                awaits_body = False
                limit.follow_with(self._request_seconds)
            return message

        async def send_untimed(message: Message) -> None:
            limit.lift()
            await send(message)

        try:
            async with limit.timeout:
                await self.app(scope, receive_timed, send_untimed)
        except TimeoutError:
            if not limit.timeout.expired() or limit.is_lifted:
                raise
            slug = "request-timeout" if awaits_body else "timeout"
            headers = {"Connection": "close"} if awaits_body else {}
            await problem_response(scope, slug, headers=headers)(scope, receive, send)


class _Limit:
    """The present limit of one request."""

    def __init__(self, seconds: float) -> None:
        self.timeout = asyncio.timeout(seconds)
        self.is_lifted = False
        self._is_extended = False

    def follow_with(self, seconds: float) -> None:
        """Begin the next part of the request, unless more time was asked for."""
        if not self._is_extended:
            self._set(seconds)

    def extend(self, seconds: float) -> None:
        """Give the whole request that long from now on."""
        self._is_extended = True
        self._set(seconds)

    def lift(self) -> None:
        """Take as long as it takes."""
        if not self.is_lifted:
            self.is_lifted = True
            self.timeout.reschedule(None)

    def _set(self, seconds: float) -> None:
        if not self.is_lifted:
            self.timeout.reschedule(asyncio.get_running_loop().time() + seconds)


def takes_up_to(*, seconds: float) -> Callable[[RouteT], RouteT]:
    """Give the requests of a route that long, beginning with their bodies."""

    def mark(route: RouteT) -> RouteT:
        setattr(route, _SECONDS, seconds)
        return route

    return mark


def extend_deadline(scope: Scope, route: Callable[..., Any]) -> None:
    """Give a request the time that its route asks for, if it does."""
    seconds: float | None = getattr(route, _SECONDS, None)
    limit: _Limit | None = scope.get(_DEADLINE_KEY)
    if limit is not None and seconds is not None:
        limit.extend(seconds)


def has_body(scope: Scope) -> bool:
    """Whether a request announces a body."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0") != b"")
        for name, value in scope["headers"]
    )
