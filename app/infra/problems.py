"""The single map from what went wrong to problem documents (RFC 9457), for every door.

A problem tells its slug, a fixed title and detail in the caller's language, the request id, and for
a refused request where and how it was wrong. It never holds a stack, SQL, or what was sent.
"""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, Protocol

import asyncpg
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import DBAPIError, IntegrityError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from app.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.infra.database import DATABASE_ERRORS
from app.infra.documents import UnreadableError
from app.infra.locale import Locale, locale_of
from app.infra.request_id import request_id_of

log = logging.getLogger(__name__)

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 2
MOST_ERRORS: Final = 50
"""Refused places that one answer names."""
FURTHER_ERRORS: Final = "further_errors"
"""The rule of the last of them, if there are more."""
#: Stands for a part of a location that is not a name of ours, but something that was sent.
UNKNOWN_NAME: Final = "?"

#: Set in the scope once an answer's audit event waits to be committed.
AWAITS_COMMIT: Final = "tiering.awaits_commit"

_UNAUTHENTICATED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404
_METHOD_NOT_ALLOWED = 405
_CONFLICT = 409
_INTERNAL = 500
_UNAVAILABLE = 503
# A conflict tells that there is such a customer, so it is written down like a denial.
_DENIALS = frozenset({_FORBIDDEN, _NOT_FOUND, _CONFLICT})
# So do these, unlike the 429 of who calls too often whatever it is about.
_DENIED_TRIES = frozenset({"tries-exhausted", "misses-exhausted"})


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """Status and texts of one kind of problem."""

    status: int
    title: Mapping[Locale, str]
    detail: Mapping[Locale, str]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One place in a request that was refused; it names the place and the rule, not the value."""

    loc: tuple[str | int, ...]
    type: str


class ProblemError(Exception):
    """A problem of the HTTP edge, told by its slug.

    Args:
        slug: a key of the catalogue.
        headers: headers that belong to the answer.
        errors: refused places.
    """

    def __init__(
        self,
        slug: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Iterable[FieldError] = (),
    ) -> None:
        super().__init__(slug)
        self.slug = slug
        self.headers = dict(headers or {})
        self.errors = tuple(errors)


class DenialRecorder(Protocol):
    """Writes down, in a transaction of its own, that customer data was refused."""

    async def __call__(self, request: Request, status: int) -> None:
        """Record it, or raise, in which case the answer becomes 503."""


def _load_catalogue() -> Mapping[str, CatalogueEntry]:
    text = resources.files("app.infra").joinpath("problems.toml").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            slug: CatalogueEntry(
                raw["status"],
                {locale: raw["title"][locale] for locale in Locale},
                {locale: raw["detail"][locale] for locale in Locale},
            )
            for slug, raw in tomllib.loads(text).items()
        }
    )


CATALOGUE: Final = _load_catalogue()

_KINDS: Final[Mapping[type[DomainError], str]] = {
    NotFound: "not-found",
    Conflict: "conflict",
    Invalid: "invalid",
    Forbidden: "forbidden",
}

_STATUSES: Final[Mapping[int, str]] = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "body-too-large",
    415: "unsupported-media-type",
    422: "validation",
    429: "too-many-requests",
    503: "unavailable",
}

#: SQLSTATE classes and codes that say "not now": connection, resources, operator intervention,
#: lock not available, serialization, deadlock, cancelled.
_TRANSIENT = ("08", "53", "57", "55P03", "40001", "40P01")


@dataclass(frozen=True, slots=True)
class _Answer:
    slug: str
    text: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[FieldError, ...] = ()


def problem_response(
    scope: Scope,
    slug: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Iterable[FieldError] = (),
) -> Response:
    """The problem document of a slug, for middleware and other places without exceptions."""
    return _render(scope, _answer(slug, headers=headers, errors=errors))


def _answer(
    slug: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Iterable[FieldError] = (),
) -> _Answer:
    status = CATALOGUE[slug].status
    extra = dict(headers or {})
    if status == _UNAUTHENTICATED:
        extra["WWW-Authenticate"] = "Bearer"
    if status == _UNAVAILABLE:
        extra.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    return _Answer(slug, slug, status, extra, tuple(errors))


def _render(scope: Scope, answer: _Answer) -> Response:
    locale = locale_of(Headers(scope=scope))
    entry = CATALOGUE[answer.text]
    document: dict[str, object] = {
        "type": f"/problems/{answer.slug}",
        "title": entry.title[locale],
        "status": answer.status,
        "detail": entry.detail[locale],
        "request_id": request_id_of(scope),
    }
    if answer.errors:
        document["errors"] = [
            {"loc": list(error.loc), "type": error.type} for error in answer.errors
        ]
    return Response(
        json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(),
        status_code=answer.status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers={
            "Cache-Control": "no-store",
            "Content-Language": locale.value,
            "Vary": "Accept-Language",
            **answer.headers,
        },
    )


def _domain_answer(error: DomainError) -> _Answer:
    kind = next((slug for cls, slug in _KINDS.items() if isinstance(error, cls)), "internal")
    # A slug of a feature keeps its name even if nobody wrote a text for it yet.
    text = error.type if error.type in CATALOGUE else kind
    errors: tuple[FieldError, ...] = ()
    if isinstance(error, UnreadableError):
        errors = (FieldError(("body", *(error.place or ())), error.rule),)
    return _Answer(error.type, text, CATALOGUE[text].status, errors=errors)


def _is_transient(sqlstate: str | None) -> bool:
    return (sqlstate or "").startswith(_TRANSIENT)


def _database_slug(error: Exception) -> str:
    if isinstance(error, IntegrityError):
        return "conflict"
    if isinstance(error, DBAPIError):
        origin = error.orig
        if error.connection_invalidated or _is_transient(getattr(origin, "sqlstate", None)):
            return "unavailable"
        # An InterfaceError of the driver has no code: the connection is gone or was never there.
        return "unavailable" if getattr(origin, "sqlstate", None) is None else "internal"
    if isinstance(error, asyncpg.PostgresError):
        return "unavailable" if _is_transient(getattr(error, "sqlstate", None)) else "internal"
    return "unavailable"


def _declared_names(app: FastAPI) -> frozenset[str]:
    known: frozenset[str] | None = getattr(app.state, "declared_names", None)
    if known is None:
        known = frozenset(_names(app.openapi())) | {"body", "query", "path", "header", "cookie"}
        app.state.declared_names = known
    return known


def _names(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        properties = node.get("properties")
        if isinstance(properties, dict):
            yield from properties
        if "in" in node and isinstance(node.get("name"), str):
            yield node["name"]
        for child in node.values():
            yield from _names(child)
    for child in node if isinstance(node, list) else ():
        yield from _names(child)


def _field_errors(app: FastAPI, errors: Sequence[Any]) -> Iterator[FieldError]:
    known = _declared_names(app)
    for error in errors[:MOST_ERRORS]:
        loc = tuple(
            part if isinstance(part, int) or part in known else UNKNOWN_NAME
            for part in error["loc"]
        )
        yield FieldError(loc, str(error["type"]))
    if len(errors) > MOST_ERRORS:
        yield FieldError((), FURTHER_ERRORS)


def _allowed_methods(request: Request) -> str:
    """Every method of every route that matches the path, which a single route does not know.

    A path that is spelt out goes before one with a parameter that would match it too.
    """
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    matching = [
        context
        for context in iter_route_contexts(request.app.routes)
        if (pattern := getattr(context, "path_regex", None)) is not None and pattern.match(path)
    ]
    spelt_out = [context for context in matching if context.path == path]
    methods = {method for context in spelt_out or matching for method in context.methods or ()}
    return ", ".join(sorted(methods))


def _http_answer(request: Request, error: HTTPException) -> _Answer:
    unreadable = (UnicodeDecodeError, RecursionError, ValueError)
    if error.status_code == 400 and isinstance(error.__cause__, unreadable):  # noqa: PLR2004 - the status FastAPI gives to a body it cannot decode.
        return _answer("validation", errors=[FieldError(("body",), "json_invalid")])
    headers = dict(error.headers or {})
    if error.status_code == _METHOD_NOT_ALLOWED:
        headers["Allow"] = _allowed_methods(request)
    slug = _STATUSES.get(error.status_code)
    if slug is not None:
        return _answer(slug, headers=headers)
    text = "bad-request" if error.status_code < 500 else "internal"  # noqa: PLR2004 - where server errors begin.
    return _Answer(text, text, error.status_code, headers)


#: Errors the framework takes for dealt with; any other goes on to the edge, which logs it.
_ANSWERED_HERE: Final = (ProblemError, DomainError, HTTPException, *DATABASE_ERRORS)


def _log_failure(request: Request, error: Exception, status: int) -> None:
    """Write down what failed on our side: type, SQLSTATE and frames, which the log's filter takes.

    An error that passes by itself is a warning.
    """
    level = logging.WARNING if status == _UNAVAILABLE else logging.ERROR
    log.log(
        level,
        "request failed",
        exc_info=error,
        extra={"request_id": request_id_of(request.scope), "status": status},
    )


def _log_refusal(request: Request, error: IntegrityError, status: int) -> None:
    """Write down which constraint kept a change out: our own checks should have seen it first."""
    log.warning(
        "the database refused a change",
        exc_info=error,
        extra={
            "request_id": request_id_of(request.scope),
            "status": status,
            "constraint": getattr(error.driver_exception, "constraint_name", None),
        },
    )


def _answer_to(request: Request, error: Exception) -> _Answer:
    if isinstance(error, ProblemError):
        return _answer(error.slug, headers=error.headers, errors=error.errors)
    if isinstance(error, DomainError):
        return _domain_answer(error)
    if isinstance(error, HTTPException):
        return _http_answer(request, error)
    if isinstance(error, RequestValidationError):
        return _answer("validation", errors=_field_errors(request.app, error.errors()))
    slug = _database_slug(error) if isinstance(error, DATABASE_ERRORS) else "internal"
    if slug == "internal" and AWAITS_COMMIT in request.scope:
        slug = "unavailable"
    return _answer(slug)


class _Handler:
    """The exception handler of one application, bound to its denial recorder."""

    def __init__(self, on_denial: DenialRecorder | None) -> None:
        self._on_denial = on_denial

    async def __call__(self, request: Request, error: Exception) -> Response:
        """The problem document of an error."""
        answer = _answer_to(request, error)
        if answer.status >= _INTERNAL and isinstance(error, _ANSWERED_HERE):
            _log_failure(request, error, answer.status)
        elif isinstance(error, IntegrityError):
            _log_refusal(request, error, answer.status)
        is_denial = answer.status in _DENIALS or answer.slug in _DENIED_TRIES
        if self._on_denial is not None and is_denial and "route" in request.scope:
            try:
                await self._on_denial(request, answer.status)
            except Exception as failure:  # noqa: BLE001 - whatever kept the record from being written.
                _log_failure(request, failure, _UNAVAILABLE)
                answer = _answer("unavailable")
        return _render(request.scope, answer)


def install_problems(app: FastAPI, on_denial: DenialRecorder | None = None) -> None:
    """Answer everything that goes wrong in `app` with a problem document.

    Args:
        app: the application.
        on_denial: told of every 403, 404 and 409 of a matched route, and of tries that are used
            up, before the answer leaves.
    """
    handler = _Handler(on_denial).__call__
    kinds: tuple[type[Exception], ...] = (
        ProblemError,
        DomainError,
        HTTPException,
        RequestValidationError,
        *DATABASE_ERRORS,
        Exception,
    )
    for kind in kinds:
        app.add_exception_handler(kind, handler)
