"""What one version changes about another, over HTTP."""

from __future__ import annotations

import pytest

from app.domain.privacy.roles import Role
from app.features.rule_sets.service import load_document
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.features.rule_sets.test_read_rule_sets import READERS
from tests.features.rule_sets.test_rule_sets import document

pytestmark = pytest.mark.anyio

PATH = "/v1/rule-sets/motor-strict/versions"
BINS = "scorecard.characteristics[premium_ratio].bins"


@pytest.fixture(autouse=True)
async def versions(session: AsyncSession, templates: None) -> None:  # noqa: ARG001 - they are extended.
    """Three versions of a rule set; the third differs from the first by its name only."""
    for text in (document(), document(bound="0.6"), document().replace("Strict", "Stern")):
        await load_document(session, text)
    await session.commit()


async def test_who_has_no_token_or_no_business_with_rules_is_refused(api: Api) -> None:
    assert (await api.get(f"{PATH}/2/changes")).status_code == 401
    for role in {*Role} - {*READERS}:
        caller = Caller(role, "C1" if role is Role.CUSTOMER else None)
        assert (await api.get(f"{PATH}/2/changes", caller)).status_code == 403, role
    for role in READERS:
        assert (await api.get(f"{PATH}/2/changes", role)).status_code == 200, role


async def test_a_version_is_compared_with_the_one_before(api: Api) -> None:
    answer = await api.get(f"{PATH}/2/changes", Role.RULE_AUTHOR)
    assert answer.json() == {
        "since": "motor-strict@1",
        "can_decide": True,
        "items": [
            {
                "path": f"{BINS}[[0.5..0.6)].points",
                "kind": "changed",
                "before": "100",
                "after": "0",
                "effect": "decides",
            },
            {
                "path": BINS,
                "kind": "changed",
                "before": "< 0.5 | >= 0.5 | null",
                "after": "< 0.6 | >= 0.6 | null",
                "effect": "words",
            },
        ],
        "answers": [],
        "uncompared": [],
    }


async def test_a_version_is_compared_with_any_other(api: Api) -> None:
    answer = await api.get(f"{PATH}/3/changes?since=1", Role.RULE_AUTHOR)
    assert answer.json() == {
        "since": "motor-strict@1",
        "can_decide": False,
        "items": [
            {
                "path": "title.en",
                "kind": "changed",
                "before": "Strict",
                "after": "Stern",
                "effect": "words",
            }
        ],
        "answers": [],
        "uncompared": [],
    }
    back = await api.get(f"{PATH}/1/changes?since=3", Role.RULE_AUTHOR)
    assert back.json()["items"][0]["after"] == "Strict"
    same = await api.get(f"{PATH}/2/changes?since=2", Role.RULE_AUTHOR)
    assert same.json() == {
        "since": "motor-strict@2",
        "can_decide": False,
        "items": [],
        "answers": [],
        "uncompared": [],
    }


async def test_for_whom_a_table_answers_otherwise_is_told(api: Api, session: AsyncSession) -> None:
    row = '{id: TIER2, when: {annual_premium: "> 60000"}, then: diamond}'
    stricter = f"{document()}tables:\n  - id: tier\n    rules: [{row}]\n"
    await load_document(session, stricter)
    await session.commit()
    told = (await api.get(f"{PATH}/4/changes?since=1", Role.RULE_AUTHOR)).json()
    assert told["can_decide"] is True
    assert [item["path"] for item in told["items"]] == [
        "tables[tier].rules[TIER2].when.annual_premium"
    ]
    assert {(one["table"], one["after"]) for one in told["answers"]} == {("tier", "diamond")}
    assert {one["before"] for one in told["answers"]} == {"gold", "standard"}
    assert all("annual_premium in (60000..80000]" in one["box"] for one in told["answers"])


@pytest.mark.parametrize("place", ["1/changes", "9/changes", "2/changes?since=9", "10/changes"])
async def test_what_is_not_there_is_compared_with_nothing(api: Api, place: str) -> None:
    answer = await api.get(f"{PATH}/{place}", Role.RULE_AUTHOR)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize("since", ["0", "-1", "one", "2147483648"])
async def test_what_is_no_version_is_refused(api: Api, since: str) -> None:
    answer = await api.get(f"{PATH}/2/changes?since={since}", Role.RULE_AUTHOR)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")


async def test_what_is_known_is_not_sent_again(api: Api) -> None:
    tag = (await api.get(f"{PATH}/2/changes", Role.RULE_AUTHOR)).headers["ETag"]
    again = await api.get(f"{PATH}/2/changes", Role.RULE_AUTHOR, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
