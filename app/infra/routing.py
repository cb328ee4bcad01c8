"""Routers whose paths and bodies mean one thing: no redirects, and no JSON that says it twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from email.message import Message
from typing import Any, Final, NoReturn

from fastapi import APIRouter, Request, Response, params
from fastapi._compat import field_annotation_is_sequence
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.domain.privacy.roles import Role
from app.infra.auth import Admission, admission_of, admit
from app.infra.deadline import extend_deadline, has_body
from app.infra.express import Answering, ExpressRoute
from app.infra.lanes import Lanes
from app.infra.problems import FieldError, ProblemError

MOST_KEYS: Final = 500
"""Keys of one JSON object."""
MOST_ITEMS: Final = 10_000
"""Items of one JSON array, and keys of all objects of a body together."""


class StrictRequest(Request):
    """A request whose JSON names each key of an object once, and holds no number but numbers.

    Readers differ in which of two equal keys they take, so a body with both says different things
    to whoever checks it on the way and to us. Nor is it larger than anything asked for: each of a
    hundred thousand unknown keys would be refused by itself.
    """

    async def json(self) -> Any:  # noqa: ANN401 - any JSON there is, as in the framework.
        """The body, read once.

        Raises:
            ValueError: it is no JSON, or no such JSON.
        """
        if not hasattr(self, "_json"):
            # Given bytes, the parser would guess at UTF-16 and UTF-32 too.
            text = (await self.body()).decode("utf-8")
            read = _Objects()
            found = json.loads(text, object_pairs_hook=read, parse_constant=_refuse)
            _require_short(found)
            self._json = found
        return self._json


class _Objects:
    """Makes the objects of one body."""

    def __init__(self) -> None:
        self._keys = 0

    def __call__(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        self._keys += len(pairs)
        if len(pairs) > MOST_KEYS or self._keys > MOST_ITEMS:
            raise ValueError("there are too many keys")
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key stands twice in one object")
        for value in found.values():
            _require_short(value)
        return found


def _require_short(value: object) -> None:
    """Refuse a long array, or one of arrays; of its objects the arrays were looked at before."""
    if isinstance(value, list):
        if len(value) > MOST_ITEMS:
            raise ValueError("an array is too long")
        for item in value:
            _require_short(item)


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


class StrictRoute(APIRoute):
    """A route that reads its body strictly; the application's limit of a body stays in force.

    Who calls is settled before anything is said of his body. One that does not say it is JSON in
    UTF-8 is not read as such, but answered 415, and so is one that is compressed. A name that
    stands twice in the query and is no list is refused: readers differ in which of them they take.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, given a strict request."""
        answer = super().get_route_handler()
        field = self.body_field
        reads_json = field is not None and not isinstance(field.field_info, params.Form)
        admissions = tuple(dict.fromkeys(_admissions(self.dependant)))
        single = _single_names(self.dependant)

        async def answer_strictly(request: Request) -> Response:
            extend_deadline(request.scope, self.endpoint)
            bears_body = has_body(request.scope)
            repeated = _repeated(request, single)
            if admissions and (bears_body or repeated):
                await admit(request, admissions)
            if bears_body:
                _require_encoding(request, reads_json=reads_json)
            if repeated:
                errors = [FieldError(("query", name), "repeated") for name in repeated]
                raise ProblemError("validation", errors=errors)
            return await answer(StrictRequest(request.scope, request.receive))

        return answer_strictly


def _admissions(dependant: Dependant) -> Iterator[Admission]:
    """Whom the dependencies of a route let through; none where nobody is asked who he is."""
    found = admission_of(dependant.call)
    if found is not None:
        yield found
    for needed in dependant.dependencies:
        yield from _admissions(needed)


def _single_names(dependant: Dependant) -> set[str]:
    """What may stand in the query of a route once."""
    kinds: dict[str, object] = {}
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            told = kind.model_fields.items()
            kinds.update({one.alias or name: one.annotation for name, one in told})
        else:
            kinds[field.alias] = kind
    single = {name for name, kind in kinds.items() if not field_annotation_is_sequence(kind)}
    return single.union(*(_single_names(needed) for needed in dependant.dependencies))


def _repeated(request: Request, single: set[str]) -> list[str]:
    if not single or b"&" not in request.scope["query_string"]:
        return []
    names = Counter(name for name, _ in request.query_params.multi_items())
    return sorted(name for name in single if names[name] > 1)


def _require_encoding(request: Request, *, reads_json: bool) -> None:
    """Refuse a body that is not plain, or is no JSON where that is read."""
    codings = ",".join(request.headers.getlist("content-encoding"))
    if any(coding.strip().lower() not in {"", "identity"} for coding in codings.split(",")):
        raise ProblemError("unsupported-media-type", headers={"Accept-Encoding": "identity"})
    if reads_json and not _says_json(request):
        raise ProblemError("unsupported-media-type")


def _says_json(request: Request) -> bool:
    """Whether the one `Content-Type` is JSON; its charset can only be UTF-8 (RFC 8259)."""
    given = request.headers.getlist("content-type")
    message = Message()
    message["Content-Type"] = given[0] if len(given) == 1 else ""
    kind = message.get_content_type()
    is_json = kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
    charset = message.get_param("charset", "utf-8")
    return is_json and str(charset).lower() in {"utf-8", "utf8"}


class Router(APIRouter):
    """The router of a feature.

    Args:
        tag: its chapter in the interface description.
    """

    def __init__(self, tag: str) -> None:
        # A redirect would repeat the caller's Host header in its Location.
        super().__init__(tags=[tag], route_class=StrictRoute, redirect_slashes=False)
        self.express_routes: list[ExpressRoute] = []

    def express(
        self, template: str, roles: frozenset[Role], lookups: Callable[[Lanes], object]
    ) -> Callable[[Answering], Answering]:
        """Declare how a hot read is answered where nothing is out of the ordinary.

        Args:
            template: the path, as that of the route it stands beside.
            roles: those of the route.
            lookups: made once per application and handed to every call.
        """

        def declare(answer: Answering) -> Answering:
            self.express_routes.append(ExpressRoute(template, roles, lookups, answer))
            return answer

        return declare
