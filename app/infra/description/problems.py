"""The problems that an operation tells, with an example of each."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field

from app.infra.locale import Locale
from app.infra.problems import CATALOGUE, FURTHER_ERRORS, MOST_ERRORS, PROBLEM_MEDIA_TYPE

#: What any operation that takes a token may answer.
ALWAYS: Final = (
    "bad-request",
    "role-required",
    "purpose-unknown",
    "unauthenticated",
    "forbidden",
    "role-not-held",
    "validation",
    "too-many-requests",
    "internal",
    "unavailable",
    "timeout",
)
#: What any operation with a body may answer besides, and one with the header.
OF_BODIES: Final = ("request-timeout", "body-too-large", "unsupported-media-type")
PURPOSE_HEADER: Final = "x-purpose"
KEY_HEADER: Final = "idempotency-key"
CONDITION_HEADER: Final = "if-match"
OF_HEADERS: Final = {
    KEY_HEADER: ("idempotency-key-in-use", "idempotency-key-reused"),
    CONDITION_HEADER: ("precondition-failed",),
}
#: Where the header is needed, it is asked for.
_NEEDED: Final = {
    PURPOSE_HEADER: ("purpose-required",),
    KEY_HEADER: ("idempotency-key-required",),
    CONDITION_HEADER: ("precondition-required",),
}
_EXAMPLE_ID: Final = "01a203c5-d8e4-7e70-99e9-34c1969cd2d3"
_REFUSED: Final = {
    "validation": [{"loc": ["path", "customer_id"], "type": "string_pattern_mismatch"}]
}


class FieldErrorRead(BaseModel):
    """Where a request was refused, and by which rule."""

    loc: list[str | int] = Field(description="Path to the place; `?` stands for an unknown name.")
    type: str = Field(
        description=f"The rule that refused it; `{FURTHER_ERRORS}`, the last of {MOST_ERRORS + 1},"
        " stands for those that are not named."
    )


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


def problem_responses(*told: int | str) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of an operation: the given problems and those that any operation may tell.

    Args:
        told: slugs such as `not-evaluated`; a status such as 404 stands for its first problem.

    Raises:
        KeyError: the catalogue has no such problem.
    """
    responses: dict[int | str, dict[str, Any]] = {}
    for slug in [*ALWAYS, *(_first_of(one) for one in told)]:
        _tell(responses, slug, status=CATALOGUE[slug].status)
    return {status: responses[status] for status in sorted(responses, key=int)}


def read_responses(*told: int | str) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a read that `If-None-Match` makes conditional."""
    unchanged = {"description": "The `ETag` in `If-None-Match` is still that of the answer."}
    return {304: unchanged, **problem_responses(*told)}


def add_problems(operation: dict[str, Any]) -> None:
    """Add to a finished operation the problems that its body and its headers bring with them."""
    parameters = operation.get("parameters", ())
    asked = {one["name"].lower(): one.get("required", False) for one in parameters}
    slugs = [slug for name, told in OF_HEADERS.items() if name in asked for slug in told]
    slugs += [slug for name, told in _NEEDED.items() if asked.get(name, False) for slug in told]
    if "requestBody" in operation:
        slugs += OF_BODIES
    responses = operation["responses"]
    for slug in slugs:
        _tell(responses, slug, status=str(CATALOGUE[slug].status))
    operation["responses"] = dict(sorted(responses.items()))


def _first_of(told: int | str) -> str:
    if isinstance(told, str):
        return told
    return next(slug for slug, entry in CATALOGUE.items() if entry.status == told)


def _tell(responses: dict[Any, dict[str, Any]], slug: str, *, status: int | str) -> None:
    """Add a problem to the response of its status."""
    title = CATALOGUE[slug].title[Locale.EN]
    schema = {"$ref": f"#/components/schemas/{ProblemRead.__name__}"}
    response = responses.setdefault(
        status,
        {"description": title, "content": {PROBLEM_MEDIA_TYPE: {"schema": schema, "examples": {}}}},
    )
    examples = response["content"][PROBLEM_MEDIA_TYPE]["examples"]
    if examples and slug not in examples:
        response["description"] += f"; {title}"
    examples[slug] = _example(slug)


def _example(slug: str) -> dict[str, Any]:
    entry = CATALOGUE[slug]
    document: dict[str, Any] = {
        "type": f"/problems/{slug}",
        "title": entry.title[Locale.EN],
        "status": entry.status,
        "detail": entry.detail[Locale.EN],
        "request_id": _EXAMPLE_ID,
    }
    if slug in _REFUSED:
        document["errors"] = _REFUSED[slug]
    return {"summary": entry.title[Locale.EN], "value": document}
