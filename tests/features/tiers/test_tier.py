"""`GET /v1/customers/{id}/tier`: what serves, from when, and how far it can be relied on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from app.db.rows import CustomerAliasRow
from app.domain.privacy.roles import Role
from app.infra.clock import utc_now
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.customers import policy, put_customer, term, write
from tests.factories.tiers import Stand, run, write_stand
from tests.features.stock import stocked

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C1/tier"
SELF = Caller(Role.CUSTOMER, "C1")
NOW = utc_now().replace(microsecond=0)
GAP = {
    "target": "diamond",
    "moves": [
        {"fact": "annual_premium", "from": "12000", "to": "80000.01", "reaches": "diamond"},
        {"fact": "policies_in_force", "from": "2", "to": "4", "reaches": "diamond"},
        {"fact": "driving_score", "from": "55", "to": "80", "reaches": "diamond"},
    ],
}
STAND = Stand("C1", evaluated_at=NOW, gap=GAP)


async def _customers(api: Api, session: AsyncSession) -> None:
    """Two customers, one of them evaluated."""
    await put_customer(api, "C1", account_manager="manager-1")
    await put_customer(api, "C2")
    await write_stand(session, STAND)


@pytest.fixture(scope="module")
def stock(server_url: str, keys: Path) -> Iterator[str]:
    """A database with these customers."""
    with stocked(server_url, keys, _customers) as url:
        yield url


async def tier_of(api: Api, caller: Caller | Role = Role.RISK_OFFICER) -> dict[str, Any]:
    """The tier as one caller is answered."""
    answer = await api.get(PATH, caller)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_nobody_learns_a_tier_without_a_token(api: Api) -> None:
    assert (await api.get(PATH)).status_code == 401


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ANALYST, Role.RULE_AUTHOR, Role.RULE_PUBLISHER])
async def test_roles_that_see_no_customer_data_are_refused(api: Api, role: Role) -> None:
    assert (await api.get(PATH, role)).status_code == 403


async def test_a_foreign_and_a_missing_customer_are_the_same_to_a_customer(api: Api) -> None:
    headers = {"X-Request-Id": "the-same-request"}
    foreign = await api.get("/v1/customers/C2/tier", SELF, headers=headers)
    missing = await api.get("/v1/customers/C3/tier", SELF, headers=headers)
    unknown = await api.get("/v1/customers/C3/tier", Role.AGENT, headers=headers)
    assert (foreign.status_code, foreign.content, foreign.headers) == (
        404,
        missing.content,
        missing.headers,
    )
    assert unknown.content == missing.content


async def test_a_risk_officer_sees_every_field(api: Api) -> None:
    assert await tier_of(api) == {
        "meta": {"masked": []},
        "customer_id": "C1",
        "tier": "gold",
        "display_name": {"en": "Gold", "zh": "黄金"},
        "segment": "mid_market",
        "life_cycle_stage": "stable",
        "next_review_on": None,
        "since": "2020-02-03",
        "source": "evaluated",
        "evaluated_tier": None,
        "grace_until": None,
        "override": None,
        "pending_override": None,
        "next_tier": {
            "tier": "diamond",
            "gap": [
                {
                    "fact": "annual_premium",
                    "from": "12000",
                    "to": "80000.01",
                    "reaches": "diamond",
                },
                {"fact": "policies_in_force", "from": "2", "to": "4", "reaches": "diamond"},
                {"fact": "driving_score", "from": "55", "to": "80", "reaches": "diamond"},
            ],
        },
        "score": 613,
        "risk_grade": "B",
        "rule_set": {"id": "all", "version": 1},
        "evaluated_at": NOW.isoformat().replace("+00:00", "Z"),
        "data_as_of": "2020-10-31",
        # The rule set for all lines decided, and one for motor is in force.
        "stale": True,
    }


async def test_an_agent_sees_no_risk_and_premiums_as_bands(api: Api) -> None:
    body = await tier_of(api, Role.AGENT)
    assert body["next_tier"]["gap"] == [
        {
            "fact": "annual_premium",
            "from": "10000-30000",
            "to": "30000-100000",
            "reaches": "diamond",
        },
        {"fact": "policies_in_force", "from": "2", "to": "4", "reaches": "diamond"},
        {"fact": "GENERAL", "from": None, "to": None, "reaches": "diamond"},
    ]
    assert (body["score"], body["segment"], body["risk_grade"]) == (613, "mid_market", None)
    assert body["meta"]["masked"] == [
        "next_tier.gap[].fact",
        "next_tier.gap[].from",
        "next_tier.gap[].to",
        "risk_grade",
    ]


async def test_a_manager_sees_the_risk_of_his_own_customers_as_a_band(api: Api) -> None:
    own = await tier_of(api, Caller(Role.ACCOUNT_MANAGER, subject="manager-1"))
    other = await tier_of(api, Caller(Role.ACCOUNT_MANAGER, subject="manager-2"))
    assert (own["risk_grade"], other["risk_grade"]) == ("low", None)


@pytest.mark.parametrize("caller", [SELF, Caller(Role.INTEGRATION)])
async def test_who_is_no_staff_is_told_the_tier_and_nothing_of_how_it_is_judged(
    api: Api, caller: Caller
) -> None:
    assert await tier_of(api, caller) == {
        "meta": {
            "masked": [
                "segment",
                "life_cycle_stage",
                "next_review_on",
                "evaluated_tier",
                "grace_until",
                "pending_override",
                "score",
                "risk_grade",
                "rule_set.id",
                "rule_set.version",
            ]
        },
        "customer_id": "C1",
        "tier": "gold",
        "display_name": {"en": "Gold", "zh": "黄金"},
        "segment": None,
        "life_cycle_stage": None,
        "next_review_on": None,
        "since": "2020-02-03",
        "source": "evaluated",
        "evaluated_tier": None,
        "grace_until": None,
        "override": None,
        "pending_override": None,
        "next_tier": {"tier": "diamond", "gap": []},
        "score": None,
        "risk_grade": None,
        "rule_set": {"id": None, "version": None},
        "evaluated_at": NOW.isoformat().replace("+00:00", "Z"),
        "data_as_of": "2020-10-31",
        "stale": True,
    }


async def test_who_is_tracked_has_a_next_review_that_only_staff_is_told(
    api: Api, session: AsyncSession
) -> None:
    await session.execute(text("ALTER TABLE decisions DISABLE TRIGGER append_only"))
    await session.execute(
        text("""UPDATE decisions SET outcomes = outcomes || '{"review_cycle": "half_yearly"}'""")
    )
    await session.commit()
    review = date.fromisoformat((await tier_of(api, Role.AGENT))["next_review_on"])
    # Every half year after the decision of 2020-10-31, the next of them after today.
    assert (review.month, review.day) in {(4, 30), (10, 31)}
    assert timedelta(0) < review - NOW.date() < timedelta(days=185)
    assert (await tier_of(api, SELF))["next_review_on"] is None


async def test_at_the_top_there_is_no_next_tier(api: Api, session: AsyncSession) -> None:
    await write_stand(session, STAND.but(tier="diamond", tier_evaluated="diamond", gap=None))
    assert (await tier_of(api))["next_tier"] is None


async def test_in_grace_only_what_leads_above_the_served_tier_counts(
    api: Api, session: AsyncSession
) -> None:
    gap = {
        "target": "gold",
        "moves": [
            {"fact": "policies_in_force", "from": "1", "to": "2", "reaches": "gold"},
            {"fact": "annual_premium", "from": "12000", "to": "80000.01", "reaches": "diamond"},
        ],
    }
    waiting = STAND.but(
        source="grace",
        tier_evaluated="standard",
        first_lower_on=date(2020, 10, 31),
        grace_until=date(2020, 11, 30),
        gap=gap,
    )
    await write_stand(session, waiting)
    body = await tier_of(api)
    assert (body["tier"], body["source"], body["grace_until"]) == ("gold", "grace", "2020-11-30")
    assert [move["fact"] for move in body["next_tier"]["gap"]] == ["annual_premium"]


async def test_a_known_customer_without_a_tier_is_a_conflict_and_no_missing_one(api: Api) -> None:
    answer = await api.get("/v1/customers/C2/tier", Role.AGENT)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-evaluated")


async def test_a_merged_id_answers_as_the_survivor(api: Api, session: AsyncSession) -> None:
    await write(
        session,
        CustomerAliasRow(alias_id="OLD", customer_id="C1", merged_on=date(2020, 5, 1)),
        CustomerAliasRow(alias_id="OLDER", customer_id="C2", merged_on=date(2020, 5, 1)),
    )
    await session.execute(text("UPDATE customer_aliases SET alias_id='C2' WHERE alias_id='OLD'"))
    await session.commit()
    for caller in (Role.AGENT, SELF, Caller(Role.CUSTOMER, "C2"), Caller(Role.CUSTOMER, "OLDER")):
        for old_id in ("C1", "C2", "OLDER"):
            answer = await api.get(f"/v1/customers/{old_id}/tier", caller)
            assert (answer.status_code, answer.json()["customer_id"]) == (200, "C1")


async def test_aliases_in_a_ring_find_nobody(api: Api, session: AsyncSession) -> None:
    await write(
        session,
        CustomerAliasRow(alias_id="C1", customer_id="C2", merged_on=date(2020, 5, 1)),
        CustomerAliasRow(alias_id="C2", customer_id="C1", merged_on=date(2020, 5, 1)),
    )
    assert (await api.get(PATH, Role.AGENT)).status_code == 404


class TestFreshness:
    """What `evaluated_at`, `data_as_of` and `stale` say."""

    LINE = STAND.but(primary_line=None)

    async def test_the_rule_set_in_force_decided_lately(
        self, api: Api, session: AsyncSession
    ) -> None:
        await write_stand(session, self.LINE)
        assert (await tier_of(api))["stale"] is False

    @pytest.mark.parametrize(("days", "is_stale"), [(99, False), (101, True)])
    async def test_an_old_evaluation_is_stale(
        self, api: Api, session: AsyncSession, *, days: int, is_stale: bool
    ) -> None:
        await write_stand(session, self.LINE.but(evaluated_at=NOW - timedelta(days=days)))
        assert (await tier_of(api))["stale"] is is_stale

    async def test_a_later_applied_run_that_changed_nothing_counts_as_an_evaluation(
        self, api: Api, session: AsyncSession
    ) -> None:
        before = NOW - timedelta(days=300)
        await write_stand(session, self.LINE.but(evaluated_at=before))
        await write(session, run(NOW - timedelta(days=2), date(2020, 11, 15)))
        body = await tier_of(api)
        assert (body["data_as_of"], body["stale"]) == ("2020-11-15", False)
        assert datetime.fromisoformat(body["evaluated_at"]) == NOW - timedelta(days=2)

    @pytest.mark.parametrize(
        "changes",
        [
            {"mode": "recommend"},
            {"state": "failed"},
            {"state": "running", "finished_at": None},
            {"as_of": date(2020, 10, 30)},
            {"snapshot_at": datetime(2019, 1, 1, tzinfo=UTC)},
        ],
    )
    async def test_a_run_not_applied_not_completed_back_dated_or_earlier_does_not(
        self, api: Api, session: AsyncSession, changes: dict[str, Any]
    ) -> None:
        before = NOW - timedelta(days=300)
        await write_stand(session, self.LINE.but(evaluated_at=before))
        other = run(NOW, date(2020, 11, 15))
        for name, value in changes.items():
            setattr(other, name, value)
        await write(session, other)
        body = await tier_of(api)
        assert (datetime.fromisoformat(body["evaluated_at"]), body["data_as_of"]) == (
            before,
            "2020-10-31",
        )

    async def test_a_corporate_customer_goes_by_the_rule_set_for_corporates(
        self, api: Api, session: AsyncSession
    ) -> None:
        # Over the API a customer keeps its kind.
        await session.execute(text("UPDATE customers SET kind = 'corporate'"))
        await session.commit()
        await write_stand(session, STAND.but(rule_set_id="corporate"))
        assert (await tier_of(api))["stale"] is False
        await write_stand(session, STAND.but(rule_set_id="motor"))
        assert (await tier_of(api))["stale"] is True

    @pytest.mark.parametrize(
        ("held", "put_in_force", "is_stale"),
        [
            ("motor", "2020-11-05", True),
            ("life", "2020-11-05", False),
            # What was in force then and did not decide was not for this customer.
            ("motor", "2019-01-01", False),
        ],
    )
    async def test_who_holds_nothing_goes_by_the_line_last_held(
        self, api: Api, session: AsyncSession, held: str, put_in_force: str, *, is_stale: bool
    ) -> None:
        at = datetime(2020, 11, 1, tzinfo=UTC)
        await write(
            session,
            policy("C1", "P1", line=held),
            term("C1", "P1", ended_on=date(2020, 6, 1), ended_how="lapsed"),
        )
        await write_stand(session, self.LINE.but(evaluated_at=at))
        # The evaluation is long ago, and a run has looked since.
        await write(session, run(NOW, date(2020, 11, 15)))
        await session.execute(text("DELETE FROM rule_set_activations WHERE product_line = 'life'"))
        await session.execute(
            text("UPDATE rule_set_activations SET created_at = CAST(:at AS timestamptz)"),
            {"at": datetime.fromisoformat(f"{put_in_force}T00:00:00+00:00")},
        )
        await session.commit()
        assert (await tier_of(api))["stale"] is is_stale

    async def test_where_no_rule_set_is_in_force_none_is_newer(
        self, api: Api, session: AsyncSession
    ) -> None:
        await session.execute(text("DELETE FROM rule_set_activations"))
        await session.commit()
        assert (await tier_of(api))["stale"] is False


async def test_a_tier_already_known_is_not_sent_again_and_is_a_look_all_the_same(
    api: Api, session: AsyncSession
) -> None:
    first = await api.get(PATH, Role.AGENT)
    etag = first.headers["ETag"]
    for known in (etag, f'"another", W/{etag}', "*"):
        again = await api.get(PATH, Role.AGENT, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
        assert "Content-Type" not in again.headers
    query = text("SELECT status, outcome FROM audit_events ORDER BY at DESC, seq DESC LIMIT 1")
    assert tuple((await session.execute(query)).one()) == (304, "answered")
    # Another role's answer is another one, and so is the next evaluation's.
    other = await api.get(PATH, Role.RISK_OFFICER, headers={"If-None-Match": etag})
    assert (other.status_code, other.headers["ETag"] == etag) == (200, False)
    await write_stand(session, STAND.but(tier="diamond", tier_evaluated="diamond"))
    changed = await api.get(PATH, Role.AGENT, headers={"If-None-Match": etag})
    assert (changed.status_code, changed.json()["tier"]) == (200, "diamond")


async def test_reading_a_tier_takes_few_statements(api: Api, session: AsyncSession) -> None:
    seen: list[str] = []
    engine = (await session.connection()).engine.sync_engine

    def count(_c: object, _u: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    await tier_of(api, Role.AGENT)
    # The token, the customer with his tier, and the audit event; savepoints are of the test's
    # transaction, and batches come with a statement of their own there.
    assert len([statement for statement in seen if "SAVEPOINT" not in statement]) == 4
