"""Completing the document: roles, tags, headers, examples, and schemas as they are read."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext

from app.domain.privacy.roles import Role
from app.infra.auth import admission_of
from app.infra.conditions import record_tags, required_condition, stated_condition
from app.infra.description.problems import (
    CONDITION_HEADER,
    KEY_HEADER,
    PURPOSE_HEADER,
    FieldErrorRead,
    ProblemRead,
    add_problems,
)
from app.infra.idempotency import required_once
from app.infra.locale import request_locale

_PACKAGE: Final = "app.infra.description"
_UUID7: Final = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_BODYLESS: Final = frozenset({"204", "304"})
_PROBLEMS_BEGIN: Final = "400"
_UNAUTHENTICATED: Final = "401"
_QUOTA_HEADERS: Final = ("RateLimit", "RateLimit-Policy")

#: Headers by the dependencies that insist on them.
_NEEDING: Final[Mapping[Any, str]] = {
    required_once: KEY_HEADER,
    required_condition: CONDITION_HEADER,
}

#: Whose answers tell the version of a record.
_TAGGING: Final = frozenset({stated_condition, record_tags})

_Node = dict[str, Any]


@cache
def _texts() -> Mapping[str, Any]:
    """Tags and headers as `texts.toml` words them."""
    return tomllib.loads(resources.files(_PACKAGE).joinpath("texts.toml").read_text("utf-8"))


@cache
def _examples() -> Mapping[str, Any]:
    """Recorded requests and answers, by operation."""
    folder = resources.files(_PACKAGE).joinpath("examples")
    return {
        file.name.removesuffix(".json"): json.loads(file.read_text("utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".json")
    }


def complete(document: _Node, routes: Iterable[Any]) -> None:
    """Add what is known of the operations of a description, in place.

    Args:
        document: the description as the framework made it.
        routes: the routes it was made from.
    """
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in (ProblemRead, FieldErrorRead):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    components["headers"] = {
        name: {"description": one["description"], "schema": one["schema"]}
        for name, one in _texts()["headers"].items()
    }
    used: set[str] = set()
    for operation, dependant in _operations(document, routes):
        _tell_admission(operation, dependant)
        add_problems(operation)
        _tell_headers(operation, set(_calls(dependant)))
        _give_examples(operation)
        used.update(operation.get("tags", ()))
    document["tags"] = [
        {"name": name, "description": text}
        for name, text in _texts()["tags"].items()
        if name in used
    ]
    _as_read(document)


def _operations(document: _Node, routes: Iterable[Any]) -> Iterator[tuple[_Node, Dependant]]:
    for context in routes:
        for method in context.methods or ():
            operation = document["paths"].get(context.path, {}).get(method.lower())
            if operation is not None and isinstance(context, RouteContext):
                yield operation, context.dependant


def _tell_admission(operation: _Node, dependant: Dependant) -> None:
    """`x-roles`: the roles that may call, absent where no token is needed; and needed headers."""
    found = [one for call in _calls(dependant) if (one := admission_of(call)) is not None]
    if found:
        operation["x-roles"] = [role for role in Role if all(role in one.roles for one in found)]
    # The framework does not know them to be needed: their absence has a problem of its own.
    needed = {_NEEDING[call] for call in _calls(dependant) if call in _NEEDING}
    if any(one.needs_purpose for one in found):
        needed.add(PURPOSE_HEADER)
    for parameter in operation.get("parameters", ()):
        if parameter["name"].lower() in needed:
            parameter["required"] = True


def _calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for needed in dependant.dependencies:
        yield from _calls(needed)


def _tell_headers(operation: _Node, calls: set[Any]) -> None:
    """The headers that answers bear, and those of a request that the framework does not see."""
    responses, is_worded = operation["responses"], request_locale in calls
    tagged = {"200", "304"} if "304" in responses else set()
    tagged |= {"200", "201"} if calls & _TAGGING else set()
    for status, response in responses.items():
        names = ["X-Request-Id", *_texts()["by_status"].get(status, ())]
        if status in tagged:
            names.append("ETag")
        if "x-roles" in operation and status != _UNAUTHENTICATED:
            names += _QUOTA_HEADERS
        if (is_worded and status not in _BODYLESS) or status >= _PROBLEMS_BEGIN:
            names.append("Content-Language")
        headers = response.setdefault("headers", {})
        for name in names:
            headers.setdefault(name, {"$ref": f"#/components/headers/{name}"})
    asked = [
        *(["Accept-Language"] if is_worded else []),
        *(["If-None-Match"] if "304" in responses else []),
    ]
    for name in asked:
        operation.setdefault("parameters", []).append(
            {"name": name, "in": "header", "required": False, **_texts()["asked"][name]}
        )


def _give_examples(operation: _Node) -> None:
    recorded = _examples().get(operation["operationId"], {})
    for content in operation.get("requestBody", {}).get("content", {}).values():
        # No JSON shows a workbook; what says the same is shown beside it.
        if "request" in recorded and content["schema"].get("format") != "binary":
            content["example"] = recorded["request"]
    for status, answers in recorded.get("responses", {}).items():
        contents = operation["responses"].get(status, {}).get("content", {})
        for media_type in contents.keys() & answers.keys():
            contents[media_type]["example"] = answers[media_type]


def _as_read(document: _Node) -> None:
    """Say of parameters and ids what is so: a header is never null, an id of ours is a UUIDv7."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _without_null(parameter["schema"])
    _tell_uuids(document)


def _without_null(schema: _Node) -> _Node:
    """A parameter that is left out is not null: the word would be taken for a value."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**{name: part for name, part in schema.items() if name != "anyOf"}, **kinds[0]}


def _tell_uuids(node: object) -> None:
    """Tools know the format `uuid`, and what of it is ours is a pattern."""
    if isinstance(node, dict):
        if node.get("format") == "uuid7":
            node.update(format="uuid", pattern=_UUID7)
        for child in node.values():
            _tell_uuids(child)
    for child in node if isinstance(node, list) else ():
        _tell_uuids(child)
