"""The FastAPI application with the edge around it that the framework leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.infra.deadline import Deadline
from app.infra.description import complete, share
from app.infra.edge import Edge
from app.infra.express import ExpressRoute, ExpressWay
from app.infra.lifespan import Service
from app.infra.metrics import Metrics
from app.infra.problems import problem_response
from app.infra.prover import Prover
from app.infra.rate_limit import RateLimiter

_TOO_LARGE = 413


class PlainTextProblems:
    """Replaces the plain-text 413 that the framework's body limit sends past every handler."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        replaced = False

        async def send_problem_instead(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                media_type = Headers(raw=message["headers"]).get("content-type", "")
                replaced = message["status"] == _TOO_LARGE and media_type.startswith("text/plain")
                if replaced:
                    await problem_response(scope, "body-too-large")(scope, receive, send)
                    return
            if not replaced:
                await send(message)

        await self.app(scope, receive, send_problem_instead)


class Application(FastAPI):
    """FastAPI whose every answer has a request id and whose every problem is a problem document.

    The hot reads among its routes are answered by the express way, which needs the database, the
    settings, the audit and the verifier of tokens in its state at the first request.

    Args:
        express: the hot reads.
        request_seconds: how long a request may take, once it is there.
        body_seconds: how long its body may take.
        settings: the framework's own.
    """

    def __init__(
        self,
        *,
        express: Sequence[ExpressRoute] = (),
        request_seconds: float = 30,
        body_seconds: float = 20,
        **settings: Any,  # noqa: ANN401 - the framework's own.
    ) -> None:
        super().__init__(**settings)
        self._request_seconds = request_seconds
        self._body_seconds = body_seconds
        self.state.metrics = Metrics()
        self.state.service = Service()
        self.state.prover = Prover()
        self.state.rate_limiter = RateLimiter({})
        self._express = express

    def build_middleware_stack(self) -> ASGIApp:
        """The framework's stack, within our outermost layers."""
        stack: ASGIApp = Deadline(
            PlainTextProblems(super().build_middleware_stack()),
            request_seconds=self._request_seconds,
            body_seconds=self._body_seconds,
        )
        if self._express:
            stack = ExpressWay(stack, self, self._express)
        return Edge(stack, self.state.metrics, self.state.rate_limiter)

    def openapi(self) -> dict[str, Any]:
        """The interface description, completed."""
        if self.openapi_schema is not None:
            return self.openapi_schema
        document = super().openapi()
        complete(document, iter_route_contexts(self.routes))
        share(document)
        return document
