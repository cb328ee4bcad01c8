from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from dirty_equals import IsDatetime, IsInt, IsList, IsPartialDict, IsStr
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.clock import business_day, utc_now
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.book import AS_OF, write_book
from tests.factories.templates import put_templates

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C00000007/evaluations"
ZONE = "Asia/Shanghai"
DAY = AS_OF.isoformat()
MANAGER = Caller(Role.ACCOUNT_MANAGER, subject="manager-7")
STRANGER = Caller(Role.ACCOUNT_MANAGER, subject="manager-8")
UUID = IsStr(regex=r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
CODE = IsStr(regex=r"[A-Z][0-9]{2}|GENERAL")


@pytest.fixture(autouse=True)
async def book(session: AsyncSession) -> None:
    """A small book, with the templates in force."""
    await write_book(session, 40)
    await put_templates(session)
    await session.commit()


async def evaluate(api: Api, caller: Caller | Role = Role.RISK_OFFICER) -> dict[str, Any]:
    """One evaluation's answer."""
    response = await api.call("POST", PATH, caller, json={"as_of": DAY})
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_nobody_evaluates_without_a_token_or_in_a_role_that_may_not(api: Api) -> None:
    assert (await api.call("POST", PATH)).status_code == 401
    for role in (Role.AGENT, Role.COMPLIANCE, Role.INTEGRATION, Role.ADMIN, Role.ANALYST):
        assert (await api.call("POST", PATH, role)).status_code == 403
    customer = Caller(Role.CUSTOMER, customer_id="C00000007")
    assert (await api.call("POST", PATH, customer)).status_code == 403


async def test_an_unknown_customer_is_not_found(api: Api) -> None:
    path = PATH.replace("C00000007", "C7")
    response = await api.call("POST", path, Role.RISK_OFFICER)
    assert (response.status_code, response.json()["type"]) == (404, "/problems/not-found")


async def test_an_evaluation_is_stored_and_answered_in_full(
    api: Api, session: AsyncSession
) -> None:
    before = utc_now()
    response = await api.call("POST", PATH, Role.RISK_OFFICER, json={"as_of": DAY})
    body = response.json()
    assert body == {
        "id": UUID,
        "customer_id": "C00000007",
        "score": IsInt(ge=0, le=1000),
        "dimensions": {
            "value": IsInt(ge=0, le=1000),
            "risk": IsInt(ge=0, le=1000),
            "loyalty": IsInt(ge=0, le=1000),
            # It is made of income and assets, of which the role sees bands.
            "potential": IsStr(regex=r"\d+-\d+"),
        },
        "risk_grade": IsStr(regex="[A-E]"),
        "segment": IsStr(regex="high_net_worth|mid_market|potential|base"),
        "life_cycle_stage": IsStr(regex="new|stable|at_risk|dormant|lapsed"),
        "labels": IsList(length=...),
        "tier": IsStr(regex="diamond|gold|standard"),
        "tier_evaluated": body["tier"],
        "primary_line": IsStr(),
        "outcomes": {
            "extra_risk_module": IsStr(regex="required|not_required"),
            "pyramid_layer": IsStr(regex="top|middle|base"),
            # Made of age, income and assets, of which the role sees bands.
            "risk_appetite": None,
            "ability_to_pay": None,
            "underwriting_advice": IsStr(),
            "reinsurance_advice": IsStr(regex="retain|quota_share|facultative"),
            "review_cycle": None,
        },
        "reasons": IsList(
            *[{"code": CODE, "text": IsStr(), "points": IsInt, "lost": IsInt(gt=0)}] * 4
        ),
        # A rule's id would tell the income and the health that the role sees bands of.
        "fired": IsPartialDict(
            risk_grade="GENERAL", extra_risk_module="GENERAL", segment="GENERAL", tier="GENERAL"
        ),
        "rule_set": {"id": IsStr(), "version": 1, "hash": IsStr(regex="[0-9a-f]{64}")},
        "cause": "api",
        "evaluated_at": IsDatetime(iso_string=True, ge=before, le=utc_now()),
        "data_as_of": DAY,
        "facts_completeness": IsStr(regex=r"0\.\d+|1"),
        "risk_model_version": "shipped-1",
        "benchmark_version": "2020",
        "override_id": None,
        "meta": {"masked": ["dimensions[]", "outcomes[]", "fired[]"]},
    }
    assert response.headers["Location"] == f"/v1/decisions/{body['id']}"
    assert response.headers["Cache-Control"] == "no-store"
    found = (
        await session.execute(
            text(
                "SELECT s.tier, s.since, s.evaluated_on, a.tier, a.source, a.valid_from,"
                " a.valid_to, d.cause, d.as_of,"
                " (s.segment, s.life_cycle_stage, to_jsonb(s.labels))"
                " = (d.segment, d.life_cycle_stage, d.outcomes -> 'labels')"
                " FROM scoring_states s JOIN decisions d ON d.id = s.decision_id"
                " JOIN tier_assignments a ON a.decision_id = d.id WHERE d.id = :id"
            ),
            {"id": body["id"]},
        )
    ).one()
    tier = body["tier"]
    assert tuple(found) == (
        *(tier, AS_OF, AS_OF),
        *(tier, "evaluated", AS_OF, None),
        *("api", AS_OF, True),
    )
    event = (await session.execute(text("SELECT * FROM audit_events"))).mappings().one()
    assert (event["subjects"], event["outcome"], event["status"], event["record_version"]) == (
        ["C00000007"],
        "changed",
        201,
        body["id"],
    )
    assert event["route"] == "POST /v1/customers/{customer_id}/evaluations"


async def test_today_is_meant_where_no_day_is_named(api: Api) -> None:
    first = business_day(utc_now(), ZONE)
    response = await api.call("POST", PATH, Role.RISK_OFFICER)
    last = business_day(utc_now(), ZONE)
    assert response.status_code == 201
    assert first.isoformat() <= response.json()["data_as_of"] <= last.isoformat()


async def test_a_foreign_manager_sees_the_risk_withheld_and_the_own_one_a_band(api: Api) -> None:
    own, foreign = await evaluate(api, MANAGER), await evaluate(api, STRANGER)
    assert own["risk_grade"] in {"low", "medium", "high"}
    assert own["dimensions"]["risk"] == IsStr(regex=r"\d+-\d+")
    assert own["dimensions"]["value"] == IsInt()
    assert foreign["risk_grade"] is None
    assert foreign["dimensions"]["risk"] is None
    for name in ("extra_risk_module", "underwriting_advice", "reinsurance_advice"):
        assert own["outcomes"][name] is foreign["outcomes"][name] is None
    assert own["outcomes"]["pyramid_layer"] in {"top", "middle", "base"}
    assert foreign["outcomes"]["pyramid_layer"] is None
    assert len(foreign["reasons"]) == len(own["reasons"])
    general = {
        "code": "GENERAL",
        "text": "A further characteristic.",
        "points": None,
        "lost": None,
    }
    hidden = [reason for reason in foreign["reasons"] if reason["code"] == "GENERAL"]
    assert hidden
    assert all(reason == general for reason in hidden)
    # Points would name the bin, and so the value that the own manager is shown in a band.
    banded = [
        mine
        for mine, theirs in zip(own["reasons"], foreign["reasons"], strict=True)
        if theirs["code"] == "GENERAL"
    ]
    assert {(reason["points"], reason["lost"]) for reason in banded} == {(None, None)}
    assert {"risk_grade", "dimensions[]"} <= set(foreign["meta"]["masked"])


async def test_reasons_come_in_the_language_of_the_caller(api: Api) -> None:
    response = await api.call(
        "POST", PATH, Role.RISK_OFFICER, headers={"Accept-Language": "zh-CN"}, json={"as_of": DAY}
    )
    assert response.headers["Content-Language"] == "zh"
    assert all(ord(reason["text"][0]) > 0x3000 for reason in response.json()["reasons"])


async def test_a_day_before_the_newest_evaluation_is_refused_and_changes_nothing(
    api: Api, session: AsyncSession
) -> None:
    first = await evaluate(api)
    earlier = (AS_OF - timedelta(1)).isoformat()
    response = await api.call("POST", PATH, Role.RISK_OFFICER, json={"as_of": earlier})
    assert (response.status_code, response.json()["type"]) == (409, "/problems/back-dated")
    ids = list(await session.scalars(text("SELECT id::text FROM decisions")))
    assert ids == [first["id"]]


async def test_without_a_rule_set_nothing_is_decided(api: Api, session: AsyncSession) -> None:
    await session.execute(text("DELETE FROM rule_set_activations"))
    await session.commit()
    response = await api.call("POST", PATH, Role.RISK_OFFICER, json={"as_of": DAY})
    assert (response.status_code, response.json()["type"]) == (409, "/problems/no-rule-set")


async def merge(session: AsyncSession, old_id: str, into: str) -> None:
    """Merge one id away."""
    await session.execute(
        text(
            "INSERT INTO customer_aliases (alias_id, customer_id, merged_on)"
            " VALUES (:old_id, :into, '2026-01-01')"
        ),
        {"old_id": old_id, "into": into},
    )
    await session.commit()


async def test_who_was_merged_twice_is_scored_and_explained_as_the_survivor(
    api: Api, session: AsyncSession
) -> None:
    await merge(session, "C00000008", "C00000007")
    await merge(session, "OLD-8", "C00000008")
    path = PATH.replace("C00000007", "OLD-8")
    response = await api.call("POST", path, MANAGER, json={"as_of": DAY})
    body = response.json()
    assert (response.status_code, body["customer_id"]) == (201, "C00000007")
    # The survivor's manager is who stands near; the one of the id that is gone no longer does.
    assert body["risk_grade"] in {"low", "medium", "high"}
    foreign = await api.call("POST", path, STRANGER, json={"as_of": DAY})
    assert foreign.json()["risk_grade"] is None
    ids = set(await session.scalars(text("SELECT customer_id FROM decisions")))
    assert ids == {"C00000007"}
    told = await api.get("/v1/customers/OLD-8/tier/explanation", Role.RISK_OFFICER)
    assert (told.status_code, told.json()["customer_id"]) == (200, "C00000007")


async def test_a_decision_from_before_two_merges_is_told_of_the_survivor(
    api: Api, session: AsyncSession
) -> None:
    path = PATH.replace("C00000007", "C00000009")
    made = (await api.call("POST", path, Role.RISK_OFFICER, json={"as_of": DAY})).json()
    await merge(session, "C00000009", "C00000008")
    await merge(session, "C00000008", "C00000007")
    for caller, grade in ((MANAGER, IsStr()), (STRANGER, None)):
        found = (await api.get(f"/v1/decisions/{made['id']}", caller)).json()
        assert (found["customer_id"], found["risk_grade"]) == ("C00000007", grade)
    replay = await api.call("POST", f"/v1/decisions/{made['id']}/replay", MANAGER)
    assert (replay.json()["customer_id"], replay.json()["identical"]) == ("C00000007", True)
    subjects = await session.scalars(text("SELECT subjects FROM audit_events ORDER BY at, seq"))
    assert list(subjects) == [["C00000009"], *[["C00000007"]] * 3]


async def test_a_second_evaluation_of_the_same_facts_keeps_the_assignment(
    api: Api, session: AsyncSession
) -> None:
    first, second = await evaluate(api), await evaluate(api)
    provenance = {"id", "evaluated_at"}
    assert {k: v for k, v in first.items() if k not in provenance} == {
        k: v for k, v in second.items() if k not in provenance
    }
    found = (
        await session.execute(text("SELECT decision_id::text, valid_to FROM tier_assignments"))
    ).all()
    assert [tuple(row) for row in found] == [(first["id"], None)]
    state = await session.scalar(text("SELECT decision_id::text FROM scoring_states"))
    assert state == second["id"]


async def test_a_day_that_has_not_come_is_refused_and_nothing_is_stored(
    api: Api, session: AsyncSession
) -> None:
    # Not tomorrow: midnight may pass between this line and the answer.
    later = business_day(utc_now(), ZONE) + timedelta(2)
    response = await api.call("POST", PATH, Role.RISK_OFFICER, json={"as_of": later.isoformat()})
    assert (response.status_code, response.json()["type"]) == (409, "/problems/future-day")
    assert response.json()["errors"] == [{"loc": ["body", "as_of"], "type": "future-date"}]
    for table in ("decisions", "tier_assignments", "scoring_states"):
        assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


@pytest.mark.parametrize(
    ("day", "rule"),
    [
        ("yesterday", "day_form"),
        (0, "day_form"),
        (1_750_000_000, "day_form"),
        ("1750000000", "day_form"),
        (f"{DAY}T00:00:00", "day_form"),
        (True, "day_form"),
        ("2026-02-30", "date_from_datetime_parsing"),
        ("1899-12-31", "greater_than_equal"),
        ("0001-01-01", "greater_than_equal"),
        ("9999-12-31", "less_than_equal"),
    ],
)
async def test_what_is_no_day_is_refused(api: Api, day: object, rule: str) -> None:
    response = await api.call("POST", PATH, Role.RISK_OFFICER, json={"as_of": day})
    assert response.status_code == 422
    assert response.json()["errors"] == [{"loc": ["body", "as_of"], "type": rule}]


async def test_the_first_day_there_can_be_breaks_nothing(api: Api) -> None:
    response = await api.call("POST", PATH, Role.RISK_OFFICER, json={"as_of": "1900-01-01"})
    assert response.status_code in {201, 409, 422}


async def test_an_unknown_field_is_refused(api: Api) -> None:
    response = await api.call("POST", PATH, Role.RISK_OFFICER, json={"asof": DAY})
    assert response.status_code == 422


@pytest.mark.parametrize(
    ("trial", "place"),
    [
        ({"facts": {}, "rule_set": {"id": "all\u0000", "version": 1}}, ["rule_set", "id"]),
        ({"facts": {"\u0000": 1}}, ["facts", "?"]),
        ({"facts": {"primary_line": "motor\u0000"}}, ["facts", "primary_line"]),
    ],
)
async def test_a_text_with_a_nul_is_refused(api: Api, trial: object, place: list[str]) -> None:
    path = "/v1/evaluations/what-if"
    response = await api.call("POST", path, Role.ANALYST, json=trial)
    assert response.status_code == 422
    told = [error for error in response.json()["errors"] if error["type"] == "bad-text"]
    assert [error["loc"][:3] for error in told] == [["body", *place]]
