"""Drafts: who may, how they begin, how they are edited, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.features.rule_sets.service import (
    DMN,
    get_draft,
    load_document,
    represent,
    shipped_documents,
)
from app.infra.database import AsyncSession
from app.infra.documents import write_document
from tests.api import Api, Caller
from tests.features.rule_sets.desk import (
    ADA,
    ALAN,
    PIA,
    READERS,
    TEMPLATE,
    TITLE,
    RuleDesk,
    overlay,
    refused,
)
from tests.features.rule_sets.test_rule_sets import document

pytestmark = pytest.mark.anyio

YAML = {"Content-Type": "application/yaml", "If-Match": "*"}


@pytest.fixture
async def rules(api: Api, templates: None) -> RuleDesk:  # noqa: ARG001 - they are drafted from.
    """The routes, over the shipped rule sets."""
    return RuleDesk(api)


async def test_only_authors_open_edit_and_discard_and_only_readers_of_rules_read(
    rules: RuleDesk,
) -> None:
    await rules.opened()
    calls: list[tuple[str, str, object, set[Role]]] = [
        ("POST", "", {"id": "other", "from": {"template": "life"}}, {Role.RULE_AUTHOR}),
        ("GET", "/own/draft", None, set(READERS)),
        ("PUT", "/own/draft", overlay(), {Role.RULE_AUTHOR}),
        ("DELETE", "/own/draft", None, {Role.RULE_AUTHOR}),
    ]
    for method, path, body, served in calls:
        tag = {"If-Match": "*"}
        assert (await rules.send(method, path, None, body, tag)).status_code == 401
        for role in sorted(set(Role) - served):
            caller = Caller(role, "C1" if role is Role.CUSTOMER else None)
            answer = await rules.send(method, path, caller, body, tag)
            assert answer.status_code == 403, (method, path, role)
        for role in sorted(served):
            answer = await rules.send(method, path, Caller(role), body, tag)
            assert answer.is_success, (method, path, role, answer.text)


async def test_a_draft_begins_as_an_overlay_of_a_template(rules: RuleDesk) -> None:
    answer = await rules.open(title=TITLE)
    told = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/v1/rule-sets/own/draft"
    assert told == {
        "id": "own",
        "product_line": "motor",
        "revision": 1,
        "hash": told["hash"],
        "based_on": "motor@1",
        "document": {
            "format": "tiering/1",
            "id": "own",
            "product_line": "motor",
            "title": TITLE,
            "extends": "motor@1",
        },
        "editors": 1,
        "edited_by_caller": True,
        "created_at": told["created_at"],
        "updated_at": told["created_at"],
    }
    read = await rules.draft(PIA)
    assert read.json() == {**told, "edited_by_caller": False}
    assert read.headers["ETag"] == answer.headers["ETag"]


async def test_a_copy_of_a_version_says_everything_itself_and_resolves_to_the_same(
    rules: RuleDesk, session: AsyncSession
) -> None:
    shipped = (await rules.listed("motor"))["versions"][0]["hash"]
    stored = {"rule_set": "motor", "version": 1}
    wanted: dict[str, Any] = {"as": "copy"}
    for source, form in ((stored, {}), (TEMPLATE, wanted)):
        told = (await rules.opened(ADA, source, id="motor", **form)).json()
        assert (told["hash"], told["based_on"]) == (shipped, "motor@1")
        assert list(told["document"])[:3] == ["format", "id", "product_line"]
        assert "extends" not in told["document"]
        draft = await get_draft(session, rule_set_id="motor")
        assert (draft.hash, draft.revision, draft.product_line) == (shipped, 1, "motor")
        assert draft.document.id == draft.rule_set_id == "motor"
        await rules.send("DELETE", "/motor/draft", ADA, headers={"If-Match": "*"})
    # An overlay has no tests: they prove the document that they were written for.
    wanted["as"] = "overlay"
    over = (await rules.opened(ADA, stored, id="motor", **wanted)).json()
    assert (over["hash"] == shipped, over["document"]["extends"]) == (False, "motor@1")


async def test_a_draft_begins_with_a_document(rules: RuleDesk) -> None:
    given = overlay("mine")
    told = (await rules.opened(source=None, id="mine", document=given)).json()
    assert (told["document"], told["based_on"]) == (given, None)
    title = {"en": "Its", "zh": "其"}
    other = await rules.opened(
        source=None, id="its", document=overlay("its"), product_line="property", title=title
    )
    assert other.json()["product_line"] == "property"
    assert other.json()["document"]["title"] == title


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"from": {"template": "nothing"}}, 404, "not-found"),
        ({"from": {"rule_set": "motor", "version": 9}}, 404, "not-found"),
        ({"from": {"rule_set": "motor"}}, 422, "validation"),
        ({"from": {"template": "motor", "version": 1}}, 422, "validation"),
        ({"from": {}}, 422, "validation"),
        ({"from": None}, 422, "validation"),
        ({"document": overlay()}, 422, "validation"),
        ({"id": "Own"}, 422, "validation"),
        ({"id": "a" * 65}, 422, "validation"),
        ({"title": {"en": "Only English"}}, 422, "validation"),
        ({"title": {"en": " ", "zh": "空"}}, 422, "validation"),
        ({"product_line": "boats"}, 422, "validation"),
        ({"as": "link"}, 422, "validation"),
        ({"surplus": 1}, 422, "validation"),
        ({"from": None, "document": {**overlay(), "objective": 1.5}}, 422, "validation"),
        ({"from": None, "document": {**overlay(), "objective": "\ud800"}}, 422, "validation"),
        ({"from": None, "document": {"id": "own"}}, 422, "rule-set-refused"),
        ({"from": None, "document": overlay("other")}, 422, "rule-set-refused"),
        ({"from": None, "document": overlay(extends="motor@9")}, 422, "rule-set-refused"),
        ({"from": None, "document": overlay(extends="own@1")}, 422, "rule-set-refused"),
        # Motor is that of motor, whoever opens it.
        ({"id": "motor", "product_line": "life"}, 422, "rule-set-refused"),
    ],
)
async def test_what_no_draft_begins_with_is_refused_at_the_door(
    rules: RuleDesk, body: dict[str, Any], status: int, slug: str
) -> None:
    wanted = {"id": "own", "from": {"template": "motor"}} | body
    given = {name: value for name, value in wanted.items() if value is not None}
    answer = await rules.api.call(
        "POST",
        "/v1/rule-sets",
        ADA,
        headers={"Content-Type": "application/json"},
        content=json.dumps(given).encode(),
    )
    assert refused(answer) == (status, slug), answer.text
    assert (await rules.draft()).status_code == 404


async def test_one_draft_is_open_per_rule_set(rules: RuleDesk) -> None:
    await rules.opened()
    assert refused(await rules.open(ALAN)) == (409, "draft-open")
    # By its key it is the same request.
    body = {"id": "twice", "from": {"template": "life"}}
    key = {"Idempotency-Key": "twice"}
    first = await rules.send("POST", "", ADA, body, key)
    again = await rules.send("POST", "", ADA, body, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.json(), again.headers["ETag"]) == (first.json(), first.headers["ETag"])


async def test_every_edit_is_the_next_revision_and_makes_an_author(rules: RuleDesk) -> None:
    opened = await rules.opened()
    edited = await rules.edit(overlay(), ALAN, tag=opened.headers["ETag"])
    told = edited.json()
    assert edited.status_code == 200
    assert told == {
        **opened.json(),
        "revision": 2,
        "hash": told["hash"],
        "document": overlay(),
        "editors": 2,
        "updated_at": told["updated_at"],
    }
    assert told["hash"] != opened.json()["hash"]
    assert (await rules.draft()).headers["ETag"] == edited.headers["ETag"]
    late = await rules.edit(overlay(bound="0.6"), tag=opened.headers["ETag"])
    assert refused(late) == (412, "precondition-failed")
    assert (await rules.draft()).json()["revision"] == 2


async def test_whoever_edits_or_discards_says_what_he_has_read(rules: RuleDesk) -> None:
    opened = await rules.opened()
    assert refused(await rules.send("PUT", "/own/draft", ADA, overlay())) == (
        428,
        "precondition-required",
    )
    bare = await rules.send("DELETE", "/own/draft", ADA)
    assert refused(bare) == (428, "precondition-required")
    other = await rules.send("DELETE", "/own/draft", ADA, headers={"If-Match": '"other"'})
    assert refused(other) == (412, "precondition-failed")
    gone = await rules.send(
        "DELETE", "/own/draft", ADA, headers={"If-Match": opened.headers["ETag"]}
    )
    assert (gone.status_code, gone.content) == (204, b"")
    assert refused(await rules.draft()) == (404, "not-found")
    assert refused(await rules.edit(overlay())) == (404, "not-found")
    anew = await rules.opened()
    assert anew.headers["ETag"] != opened.headers["ETag"]


async def test_what_cannot_decide_yet_can_be_saved(rules: RuleDesk) -> None:
    """Gaps, overlaps and failing tests are no obstacle before publishing."""
    await rules.opened()
    gap = {"id": "segment", "rules": [{"id": "SEG1", "removed": True}]}
    failing = [{"in": {"premium_ratio": "1"}, "expect": {"tier": "diamond"}}]
    answer = await rules.edit(overlay(tables=[gap], tests=failing))
    assert answer.status_code == 200, answer.text


async def test_what_is_no_document_of_this_rule_set_is_refused_by_its_places(
    rules: RuleDesk,
) -> None:
    await rules.opened()
    secret = "Zhang Wei 13812345678"
    bad = overlay("other", "nothing at all", product_line="life")
    bad[secret] = secret
    bad["tables"] = [{"id": secret, "rules": 7}]
    answer = await rules.edit(bad)
    assert refused(answer) == (422, "rule-set-refused")
    assert secret not in answer.text
    assert secret.split(maxsplit=1)[0] not in answer.text
    places = {(tuple(one["loc"]), one["type"]) for one in answer.json()["errors"]}
    assert (("body", "?"), "unknown-field") in places
    assert any(place[:3] == ("body", "scorecard", "characteristics") for place, _ in places)
    other = await rules.edit({**overlay("other"), "product_line": "life"})
    assert other.json()["errors"] == [
        {"loc": ["body", "id"], "type": "id-fixed"},
        {"loc": ["body", "product_line"], "type": "line-fixed"},
    ]
    assert (await rules.draft()).json()["revision"] == 1


async def test_a_long_list_of_errors_is_cut(rules: RuleDesk) -> None:
    await rules.opened()
    answer = await rules.edit({**overlay(), **{f"unknown{n}": 1 for n in range(80)}})
    assert answer.json()["errors"] == [{"loc": ["body", "?"], "type": "unknown-field"}]
    answer = await rules.edit({**overlay(), "tests": [1] * 80})
    assert len(answer.json()["errors"]) == 51
    assert answer.json()["errors"][-1] == {"loc": [], "type": "further_errors"}


async def test_yaml_is_read_like_json(rules: RuleDesk) -> None:
    await rules.opened()
    by_json = (await rules.edit(overlay())).json()
    written = write_document(overlay()).encode()
    answer = await rules.api.call(
        "PUT", "/v1/rule-sets/own/draft", ADA, headers=YAML, content=written
    )
    assert answer.status_code == 200, answer.text
    assert (answer.json()["hash"], answer.json()["document"]) == (by_json["hash"], overlay())


@pytest.mark.parametrize(
    ("media_type", "body", "status", "slug"),
    [
        ("application/json", b'{"a": 1, "a": 2}', 422, "document-unreadable"),
        ("application/json", b"[]", 422, "document-unreadable"),
        ("application/json", b"", 422, "document-unreadable"),
        ("application/json", b'{"a": NaN}', 422, "document-unreadable"),
        ("application/json", b'{"a": "\\ud800"}', 422, "document-unreadable"),
        ("application/json", b'{"a": ' + b"9" * 5000 + b"}", 422, "document-unreadable"),
        ("application/json", b'{"a": ' + b"[" * 60 + b"]" * 60 + b"}", 422, "document-unreadable"),
        ("application/json", b"[" * 200_000, 422, "document-unreadable"),
        ("application/json", b"\xff\xfe", 422, "document-unreadable"),
        ("application/yaml", b"a: &x [1]\nb: *x\n", 422, "document-unreadable"),
        ("application/yaml", b"a: !!python/object:os.system {}", 422, "document-unreadable"),
        ("application/yaml", b"- 1\n", 422, "document-unreadable"),
        ("application/json; charset=latin-1", b"{}", 415, "unsupported-media-type"),
        ("text/plain", b"{}", 415, "unsupported-media-type"),
        ("", b"{}", 415, "unsupported-media-type"),
        ("application/json", b'{"a": 1.5, "b": "\\u0000"}', 422, "rule-set-refused"),
        ("application/json", b" " * 1_100_000, 413, "body-too-large"),
    ],
)
async def test_a_body_that_is_no_document_is_refused(
    rules: RuleDesk, media_type: str, body: bytes, status: int, slug: str
) -> None:
    await rules.opened()
    headers = {"Content-Type": media_type, "If-Match": "*"}
    answer = await rules.api.call(
        "PUT", "/v1/rule-sets/own/draft", ADA, headers=headers, content=body
    )
    assert refused(answer) == (status, slug)


async def test_what_a_form_gets_wrong_is_refused_with_its_places(rules: RuleDesk) -> None:
    await rules.opened()
    (motor,) = [found for found in shipped_documents() if found.id == "motor"]
    wrong = represent(motor, DMN).replace(b"<text>null</text>", b"<text>now()</text>")
    headers = {"Content-Type": DMN, "If-Match": "*"}
    answer = await rules.api.call(
        "PUT", "/v1/rule-sets/own/draft", ADA, headers=headers, content=wrong
    )
    assert refused(answer) == (422, "rule-set-refused")
    assert {each["type"] for each in answer.json()["errors"]} == {"dmn-feel"}


async def test_what_a_draft_changes_is_told_about_what_decides_or_a_version(
    rules: RuleDesk,
) -> None:
    await rules.opened()
    draft = (await rules.edit(overlay())).json()
    told = await rules.api.get("/v1/rule-sets/own/draft/changes", ADA)
    line = draft["product_line"]
    assert (told.status_code, told.json()["since"]) == (200, f"{line}@1")
    assert told.json()["items"]
    other = await rules.api.get("/v1/rule-sets/own/draft/changes?since=all@1", ADA)
    assert (other.status_code, other.json()["since"]) == (200, "all@1")
    for wrong, status in (("all@9", 404), ("all", 422), ("all@0", 422), ("nobody@1", 404)):
        path = f"/v1/rule-sets/own/draft/changes?since={wrong}"
        assert (await rules.api.get(path, ADA)).status_code == status, wrong
    assert (await rules.api.get("/v1/rule-sets/none/draft/changes", ADA)).status_code == 404
    assert (await rules.api.get("/v1/rule-sets/own/draft/changes")).status_code == 401
    assert (await rules.api.get("/v1/rule-sets/own/draft/changes", Role.AGENT)).status_code == 403


async def test_changes_are_audited_with_revision_and_hash(
    rules: RuleDesk, session: AsyncSession
) -> None:
    opened = await rules.opened()
    edited = await rules.edit(overlay(), ALAN)
    await rules.send("DELETE", "/own/draft", ADA, headers={"If-Match": "*"})
    rows = await session.execute(
        text(
            "SELECT role, route, record_version, status, outcome FROM audit_events"
            " WHERE outcome = 'changed' ORDER BY id"
        )
    )
    first, second = opened.json()["hash"], edited.json()["hash"]
    draft = "/v1/rule-sets/{rule_set_id}/draft"
    assert [tuple(row) for row in rows] == [
        ("rule_author", "POST /v1/rule-sets", f"own/1/{first}", 201, "changed"),
        ("rule_author", f"PUT {draft}", f"own/2/{second}", 200, "changed"),
        ("rule_author", f"DELETE {draft}", f"own/2/{second}", 204, "changed"),
    ]


async def test_a_rule_set_that_an_operator_loaded_is_drafted_from(
    rules: RuleDesk, session: AsyncSession
) -> None:
    loaded = await load_document(session, document("motor-strict"))
    await session.commit()
    source = {"rule_set": "motor-strict", "version": 1}
    told = (await rules.opened(source=source, id="motor-strict")).json()
    assert (told["hash"], told["based_on"]) == (loaded.hash, "motor-strict@1")
