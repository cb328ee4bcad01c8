"""The committed interface description is the one the application serves, and it is complete."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI

from app.domain.privacy.roles import Role
from app.domain.words import EVIDENCE_TYPES
from app.features.customers.schemas import CustomerWrite
from app.infra.database import create_database
from app.infra.media_types import CSV, XLSX
from app.infra.settings import Settings
from app.main import create_app
from tests.contract.record_examples import FOLDER, record, stopped_clock
from tests.described import in_full

COMMITTED = Path(__file__).resolve().parents[2] / "openapi" / "openapi.json"
VERB_NOUN = re.compile(
    r"(get|list|put|create|check|try|replay|search|find|verify|merge|cancel|requeue|withdraw|revoke|end|delete|publish|retire)_[a-z]+(_[a-z]+)*"
)
ALWAYS = {"400", "401", "403", "422", "429", "500", "503"}
OPEN = {"/livez", "/readyz"}


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """The application over a database that nobody asks."""
    return create_app(settings, create_database("postgresql://localhost/any", settings))


@pytest.fixture
def served(app: FastAPI) -> dict[str, Any]:
    """What is served at `/openapi.json`."""
    found: dict[str, Any] = json.loads(json.dumps(app.openapi()))
    return found


@pytest.fixture
def document(served: dict[str, Any]) -> dict[str, Any]:
    """The same, as if no operation shared anything with others."""
    return in_full(served)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation with its path."""
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def test_the_committed_description_is_the_served_one(served: dict[str, Any]) -> None:
    """`tiering openapi --out openapi/openapi.json` writes it anew."""
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == served


def test_nothing_is_said_twice_that_operations_can_share(served: dict[str, Any]) -> None:
    said = [
        json.dumps(part)
        for _, operation in operations(served)
        for part in (*operation.get("parameters", ()), *operation["responses"].values())
        if "$ref" not in part
    ]
    assert len(set(said)) == len(said)
    assert len(json.dumps(served)) < 0.6 * len(json.dumps(in_full(served)))


def test_every_operation_is_named_and_described_in_full(document: dict[str, Any]) -> None:
    named = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(named)) == len(named)
    for path, operation in operations(document):
        assert VERB_NOUN.fullmatch(operation["operationId"]), operation["operationId"]
        assert operation["summary"], path
        assert operation["description"], path
        assert operation["tags"], path
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (path, parameter["name"])


def test_every_operation_but_the_probes_takes_a_token_and_tells_its_problems(
    document: dict[str, Any],
) -> None:
    for path, operation in operations(document):
        if path in OPEN:
            assert "security" not in operation, path
            continue
        assert operation["security"] == [{"HTTPBearer": []}], path
        told = set(operation["responses"])
        assert told >= ALWAYS, path
        creates = operation["operationId"].startswith("put_")
        assert creates or "404" in told or "{" not in path, path
        for status in ALWAYS:
            content = operation["responses"][status]["content"]
            assert list(content) == ["application/problem+json"]


def schemas_of_bodies(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema that a request body is read by."""
    known = document["components"]["schemas"]
    waiting = [
        reference
        for _, operation in operations(document)
        if "requestBody" in operation
        for reference in references(operation["requestBody"])
    ]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name, known[name]
            waiting += references(known[name])


def references(node: object) -> list[str]:
    """Names of the schemas that a part of the document refers to."""
    if isinstance(node, dict):
        found = [str(node["$ref"]).rpartition("/")[2]] if "$ref" in node else []
        return found + [name for value in node.values() for name in references(value)]
    if isinstance(node, list):
        return [name for value in node for name in references(value)]
    return []


def is_bounded(schema: dict[str, Any]) -> bool:
    """Whether a schema of one type says where its values end."""
    told = schema.keys()
    match schema["type"]:
        case "string":
            # A file is bounded by the route, which reads it as a stream.
            return bool(told & {"maxLength", "pattern", "format", "contentMediaType"})
        case "integer" | "number":
            return told >= {"minimum", "maximum"}
        case "array":
            return "maxItems" in told
        case "object":
            return schema.get("additionalProperties") is False or "maxProperties" in told
        case kind:
            return kind in {"boolean", "null"}


def unbounded(node: object, place: str) -> Iterator[str]:
    """Strings, numbers, lists and mappings in a schema that have no bound."""
    if isinstance(node, dict):
        is_schema = isinstance(node.get("type"), str)
        if is_schema and not {"enum", "const"} & node.keys() and not is_bounded(node):
            yield place
        for name, value in node.items():
            if name not in {"examples", "description"}:
                yield from unbounded(value, f"{place}.{name}")
    if isinstance(node, list):
        for value in node:
            yield from unbounded(value, place)


@pytest.mark.parametrize(
    "open_ended",
    [
        {"type": "string"},
        {"type": "integer", "minimum": 0},
        {"type": "number", "maximum": 1},
        {"type": "array", "items": {"type": "boolean"}},
        {"type": "object", "properties": {}},
        {"type": "object", "additionalProperties": {"type": "null"}},
    ],
)
def test_a_value_without_an_end_is_found(open_ended: dict[str, Any]) -> None:
    closed = {"type": "object", "additionalProperties": False}
    held = {**closed, "properties": {"a": {"anyOf": [{"type": "null"}, open_ended]}}}
    assert list(unbounded(held, "Body")) == ["Body.properties.a.anyOf"]


def test_request_bodies_forbid_what_they_do_not_know_and_bound_what_they_do(
    document: dict[str, Any],
) -> None:
    named = dict(schemas_of_bodies(document))
    assert {"CustomerWrite", "LookupCreate", "TrialCreate"} <= set(named)
    for name, schema in named.items():
        if schema["type"] == "object":
            assert schema["additionalProperties"] is False, name
    inline = {
        path: operation["requestBody"]
        for path, operation in operations(document)
        if "requestBody" in operation
    }
    found = [
        place for name, schema in {**named, **inline}.items() for place in unbounded(schema, name)
    ]
    assert found == []


def test_parameters_are_bounded(document: dict[str, Any]) -> None:
    # What their standards leave open; nothing of them is kept.
    headers = {"Accept-Language", "If-None-Match"}
    found = [
        place
        for path, operation in operations(document)
        for parameter in operation.get("parameters", ())
        if parameter["name"] not in headers
        for place in unbounded(parameter["schema"], f"{path} {parameter['name']}")
    ]
    assert found == []


def test_examples_are_accepted_by_the_schema_they_stand_in() -> None:
    (example,) = CustomerWrite.model_json_schema()["examples"]
    assert CustomerWrite.model_validate(example).kind == "individual"


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is sent and answered, with its place."""
    for path, operation in operations(document):
        name = operation["operationId"]
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{path} {name} {media_type}", content
        for status, response in operation["responses"].items():
            for media_type, content in response.get("content", {}).items():
                yield f"{path} {name} {status} {media_type}", content


def test_every_body_is_shown_and_every_example_is_one_that_its_schema_takes(
    document: dict[str, Any],
) -> None:
    checked, binary = 0, set[str]()
    # One for all: each would drag all components along.
    schemas = {json.dumps(one["schema"]): one["schema"] for _, one in bodies(document)}
    validator = jsonschema_rs.Draft202012Validator(
        {"components": document["components"], "required": [], "properties": schemas}
    )
    for place, content in bodies(document):
        shown = [content["example"]] if "example" in content else []
        shown += [one["value"] for one in content.get("examples", {}).values()]
        if content["schema"].get("format") == "binary":
            # No JSON shows a workbook; the text that says the same is shown beside it.
            assert not shown, place
            binary.add(place)
            continue
        assert shown, f"{place}: add its call to tests/contract/record_examples.py"
        key = json.dumps(content["schema"])
        for example in shown:
            assert [str(error) for error in validator.iter_errors({key: example})] == [], place
            checked += 1
    assert checked > 100
    evidence = "/v1/overrides/{override_id}/evidence/{sha256} get_override_evidence 200"
    movers = "/v1/rule-sets/{rule_set_id}/simulations/{simulation_id}/movers list_movers 200"
    assert binary == {
        f"/v1/customers list_customers 200 {XLSX}",
        f"{movers} {XLSX}",
        f"/v1/rule-sets/{{rule_set_id}}/versions/{{version}} get_rule_set_version 200 {XLSX}",
        *(f"{evidence} {kind}" for kind in EVIDENCE_TYPES if kind != "text/plain"),
    }
    listed = document["paths"]["/v1/customers"]["get"]["responses"]["200"]["content"]
    assert listed[CSV]["example"].startswith("\ufeffCustomer id,")


@pytest.mark.anyio
async def test_the_examples_are_what_the_service_answers(
    fresh_database_url: str, tmp_path: Path
) -> None:
    with stopped_clock():
        recorded = await record(fresh_database_url, tmp_path)
    kept = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")}
    assert recorded == kept, (
        "run `python -m tests.contract.record_examples`, then `tiering openapi`"
    )


def test_every_tag_and_header_is_worded(document: dict[str, Any]) -> None:
    used = {tag for _, operation in operations(document) for tag in operation["tags"]}
    worded = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert used == set(worded), "word the tag in app/infra/description/texts.toml"
    for path, operation in operations(document):
        asked = {one["name"].lower() for one in operation.get("parameters", ())}
        for status, response in operation["responses"].items():
            headers = set(response["headers"])
            assert "X-Request-Id" in headers, (path, status)
            assert ("Retry-After" in headers) == (status in {"429", "503"}), (path, status)
            assert ("Content-Language" in headers) or status < "400", (path, status)
            is_tagged = status in {"200", "304"} and "304" in operation["responses"]
            is_tagged |= status in {"200", "201"} and "if-match" in asked
            # What is changed with `If-Match` tells its version wherever it is answered.
            told = json.dumps(response.get("content"))
            is_tagged |= "schemas/OverrideRead" in told or "schemas/DraftRead" in told
            assert ("ETag" in headers) == is_tagged, (path, status)
            has_quota = "x-roles" in operation and status != "401"
            assert ("RateLimit" in headers) == has_quota, (path, status)
            assert ("Location" in headers) == (status in {"201", "202"}), (path, status)


def test_roles_are_those_that_the_routes_ask_for(document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert paths["/metrics"]["get"]["x-roles"] == ["admin"]
    assert "x-roles" not in paths["/livez"]["get"]
    assert set(paths["/v1/tiers"]["get"]["x-roles"]) == set(Role)
