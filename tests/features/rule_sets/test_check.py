"""Checking documents over HTTP: what is found, who may ask, and what a bad body is answered."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import Any

import pytest
from httpx import Response

from app.domain.privacy.roles import Role
from app.domain.rules.writing import document_hash
from app.features.rule_sets.service import DMN, represent, shipped_documents
from app.infra.documents import write_document
from app.infra.media_types import XLSX
from tests.api import Api, Caller
from tests.domain.templates.books import raw
from tests.features.rule_sets.test_read_rule_sets import READERS
from tests.features.rule_sets.test_rule_sets import document

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("templates")]

PATH = "/v1/rule-sets/check"
YAML = "application/yaml"
JSON = "application/json"


async def send(
    api: Api,
    body: bytes | str,
    media_type: str | None = YAML,
    *,
    role: Caller | Role | None = Role.RULE_AUTHOR,
    query: str = "",
) -> Response:
    """Ask for a check."""
    headers = {} if media_type is None else {"Content-Type": media_type}
    if role is not None:
        caller = Caller(role) if isinstance(role, Role) else role
        headers["Authorization"] = f"Bearer {api.token(caller)}"
    return await api.client.post(PATH + query, content=body, headers=headers)


async def checked(api: Api, body: bytes | str, media_type: str = YAML) -> dict[str, Any]:
    answer = await send(api, body, media_type)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: Response) -> tuple[int, str, Any]:
    problem = answer.json()
    return answer.status_code, problem["type"], problem.get("errors")


async def test_rule_people_officers_and_compliance_may_check_and_nobody_else(
    api: Api,
) -> None:
    assert (await send(api, "a: 1", role=None)).status_code == 401
    for role in {*Role} - {*READERS}:
        caller = Caller(role, "C1" if role is Role.CUSTOMER else None)
        assert (await send(api, "a: [1", role=caller)).status_code == 403, role
    for role in READERS:
        assert (await send(api, "a: 1", role=role)).status_code == 200, role


async def test_a_good_document_is_ok_and_told_the_hash_it_would_have(
    api: Api,
) -> None:
    found = await checked(api, write_document(raw("all")))
    shipped = {each.id: document_hash(each) for each in shipped_documents()}
    assert (found["ok"], found["hash"]) == (True, shipped["all"])
    assert [each for each in found["findings"] if each["severity"] == "error"] == []


async def test_json_and_yaml_of_one_document_are_answered_alike(api: Api) -> None:
    wrong = dict(raw("all")) | {"objective": "none"}
    as_yaml = await checked(api, write_document(wrong))
    as_json = await checked(api, json.dumps(wrong), JSON)
    assert as_yaml == as_json
    assert (as_yaml["ok"], as_yaml["hash"]) == (False, None)
    remarks = [each for each in as_yaml["findings"] if each["severity"] != "error"]
    assert {each["code"] for each in remarks} >= {"partly-checked"}
    assert [each for each in as_yaml["findings"] if each not in remarks] == [
        {
            "code": "bad-choice",
            "severity": "error",
            "path": "objective",
            "table": None,
            "rules": [],
            "message": "none is not one of the choices.",
            "suggestion": "Use one of balanced, renewal, hnw_growth.",
            "box": None,
            "sides": [],
            "witness": {},
            "affected_customers": None,
            "affected_fewer_than": None,
            "affected_share": None,
        }
    ]
    assert (as_yaml["counted"], as_yaml["uncounted"]) == (None, "nothing-to-count")


async def test_an_error_of_form_hides_no_gap_and_tables_that_were_not_checked_are_named(
    api: Api,
) -> None:
    wrong: dict[str, Any] = copy.deepcopy(dict(raw("all")))
    broken, short = wrong["tables"][:2]
    broken["rules"][0]["when"] = {"nothing": "1"}
    short["rules"].pop()
    found = await checked(api, write_document(wrong))
    assert (found["ok"], found["hash"]) == (False, None)
    told = {(each["code"], each["severity"], each["table"]) for each in found["findings"]}
    assert {
        ("undeclared-input", "error", broken["id"]),
        ("not-checked", "warning", broken["id"]),
        ("gap", "error", short["id"]),
    } <= told


async def test_what_a_document_extends_is_taken_from_what_is_stored(
    api: Api,
) -> None:
    assert (await checked(api, document()))["ok"] is True
    missing = await checked(api, document().replace("all@1", "all@9"))
    assert [each["code"] for each in missing["findings"]] == ["extends-missing"]


@pytest.mark.parametrize(
    ("body", "media_type", "errors"),
    [
        ("a: &x [1]\nb: *x", YAML, [{"loc": ["body", 2, 4], "type": "alias"}]),
        ("a: 1\na: secret", YAML, [{"loc": ["body", 2, 1], "type": "key_twice"}]),
        ("a: !!python/name:os.system", YAML, [{"loc": ["body", 1, 4], "type": "tag"}]),
        ("a: {" * 60, YAML, [{"loc": ["body", 1, 157], "type": "depth"}]),
        ("a: [1", YAML, [{"loc": ["body", 1, 6], "type": "syntax"}]),
        ("- 1", YAML, [{"loc": ["body"], "type": "mapping_type"}]),
        ("", YAML, [{"loc": ["body"], "type": "mapping_type"}]),
        (b"a: 1\nb: \xff", YAML, [{"loc": ["body", 2, 4], "type": "encoding"}]),
        ('{"a": 1, "a": 2}', JSON, [{"loc": ["body", 1, 10], "type": "key_twice"}]),
        ('{"a": NaN}', JSON, [{"loc": ["body"], "type": "syntax"}]),
        ('{"a": ' + "[" * 50_000, JSON, [{"loc": ["body", 1, 46], "type": "depth"}]),
        ("a: 1", JSON, [{"loc": ["body", 1, 1], "type": "syntax"}]),
    ],
)
async def test_a_body_that_is_no_document_is_a_problem_with_its_place_and_without_its_words(
    api: Api, body: bytes | str, media_type: str, errors: list[Any]
) -> None:
    answer = await send(api, body, media_type)
    assert refused(answer) == (422, "/problems/document-unreadable", errors)
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "application/xml", "application/yaml; charset=gbk"]
)
async def test_what_is_neither_json_nor_yaml_is_answered_415(
    api: Api, media_type: str | None
) -> None:
    assert (await send(api, "a: 1", media_type)).status_code == 415


async def test_a_body_over_the_limit_is_answered_413_and_an_odd_query_422(api: Api) -> None:
    assert (await send(api, b" " * 1_000_001)).status_code == 413
    assert (await send(api, "a: 1", query="?count=perhaps")).status_code == 422
    assert (await send(api, "a: 1", query="?other=1")).status_code == 422


async def test_ten_thousand_rows_are_too_many_and_hold_up_nobody(api: Api) -> None:
    long = json.loads(json.dumps(raw("all")))
    table = next(each for each in long["tables"] if each["id"] == "pyramid_layer")
    table["rules"] = [{"id": f"R{at}", "then": "base"} for at in range(10_000)]
    asked = asyncio.ensure_future(checked(api, json.dumps(long), JSON))
    assert (await api.get("/livez")).status_code == 200
    found = await asked
    assert "too-many" in [each["code"] for each in found["findings"]]


@pytest.mark.parametrize("form", [XLSX, DMN])
async def test_a_workbook_and_a_dmn_file_are_checked_like_their_document(
    api: Api, form: str
) -> None:
    (motor,) = [found for found in shipped_documents() if found.id == "motor"]
    answer = await send(api, represent(motor, form), form, query="?count=false")
    assert answer.status_code == 200, answer.text
    assert answer.json()["hash"] == document_hash(motor)


async def test_what_a_form_gets_wrong_is_a_finding_with_its_place(api: Api) -> None:
    (motor,) = [found for found in shipped_documents() if found.id == "motor"]
    wrong = represent(motor, DMN).replace(b"<text>null</text>", b"<text>now()</text>")
    found = await checked(api, wrong, DMN)
    assert (found["ok"], found["hash"]) == (False, None)
    assert {each["code"] for each in found["findings"]} == {"dmn-feel"}
    assert found["findings"][0]["path"].startswith("decision[")
