"""Reading rule sets over HTTP: the list, the templates, and one version's document."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest

from app.domain.privacy.roles import Role
from app.domain.rules.findings import DocumentError, Finding
from app.domain.rules.writing import document_hash
from app.features.rule_sets import service
from app.features.rule_sets.service import (
    SUFFIXES,
    get_version,
    load_document,
    represent,
    shipped_documents,
)
from app.infra.database import AsyncSession
from app.infra.documents import read_document
from app.infra.media_types import XLSX
from tests.api import Api, Caller
from tests.features.rule_sets.test_rule_sets import document

pytestmark = pytest.mark.anyio

READERS = [
    Role.RULE_AUTHOR,
    Role.RULE_PUBLISHER,
    Role.RISK_OFFICER,
    Role.BUSINESS_OFFICER,
    Role.COMPLIANCE,
]
VERSION = "/v1/rule-sets/all/versions/1"
PATHS = ["/v1/rule-sets", "/v1/rule-templates", VERSION]


@pytest.fixture(autouse=True)
async def stored(templates: None) -> None:
    """The shipped rule sets in force."""


@pytest.mark.parametrize("path", PATHS)
async def test_who_has_no_token_or_no_business_with_rules_is_refused(api: Api, path: str) -> None:
    assert (await api.get(path)).status_code == 401
    for role in {*Role} - {*READERS}:
        caller = Caller(role, "C1" if role is Role.CUSTOMER else None)
        assert (await api.get(path, caller)).status_code == 403, role
    for role in READERS:
        assert (await api.get(path, role)).status_code == 200, role


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_known_is_not_sent_again(api: Api, path: str) -> None:
    tag = (await api.get(path, Role.RULE_AUTHOR)).headers["ETag"]
    again = await api.get(path, Role.RULE_AUTHOR, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_list_says_which_version_decides_and_since_when(
    api: Api, session: AsyncSession
) -> None:
    loaded = await load_document(session, document(), valid_from=date(2020, 1, 1))
    await load_document(session, document(bound="0.6"), valid_from=date(2199, 1, 1))
    await session.commit()
    items = (await api.get("/v1/rule-sets", Role.RULE_AUTHOR)).json()["items"]
    listed = {item["id"]: item for item in items}
    assert list(listed) == sorted(listed)
    stored = listed["motor-strict"]["versions"]
    second = stored[1]["hash"]
    never = {"origin": "loaded", "published_at": None}
    assert listed["motor-strict"] == {
        "id": "motor-strict",
        "product_line": "motor",
        "title": {"en": "Strict", "zh": "严格"},
        "in_force": 1,
        "versions": [
            {"version": 1, "hash": loaded.hash, "created_at": stored[0]["created_at"], **never},
            {"version": 2, "hash": second, "created_at": stored[1]["created_at"], **never},
        ],
        "activations": [
            {"version": 1, "valid_from": "2020-01-01", "valid_to": "2199-01-01"},
            {"version": 2, "valid_from": "2199-01-01", "valid_to": None},
        ],
    }
    assert listed["motor"]["in_force"] is None
    assert listed["motor"]["activations"] == [
        {"version": 1, "valid_from": None, "valid_to": "2020-01-01"}
    ]
    assert listed["all"]["in_force"] == 1


async def test_templates_are_those_of_the_package_with_the_version_they_are_stored_as(
    api: Api,
) -> None:
    items = (await api.get("/v1/rule-templates", Role.COMPLIANCE)).json()["items"]
    assert [item["id"] for item in items] == sorted(found.id for found in shipped_documents())
    (motor,) = [item for item in items if item["id"] == "motor"]
    (shipped,) = [found for found in shipped_documents() if found.id == "motor"]
    assert motor == {
        "id": "motor",
        "product_line": "motor",
        "title": {"en": shipped.title.en, "zh": shipped.title.zh},
        "objectives": sorted(shipped.objectives),
        "hash": motor["hash"],
        "version": 1,
    }


async def test_the_json_of_a_version_is_what_its_hash_is_of(api: Api) -> None:
    answer = await api.get(VERSION, Role.RULE_AUTHOR)
    digest = hashlib.sha256(answer.content).hexdigest()
    assert answer.headers["ETag"] == f'"{digest}"'
    assert answer.headers["Content-Type"] == "application/json"
    items = (await api.get("/v1/rule-sets", Role.RULE_AUTHOR)).json()["items"]
    assert [item["versions"][0]["hash"] for item in items if item["id"] == "all"] == [digest]


async def test_the_yaml_says_the_same_and_can_be_loaded_again(
    api: Api, session: AsyncSession
) -> None:
    written = await api.get(VERSION, Role.RULE_AUTHOR, headers={"Accept": "application/yaml"})
    json = await api.get(VERSION, Role.RULE_AUTHOR)
    assert written.headers["Content-Type"].startswith("application/yaml")
    assert written.headers["ETag"] != json.headers["ETag"]
    assert read_document(written.text) == json.json()
    again = await load_document(session, written.text)
    assert f'"{again.hash}"' == json.headers["ETag"]
    assert again.version == 1


async def test_who_holds_it_already_is_not_sent_it_again(api: Api) -> None:
    tag = (await api.get(VERSION, Role.COMPLIANCE)).headers["ETag"]
    for known, accept, status in (
        (tag, "application/json", 304),
        (f'"other", W/{tag}', "*/*", 304),
        (tag, "application/yaml", 200),
        ('"other"', "application/json", 200),
    ):
        answer = await api.get(
            VERSION, Role.COMPLIANCE, headers={"If-None-Match": known, "Accept": accept}
        )
        assert (answer.status_code, bool(answer.content)) == (status, status == 200), known


@pytest.mark.parametrize(
    ("accept", "status", "media_type"),
    [
        ("application/*;q=0.5, application/json;q=0.1", 200, "application/yaml"),
        ("application/yaml;q=0, */*", 200, "application/json"),
        ("application/yaml;q=nonsense, application/json;q=0.001", 200, "application/json"),
        ("", 200, "application/json"),
        ("application/dmn+xml", 200, "application/dmn+xml"),
        ("application/pmml+xml", 200, "application/pmml+xml"),
        (XLSX, 200, XLSX),
        ("application/xml", 406, "application/problem+json"),
        ("application/pdf", 406, "application/problem+json"),
        ("application/json;q=2", 406, "application/problem+json"),
    ],
)
async def test_accept_decides_on_the_form(
    api: Api, accept: str, status: int, media_type: str
) -> None:
    answer = await api.get(VERSION, Role.RULE_AUTHOR, headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.headers["Content-Type"].partition(";")[0] == media_type


@pytest.mark.parametrize(("media_type", "suffix"), list(SUFFIXES.items()))
async def test_each_form_is_a_file_with_a_tag_of_its_own(
    api: Api, session: AsyncSession, media_type: str, suffix: str
) -> None:
    headers = {"Accept": media_type}
    answer = await api.get(VERSION, Role.RULE_AUTHOR, headers=headers)
    stored = (await get_version(session, rule_set_id="all", version=1)).compiled.document
    assert answer.content == represent(stored, media_type)
    name = f'attachment; filename="all-1.{suffix}"'
    assert answer.headers["Content-Disposition"].startswith(name)
    assert answer.headers["Vary"] == "Accept"
    mark = "" if suffix == "json" else f"-{suffix}"
    assert answer.headers["ETag"] == f'"{document_hash(stored)}{mark}"'
    headers["If-None-Match"] = answer.headers["ETag"]
    again = await api.get(VERSION, Role.RULE_AUTHOR, headers=headers)
    assert (again.status_code, again.content) == (304, b"")


async def test_what_a_form_cannot_carry_is_a_problem_with_the_places(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No fact of the catalogue has more digits than PMML keeps, so the refusal itself is made up.
    def refuse(*_: object) -> bytes:
        raise DocumentError([Finding("scorecard.x.bins[0]", "not-carried", "No.", "Do.")] * 60)

    monkeypatch.setattr(service, "represent", refuse)
    answer = await api.get(VERSION, Role.RULE_AUTHOR, headers={"Accept": "application/pmml+xml"})
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["type"] == "/problems/not-carried"
    assert problem["errors"] == [{"loc": ["scorecard.x.bins[0]"], "type": "not-carried"}] * 50


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/rule-sets/all/versions/2", 404),
        ("/v1/rule-sets/nobody/versions/1", 404),
        ("/v1/rule-sets/all/versions/0", 422),
        ("/v1/rule-sets/all/versions/2147483648", 422),
        ("/v1/rule-sets/all/versions/one", 422),
        ("/v1/rule-sets/ALL/versions/1", 422),
        ("/v1/rule-sets/a%00/versions/1", 422),
    ],
)
async def test_a_version_that_is_not_there_is_a_problem(api: Api, path: str, status: int) -> None:
    answer = await api.get(path, Role.RULE_AUTHOR)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
