"""What operations say alike is said once, and nothing of it is lost."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.infra.description import share
from app.infra.problems import PROBLEM_MEDIA_TYPE
from tests.described import in_full

Node = dict[str, Any]

#: Few words, so that parts are often alike.
WORDS: Final = st.sampled_from("ab")
PARAMETERS: Final = st.fixed_dictionaries(
    {"in": st.sampled_from(["path", "query"]), "name": WORDS, "required": st.booleans()},
    optional={"description": WORDS},
)
PROBLEMS: Final = st.dictionaries(
    st.sampled_from(["conflict", "not-evaluated"]), st.fixed_dictionaries({"summary": WORDS})
)
RESPONSES: Final = st.one_of(
    st.fixed_dictionaries({"description": WORDS}),
    st.builds(
        lambda text, media_type, examples: {
            "description": text,
            "content": {media_type: {"examples": examples}},
        },
        WORDS,
        st.sampled_from([PROBLEM_MEDIA_TYPE, "application/json"]),
        PROBLEMS,
    ),
)
OPERATIONS: Final = st.fixed_dictionaries(
    {"responses": st.dictionaries(st.sampled_from(["200", "304", "409"]), RESPONSES)},
    optional={"parameters": st.lists(PARAMETERS, max_size=3)},
)
DOCUMENTS: Final = st.fixed_dictionaries(
    {"paths": st.dictionaries(WORDS, st.dictionaries(st.sampled_from(["get", "put"]), OPERATIONS))}
)


def described(*operations: Node) -> Node:
    """A description of operations that are independent of each other."""
    return {"paths": {f"/{n}": {"get": deepcopy(one)} for n, one in enumerate(operations)}}


def refused(*slugs: str, status: str = "409", text: str = "Refused") -> Node:
    """An operation that answers problems."""
    examples = {slug: {"summary": slug} for slug in slugs}
    content = {PROBLEM_MEDIA_TYPE: {"examples": examples}}
    return {"responses": {status: {"description": text, "content": content}}}


def asks(name: str, place: str = "header", **said: object) -> Node:
    """An operation with one parameter."""
    return {"parameters": [{"name": name, "in": place, **said}], "responses": {}}


@given(DOCUMENTS)
def test_with_its_references_followed_a_description_is_what_it_was(document: Node) -> None:
    before = deepcopy(document)
    share(document)
    full = in_full(document)
    assert full["paths"] == before["paths"]
    again = deepcopy(before)
    share(again)
    assert json.dumps(again) == json.dumps(document)


@given(DOCUMENTS)
def test_the_order_of_operations_names_nothing(document: Node) -> None:
    turned = {"paths": dict(reversed(deepcopy(document)["paths"].items()))}
    share(document)
    share(turned)
    assert turned == document


@pytest.mark.parametrize(
    ("operation", "section", "name"),
    [
        (refused("conflict"), "responses", "conflict"),
        (refused("conflict", "not-evaluated"), "responses", "conflict.not-evaluated"),
        ({"responses": {"304": {"description": "As it was"}}}, "responses", "not-modified"),
        (asks("limit", "query", required=False), "parameters", "query.limit"),
        (asks("limit", "path", required=True), "parameters", "path.limit"),
        (asks("If-Match", required=True), "parameters", "header.If-Match.required"),
    ],
)
def test_what_is_said_twice_is_named_by_what_it_is(
    operation: Node, section: str, name: str
) -> None:
    document = described(operation, operation)
    share(document)
    assert list(document["components"][section]) == [name]
    assert document["paths"]["/0"] == document["paths"]["/1"]
    assert f'"#/components/{section}/{name}"' in json.dumps(document["paths"]["/0"])


def test_a_problem_is_shown_once_and_a_response_of_one_operation_stands_there() -> None:
    document = described(refused("not-evaluated"), refused("conflict", "not-evaluated"))
    share(document)
    components = document["components"]
    assert components == {
        "examples": {slug: {"summary": slug} for slug in ("conflict", "not-evaluated")}
    }
    examples = document["paths"]["/0"]["get"]["responses"]["409"]["content"][PROBLEM_MEDIA_TYPE]
    assert examples == {
        "examples": {"not-evaluated": {"$ref": "#/components/examples/not-evaluated"}}
    }
    assert list(components["examples"]) == ["conflict", "not-evaluated"]


@pytest.mark.parametrize(
    "operations",
    [
        (asks("since", "query", schema={"type": "string"}), asks("since", "query", schema={})),
        (asks("version", "query"), asks("version", "path")),
        (asks("If-Match", required=True), asks("If-Match", required=False)),
        ({"responses": {"204": {"description": "Gone"}}}, {"responses": {"204": {}}}),
    ],
)
def test_what_differs_is_not_taken_for_the_same(operations: tuple[Node, Node]) -> None:
    document = described(*operations)
    share(document)
    assert document == described(*operations)


def test_a_description_keeps_the_components_it_has() -> None:
    document = described(refused("conflict"), refused("conflict"))
    document["components"] = {"schemas": {"ProblemRead": {"type": "object"}}}
    share(document)
    assert list(document["components"]) == ["schemas", "examples", "responses"]
