from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from dirty_equals import IsInt, IsPartialDict, IsStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.domain.errors import Conflict
from app.domain.privacy.roles import Role
from app.domain.tiering.decision import Cause, CauseKind
from app.features.rule_sets.service import load_document
from app.features.scoring.service import evaluate_customer
from app.infra.cipher import Vault, load_master_key
from app.infra.clock import utc_now
from app.infra.database import AsyncSession, open_database
from app.infra.settings import Settings
from tests.api import Api
from tests.factories.book import AS_OF, write_book
from tests.factories.templates import put_templates

pytestmark = pytest.mark.anyio

DAY = AS_OF.isoformat()
OFFICER = Role.BUSINESS_OFFICER


async def prepare(session: AsyncSession) -> None:
    """A small book, with the templates in force."""
    await write_book(session, 40)
    await put_templates(session)


@pytest.fixture
async def decision(api: Api, session: AsyncSession) -> dict[str, Any]:
    """A stored decision, as its evaluation answered it."""
    await prepare(session)
    await session.commit()
    path = "/v1/customers/C00000007/evaluations"
    response = await api.call("POST", path, OFFICER, json={"as_of": DAY})
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_decisions_are_closed_to_whoever_may_not_evaluate(
    api: Api, decision: dict[str, Any]
) -> None:
    for method, path in (
        ("GET", f"/v1/decisions/{decision['id']}"),
        ("GET", f"/v1/decisions/{decision['id']}/trace"),
        ("POST", f"/v1/decisions/{decision['id']}/replay"),
    ):
        assert (await api.call(method, path)).status_code == 401
        assert (await api.call(method, path, Role.AGENT)).status_code == 403
        assert (await api.call(method, path, Role.ANALYST)).status_code == 403


async def test_an_unknown_decision_is_not_found(api: Api) -> None:
    path = "/v1/decisions/0193d6b0-0000-7000-8000-000000000000"
    assert (await api.get(path, OFFICER)).status_code == 404
    assert (await api.get(f"{path}/trace", OFFICER)).status_code == 404
    assert (await api.call("POST", f"{path}/replay", OFFICER)).status_code == 404


async def test_a_decision_is_read_as_it_was_answered(api: Api, decision: dict[str, Any]) -> None:
    response = await api.get(f"/v1/decisions/{decision['id']}", OFFICER)
    assert response.status_code == 200
    assert response.json() == decision


async def test_a_replay_says_the_same_whatever_came_in_since(
    api: Api, session: AsyncSession, decision: dict[str, Any]
) -> None:
    await session.execute(text("UPDATE policy_terms SET premium = premium * 50"))
    await load_document(
        session,
        "{format: tiering/1, id: other, product_line: motor, extends: all@1,"
        " title: {en: Other, zh: 另}, objective: renewal}",
    )
    await session.commit()
    response = await api.call("POST", f"/v1/decisions/{decision['id']}/replay", OFFICER)
    assert response.json() == {
        "decision_id": decision["id"],
        "customer_id": "C00000007",
        "identical": True,
        "differences": [],
        "meta": {"masked": []},
    }


async def test_a_replay_names_what_comes_out_otherwise(
    api: Api, session: AsyncSession, decision: dict[str, Any]
) -> None:
    await session.execute(text("ALTER TABLE decisions DISABLE TRIGGER append_only"))
    await session.execute(text("UPDATE decisions SET score = 1000 - score, segment = 'potential'"))
    await session.commit()
    response = await api.call("POST", f"/v1/decisions/{decision['id']}/replay", OFFICER)
    assert response.json() == IsPartialDict(identical=False, differences=["score", "segment"])


async def test_after_erasure_a_decision_is_read_but_neither_replayed_nor_explained(
    api: Api, session: AsyncSession, decision: dict[str, Any]
) -> None:
    await session.execute(text("DELETE FROM subject_keys"))
    await session.commit()
    path = f"/v1/decisions/{decision['id']}"
    for method, place in (("POST", f"{path}/replay"), ("GET", f"{path}/trace")):
        response = await api.call(method, place, OFFICER)
        assert (response.status_code, response.json()["type"]) == (410, "/problems/decision-erased")
    assert (await api.get(f"/v1/decisions/{decision['id']}", OFFICER)).status_code == 200


async def test_a_snapshot_that_does_not_open_is_told_so(
    api: Api, session: AsyncSession, decision: dict[str, Any]
) -> None:
    await session.execute(text("ALTER TABLE decisions DISABLE TRIGGER append_only"))
    await session.execute(text("UPDATE decisions SET snapshot_cipher = '\\x00'"))
    await session.commit()
    path = f"/v1/decisions/{decision['id']}"
    for method, place in (("POST", f"{path}/replay"), ("GET", f"{path}/trace")):
        response = await api.call(method, place, OFFICER)
        assert response.status_code == 409
        assert response.json()["type"] == "/problems/snapshot-unreadable"


@pytest.mark.usefixtures("decision")
async def test_a_decision_is_never_changed_or_removed(session: AsyncSession) -> None:
    for statement in ("UPDATE decisions SET score = 0", "DELETE FROM decisions"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with session.begin_nested():
                await session.execute(text(statement))


@pytest.mark.usefixtures("decision")
async def test_the_snapshot_is_encrypted(session: AsyncSession) -> None:
    sealed = await session.scalar(text("SELECT snapshot_cipher FROM decisions"))
    assert isinstance(sealed, bytes)
    assert b"annual_premium" not in sealed


async def test_what_if_is_for_those_who_try_rules(api: Api, session: AsyncSession) -> None:
    await put_templates(session)
    await session.commit()
    path = "/v1/evaluations/what-if"
    assert (await api.call("POST", path, json={"facts": {}})).status_code == 401
    for role in (Role.AGENT, Role.INTEGRATION, Role.COMPLIANCE, Role.ADMIN):
        assert (await api.call("POST", path, role, json={"facts": {}})).status_code == 403
    for role in (Role.ANALYST, Role.RULE_AUTHOR, Role.RISK_OFFICER):
        assert (await api.call("POST", path, role, json={"facts": {}})).status_code == 200


async def test_what_if_decides_and_stores_nothing(api: Api, session: AsyncSession) -> None:
    await put_templates(session)
    await session.commit()
    facts = {
        "annual_premium": "60000.50",
        "premium_ratio": "3.2",
        "years_of_premium_growth": 3,
        "smoker": True,
        "primary_line": "liability",
    }
    response = await api.call(
        "POST", "/v1/evaluations/what-if", Role.ANALYST, json={"facts": facts}
    )
    body = response.json()
    assert body == {
        "score": IsInt(ge=0, le=1000),
        "dimensions": {name: IsInt() for name in ("value", "risk", "loyalty", "potential")},
        "outcomes": IsPartialDict(
            segment="high_net_worth", tier="diamond", extra_risk_module="required"
        ),
        "tier": "diamond",
        "reasons": [
            {
                "code": IsStr(regex="[A-Z][0-9]{2}"),
                "text": IsStr(),
                "points": IsInt(),
                "lost": IsInt(),
            }
        ]
        * 4,
        "fired": IsPartialDict(),
        "rule_set": {
            "id": "liability",
            "version": 1,
            "hash": IsStr(regex="[0-9a-f]{64}"),
            "objective": "balanced",
        },
        "data_as_of": IsStr(regex=r"\d{4}-\d{2}-\d{2}"),
        "facts_completeness": IsStr(regex=r"0\.\d+"),
        "trace": None,
    }
    assert await session.scalar(text("SELECT count(*) FROM decisions")) == 0


async def test_what_if_takes_a_named_version(api: Api, session: AsyncSession) -> None:
    await put_templates(session)
    await session.commit()
    trial = {"facts": {}, "rule_set": {"id": "motor", "version": 1}}
    response = await api.call("POST", "/v1/evaluations/what-if", OFFICER, json=trial)
    assert response.json()["rule_set"]["id"] == "motor"
    trial = {"facts": {}, "rule_set": {"id": "motor", "version": 9}}
    response = await api.call("POST", "/v1/evaluations/what-if", OFFICER, json=trial)
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ({"shoe_size": 44}, "unknown-fact"),
        ({"age": -1}, "input-error"),
        ({"premium_ratio": "three"}, "input-error"),
        ({"is_corporate": None}, "input-error"),
        ({"smoker": "perhaps"}, "input-error"),
        ({"annual_premium": 1.5}, "validation"),
    ],
)
async def test_facts_that_mean_nothing_are_refused(
    api: Api, session: AsyncSession, facts: dict[str, object], problem: str
) -> None:
    await put_templates(session)
    await session.commit()
    path = "/v1/evaluations/what-if"
    response = await api.call("POST", path, OFFICER, json={"facts": facts})
    assert (response.status_code, response.json()["type"]) == (422, f"/problems/{problem}")


async def test_parallel_evaluations_of_one_customer_take_turns(
    fresh_database_url: str, settings: Settings
) -> None:
    vault = Vault(load_master_key(settings))
    async with open_database(fresh_database_url, settings) as database:
        async with database.sessions.begin() as session:
            await prepare(session)

        async def evaluate(day: date) -> None:
            async with database.sessions.begin() as own:
                await evaluate_customer(
                    own,
                    customer_id="C00000007",
                    as_of=day,
                    cause=Cause(CauseKind.API),
                    now=utc_now(),
                    vault=vault,
                )

        days = [AS_OF, AS_OF, AS_OF + timedelta(1), AS_OF, AS_OF + timedelta(1), AS_OF]
        ended = await asyncio.gather(*(evaluate(day) for day in days), return_exceptions=True)
        # Whoever came after the later day is refused; nobody fails otherwise.
        refused = [error for error in ended if error is not None]
        assert all(isinstance(error, Conflict) for error in refused)
        async with database.sessions() as session:
            decided = await session.scalar(text("SELECT count(*) FROM decisions"))
            assert decided == len(days) - len(refused)
            state = (
                await session.execute(
                    text(
                        "SELECT s.evaluated_on, s.tier, a.tier FROM scoring_states s"
                        " JOIN tier_assignments a USING (customer_id) WHERE a.valid_to IS NULL"
                    )
                )
            ).one()
            assert state[0] == AS_OF + timedelta(1)
            assert state[1] == state[2]
