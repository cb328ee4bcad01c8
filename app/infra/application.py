"""The FastAPI application with the edge around it that the framework leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel, Field
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.infra.deadline import Deadline
from app.infra.edge import Edge
from app.infra.express import ExpressRoute, ExpressWay
from app.infra.lifespan import Service
from app.infra.locale import Locale
from app.infra.metrics import Metrics
from app.infra.problems import CATALOGUE, PROBLEM_MEDIA_TYPE, problem_response
from app.infra.rate_limit import RateLimiter

_TOO_LARGE = 413
_ALWAYS: Final = (401, 403, 422, 429, 500, 503)
_RETRY_AFTER: Final = {
    "Retry-After": ("Seconds to wait before trying again.", {"type": "integer", "minimum": 1})
}
#: The headers of answers that say when to come back.
_TELL_WHEN: Final[dict[int, dict[str, tuple[str, dict[str, Any]]]]] = {
    429: {
        **_RETRY_AFTER,
        "RateLimit": ("What remains of each quota.", {"type": "string"}),
        "RateLimit-Policy": ("The caller's quotas.", {"type": "string"}),
    },
    503: _RETRY_AFTER,
}


class FieldErrorRead(BaseModel):
    """Where a request was refused, and by which rule."""

    loc: list[str | int] = Field(description="Path to the place; `?` stands for an unknown name.")
    type: str = Field(description="The rule that refused it.")


class ProblemRead(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = Field(description="Stable reference, as `/problems/not-found`.")
    title: str = Field(description="What kind of problem it is, in the caller's language.")
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    detail: str = Field(description="What to do, in the caller's language.")
    request_id: str = Field(description="Id of the request, to report the problem with.")
    errors: list[FieldErrorRead] = Field(
        default_factory=list, description="Refused places, where the request was refused for them."
    )


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
        """The interface description, with the schemas that `problem_responses` refers to."""
        document = super().openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for model in (ProblemRead, FieldErrorRead):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schema.pop("$defs", None)
            schemas[model.__name__] = schema
        for methods in document["paths"].values():
            for operation in methods.values():
                if "requestBody" in operation:
                    operation["responses"] |= _BODY_RESPONSES
        return document


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of an operation: the given statuses and those that any operation may give.

    Args:
        statuses: such as 404; 401, 403, 422, 429, 500 and 503 come with every operation.
    """
    return {status: _problem_answer(status) for status in sorted({*_ALWAYS, *statuses})}


def _problem_answer(status: int) -> dict[str, Any]:
    titles = {entry.status: entry.title[Locale.EN] for entry in reversed(list(CATALOGUE.values()))}
    schema = {"$ref": f"#/components/schemas/{ProblemRead.__name__}"}
    answer = {
        "description": titles[status],
        "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}},
    }
    if status in _TELL_WHEN:
        answer["headers"] = {
            name: {"description": description, "schema": schema}
            for name, (description, schema) in _TELL_WHEN[status].items()
        }
    return answer


_BODY_RESPONSES: Final = {str(status): _problem_answer(status) for status in (408, 413, 415)}


def read_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a read, which `If-None-Match` makes conditional."""
    unchanged = {"description": "The `ETag` in `If-None-Match` is still that of the answer."}
    return {304: unchanged, **problem_responses(*statuses)}
