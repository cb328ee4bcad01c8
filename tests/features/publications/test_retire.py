"""Retiring: the line falls back to `all`, which cannot be retired itself."""

from __future__ import annotations

from typing import Any

import pytest
from dirty_equals import IsStr
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.features.rule_sets.service import resolve
from app.infra.clock import utc_now
from app.infra.database import AsyncSession
from tests.api import Caller
from tests.factories.customers import put_customer
from tests.factories.tiers import Stand, write_stand
from tests.features.rule_sets.desk import (
    ADA,
    CLEO,
    PIA,
    RuleDesk,
    in_days,
    overlay,
    refused,
    today,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("unrehearsed")]


async def test_only_a_publisher_retires(rules: RuleDesk) -> None:
    assert (await rules.retire(None, id_="motor")).status_code == 401
    for role in sorted(set(Role) - {Role.RULE_PUBLISHER}):
        caller = Caller(role, "C1" if role is Role.CUSTOMER else None)
        assert (await rules.retire(caller, id_="motor")).status_code == 403, role


async def test_a_retired_rule_set_decides_to_its_day_and_then_all_does(
    rules: RuleDesk, session: AsyncSession
) -> None:
    answer = await rules.retire(id_="motor", day=in_days(1))
    told = answer.json()
    assert (answer.status_code, told) == (
        200,
        {
            "id": told["id"],
            "rule_set_id": "motor",
            "kind": "retired",
            "product_line": "motor",
            "version": None,
            "hash": None,
            "effective_on": in_days(1),
            "deciding": None,
            "pia_ref": None,
            "published_at": told["published_at"],
            "published_by": None,
            "authors": None,
            "warnings": [],
            "meta": {"masked": ["published_by", "authors"]},
        },
    )
    assert (await resolve(session, "motor", today())).stored.rule_set_id == "motor"
    session.expire_all()
    assert (await rules.listed("motor"))["activations"] == [
        {"version": 1, "valid_from": None, "valid_to": in_days(1)}
    ]
    assert (await rules.retire(id_="motor", day=in_days(0))).status_code == 200
    assert (await resolve(session, "motor", today())).stored.rule_set_id == "all"
    shown = (await rules.send("GET", "/motor/publications", CLEO)).json()["items"]
    assert [(one["kind"], one["published_by"]) for one in shown] == [("retired", "pia")] * 2
    events = await session.scalars(text("SELECT kind FROM outbox_events"))
    assert list(events) == ["rule-set-retired"] * 2


async def test_a_tier_that_a_retired_rule_set_gave_is_stale(
    rules: RuleDesk, session: AsyncSession
) -> None:
    await put_customer(rules.api, "C1")
    stand = Stand("C1", rule_set_id="motor", evaluated_on=today(), evaluated_at=utc_now())
    await write_stand(session, stand)
    await session.commit()
    path = "/v1/customers/C1/tier"
    fresh = (await rules.api.get(path, Role.AGENT)).json()
    line = fresh["rule_set"]["id"]
    assert (fresh["stale"], line) == (False, "motor")
    await rules.retire(id_=line)
    assert (await rules.api.get(path, Role.AGENT)).json()["stale"] is True


async def test_what_begins_later_is_undone_and_a_hole_is_told(rules: RuleDesk) -> None:
    await rules.opened()
    await rules.published(valid_from=in_days(30))
    told = (await rules.retire(id_="motor", day=in_days(10))).json()
    assert told["warnings"] == [
        {"code": "version-gap", "valid_from": in_days(10), "valid_to": in_days(30)}
    ]
    listed = (await rules.send("GET", "", ADA)).json()["findings"]
    assert listed == [
        {
            "code": "version-gap",
            "severity": "warning",
            "product_line": "motor",
            "as_of": in_days(10),
            "versions": ["motor@1", "own@1"],
            "message": IsStr(regex=r"No version is in force for motor from .*\."),
            "suggestion": f"Let motor@1 end on {in_days(30)}.",
        }
    ]
    # Beginning again, it closes the hole, and what would begin later never does.
    again = await rules.published(id_="motor", version=1, valid_from=in_days(12))
    assert again["warnings"] == [
        {"code": "version-gap", "valid_from": in_days(10), "valid_to": in_days(12)}
    ]
    assert refused(await rules.retire()) == (409, "not-in-force")
    assert (await rules.retire(id_="motor", day=in_days(11))).json()["warnings"] == []
    assert (await rules.listed("motor"))["activations"] == [
        {"version": 1, "valid_from": None, "valid_to": in_days(10)}
    ]


async def test_a_publication_to_come_is_cancelled(rules: RuleDesk) -> None:
    await rules.opened()
    await rules.published(valid_from=in_days(30))
    assert (await rules.retire()).status_code == 200
    assert (await rules.listed("own"))["activations"] == []
    (_, published) = (await rules.send("GET", "/own/publications", CLEO)).json()["items"]
    assert (published["kind"], published["deciding"]) == ("published", None)


async def test_all_must_decide(rules: RuleDesk, session: AsyncSession) -> None:
    assert refused(await rules.retire(id_="all")) == (409, "all-must-decide")
    assert refused(await rules.retire(id_="all", day=in_days(9))) == (409, "all-must-decide")
    own = overlay("my-all", product_line="all", extends="all@1")
    await rules.opened(source=None, id="my-all", document=own)
    await rules.published(id_="my-all", valid_from=in_days(5))
    assert refused(await rules.retire(id_="my-all")) == (409, "all-must-decide")
    assert (await resolve(session, "all", today())).stored.rule_set_id == "all"


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"valid_to": in_days(-1)}, 422, "publication-back-dated"),
        ({"valid_to": "tomorrow"}, 422, "validation"),
        ({}, 422, "validation"),
        ({"valid_to": in_days(1), "surplus": 1}, 422, "validation"),
    ],
)
async def test_what_is_asked_wrongly_is_refused(
    rules: RuleDesk, body: dict[str, Any], status: int, slug: str
) -> None:
    assert refused(await rules.send("POST", "/motor/retire", PIA, body)) == (status, slug)
    bare = await rules.api.call("POST", "/v1/rule-sets/motor/retire", PIA, json=body)
    assert refused(bare)[0] in {400, 422}


async def test_what_is_not_there_is_not_found(rules: RuleDesk) -> None:
    assert refused(await rules.retire(id_="nobodys")) == (404, "not-found")
    for order in ({"hash": "0" * 64}, {"version": 1}):
        answer = await rules.publish(id_="nobodys", **order)
        assert refused(answer) == (404, "not-found")
    # Who may do neither is not told that.
    assert refused(await rules.retire(ADA, id_="nobodys")) == (403, "forbidden")
