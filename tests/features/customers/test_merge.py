"""`POST /v1/customers/{id}/merge`: the old id stands for the other, and its records go along."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from dirty_equals import IsStr
from sqlalchemy import text

from app.db.rows import ConsentRow, ExternalCheckRow, ModelScoreRow, ReferralRow
from app.domain.privacy.roles import Role
from app.features.imports.service import write_records
from app.infra.cipher import Vault, ensure_subject_keys
from app.infra.clock import business_day, utc_now
from app.infra.database import AsyncSession, Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, Caller, open_api
from tests.factories.customers import (
    CORPORATE,
    claim,
    contact,
    policy,
    put_customer,
    service_use,
    survey,
    term,
    write,
)
from tests.factories.overrides import put_override
from tests.factories.tiers import Stand, write_stand
from tests.features.stock import stocked

pytestmark = pytest.mark.anyio

DAY = date(2020, 5, 1)


async def _customers(api: Api, session: AsyncSession) -> None:
    """Two records of one person, each evaluated; somebody else, and a company."""
    await put_customer(api, "C1")
    await put_customer(api, "C2")
    await put_customer(api, "C3")
    await put_customer(api, "F1", **CORPORATE)
    await write_stand(session, Stand("C1", tier="diamond"))
    await write_stand(session, Stand("C2"))


@pytest.fixture(scope="module")
def stock(server_url: str, keys: Path) -> Iterator[str]:
    """A database with these customers."""
    with stocked(server_url, keys, _customers) as url:
        yield url


async def merge(api: Api, old: str, into: str) -> tuple[int, dict[str, Any]]:
    """Status and body of a merge."""
    answer = await api.call(
        "POST", f"/v1/customers/{old}/merge", Role.INTEGRATION, json={"into": into}
    )
    return answer.status_code, answer.json()


async def rows(session: AsyncSession, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query."""
    return [tuple(row) for row in await session.execute(text(query))]


async def test_nobody_merges_without_a_token(api: Api) -> None:
    answer = await api.call("POST", "/v1/customers/C1/merge", json={"into": "C2"})
    assert answer.status_code == 401


@pytest.mark.parametrize("role", sorted({*Role} - {Role.INTEGRATION}))
async def test_other_roles_are_refused(api: Api, role: Role) -> None:
    caller = Caller(role, "C1" if role is Role.CUSTOMER else None)
    answer = await api.call("POST", "/v1/customers/C1/merge", caller, json={"into": "C2"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("old", "into", "status", "problem"),
    [
        ("NOBODY", "C1", 404, "not-found"),
        ("C1", "NOBODY", 404, "not-found"),
        ("C1", "C1", 409, "same-customer"),
        ("C1", "F1", 409, "kind-fixed"),
        ("C1", "a b", 422, "validation"),
        ("C1", "..", 422, "validation"),
    ],
)
async def test_what_cannot_be_merged_is_refused_and_stays(
    api: Api, session: AsyncSession, old: str, into: str, status: int, problem: str
) -> None:
    code, body = await merge(api, old, into)
    assert (code, body["type"]) == (status, f"/problems/{problem}")
    assert body["title"] == IsStr()
    assert await rows(session, "SELECT * FROM customer_aliases") == []


async def test_the_old_id_answers_as_the_survivor_and_saying_it_again_changes_nothing(
    api: Api, session: AsyncSession
) -> None:
    merged = (200, {"merged_id": "C1", "customer_id": "C2"})
    assert await merge(api, "C1", "C2") == merged
    stored = await rows(session, "SELECT alias_id, customer_id, merged_on FROM customer_aliases")
    assert await merge(api, "C1", "C2") == merged
    assert stored == [("C1", "C2", business_day(utc_now(), "Asia/Shanghai"))]
    assert await rows(session, "SELECT alias_id, customer_id, merged_on FROM customer_aliases") == (
        stored
    )
    answer = (await api.get("/v1/customers/C1/tier", Role.AGENT)).json()
    assert (answer["customer_id"], answer["tier"]) == ("C2", "gold")
    query = "SELECT outcome, subjects FROM audit_events WHERE route LIKE '%/merge' ORDER BY at, seq"
    assert await rows(session, query) == [
        ("changed", ["C2", "C1"]),
        ("answered", ["C2", "C1"]),
    ]


async def test_chains_rings_and_other_survivors_are_refused(api: Api) -> None:
    await merge(api, "C1", "C2")
    for old, into, problem in (
        ("C2", "C1", "merged-away"),
        ("C3", "C1", "merged-away"),
        ("C1", "C3", "merged-already"),
    ):
        code, body = await merge(api, old, into)
        assert (code, body["type"]) == (409, f"/problems/{problem}"), (old, into)


async def test_a_survivor_may_be_merged_himself_and_takes_everybody_along(
    api: Api, session: AsyncSession
) -> None:
    await write(session, policy("C1", "P1"))
    await merge(api, "C1", "C2")
    assert (await merge(api, "C2", "C3"))[0] == 200
    assert await rows(session, "SELECT policy_no, customer_id FROM policies") == [("P1", "C3")]
    assert await merge(api, "C1", "C3") == (200, {"merged_id": "C1", "customer_id": "C3"})


async def test_everything_recorded_goes_along(api: Api, session: AsyncSession) -> None:
    await write(
        session,
        policy("C1", "P1"),
        term("C1", "P1"),
        claim("C1", "P1"),
        contact("C1", DAY),
        survey("C1", DAY, 9),
        service_use("C1", DAY),
        policy("C3", "P3"),
    )
    await merge(api, "C1", "C2")
    for table in (
        *("policies", "policy_terms", "claims", "interactions", "surveys", "service_uses"),
    ):
        found = await rows(session, f"SELECT customer_id FROM {table} ORDER BY 1")
        assert found[0] == ("C2",), table
        assert ("C1",) not in found, table
    assert await rows(session, "SELECT customer_id FROM policies ORDER BY 1") == [("C2",), ("C3",)]
    lines = (await api.get("/v1/customers/C2", Role.AGENT)).json()["panorama"]["lines"]
    assert sum(line["policies_in_force"] for line in lines) == 1


async def test_no_table_of_records_is_forgotten(session: AsyncSession) -> None:
    """A new table with a customer's id has to be moved, or named here with the reason it stays."""
    stays = {
        # Who he was, under the old id: identity, dated attributes, decisions, past tiers.
        *("customers", "scoring_inputs", "decisions", "tier_assignments", "customer_aliases"),
        # Ended.
        *("scoring_states", "overrides"),
        # Who would have moved on the day of a simulation.
        "simulation_movers",
    }
    moved = {
        *("policies", "policy_terms", "claims", "interactions", "surveys", "service_uses"),
        *("external_checks", "verification_attempts", "consents", "model_scores", "referrals"),
    }
    query = (
        "SELECT c.table_name FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema = 'public' AND c.column_name = 'customer_id'"
        " AND t.table_type = 'BASE TABLE'"
    )
    assert {name for (name,) in await rows(session, query)} == stays | moved


async def test_the_tier_ends_and_both_histories_stay(api: Api, session: AsyncSession) -> None:
    await merge(api, "C1", "C2")
    today = business_day(utc_now(), "Asia/Shanghai")
    query = (
        "SELECT customer_id, tier, valid_from, valid_to, ended_by FROM tier_assignments ORDER BY 1"
    )
    since = date(2020, 10, 31)
    assert await rows(session, query) == [
        ("C1", "diamond", since, today, "merge"),
        ("C2", "gold", since, None, None),
    ]
    assert await rows(session, "SELECT customer_id FROM scoring_states") == [("C2",)]
    assert await rows(session, "SELECT customer_id FROM decisions ORDER BY 1") == [
        ("C1",),
        ("C2",),
    ]
    await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


async def test_what_was_decided_or_asked_for_the_old_id_ends_with_it(
    api: Api, session: AsyncSession
) -> None:
    today = business_day(utc_now(), "Asia/Shanghai")
    until = today + timedelta(10)
    served = await put_override(session, "C1", tier="standard", until=until)
    asked = await put_override(session, "C1", tier="gold", until=until, state="requested")
    await put_override(session, "C2", tier="diamond", until=until)
    await session.commit()
    assert (await merge(api, "C1", "C2"))[0] == 200
    query = (
        "SELECT customer_id, state, closed_because, closed_on, closed_at IS NOT NULL"
        " FROM overrides ORDER BY 1, 2"
    )
    assert await rows(session, query) == [
        ("C1", "ended", "merge", today, True),
        ("C1", "withdrawn", "merge", today, True),
        ("C2", "active", None, None, False),
    ]
    query = (
        "SELECT kind, customer_ids, payload->>'request_id', payload->>'because'"
        " FROM outbox_events ORDER BY 1"
    )
    assert await rows(session, query) == [
        ("override-ended", ["C1"], str(served), "merge"),
        ("override-withdrawn", ["C1"], str(asked), "merge"),
    ]
    query = "SELECT tier, ended_by FROM tier_assignments WHERE valid_to IS DISTINCT FROM valid_from"
    assert ("standard", "merge") in await rows(session, query)
    await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


async def test_who_got_another_tier_today_is_merged_today(api: Api, session: AsyncSession) -> None:
    today = business_day(utc_now(), "Asia/Shanghai")
    path, body = "/v1/customers/C1/evaluations", {"as_of": today.isoformat()}
    assert (await api.call("POST", path, Role.RISK_OFFICER, json=body)).status_code == 201
    assert (await merge(api, "C1", "C2"))[0] == 200
    query = (
        "SELECT source, valid_from, valid_to, ended_by FROM tier_assignments"
        " WHERE customer_id = 'C1' ORDER BY valid_from"
    )
    since = date(2020, 10, 31)
    assert await rows(session, query) == [
        ("evaluated", since, today, "merge"),
        ("grace", today, today, "merge"),
    ]
    await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


async def test_of_consents_and_scores_of_one_day_the_survivors_stand_but_a_withdrawal_holds(
    api: Api, session: AsyncSession
) -> None:
    def consent(customer_id: str, purpose: str, withdrawn_on: date | None = None) -> ConsentRow:
        return ConsentRow(
            customer_id=customer_id, purpose=purpose, given_on=DAY, withdrawn_on=withdrawn_on
        )

    later, latest = date(2020, 6, 1), date(2020, 7, 1)
    await write(
        session,
        consent("C1", "health_data"),
        consent("C1", "credit_data", later),
        consent("C2", "credit_data", latest),
        consent("C1", "behaviour", later),
        consent("C2", "behaviour"),
        consent("C1", "third_party"),
        consent("C2", "third_party", later),
        ModelScoreRow(customer_id="C1", valid_from=DAY, uplift_3y=1),
        ModelScoreRow(customer_id="C2", valid_from=DAY, uplift_3y=2),
        ModelScoreRow(customer_id="C1", valid_from=later, uplift_3y=3),
    )
    await merge(api, "C1", "C2")
    query = "SELECT purpose, withdrawn_on FROM consents WHERE customer_id = 'C2' ORDER BY 1"
    assert await rows(session, query) == [
        ("behaviour", later),
        ("credit_data", later),
        ("health_data", None),
        ("third_party", later),
    ]
    query = "SELECT customer_id, uplift_3y FROM model_scores ORDER BY valid_from, customer_id"
    assert await rows(session, query) == [("C1", 1), ("C2", 2), ("C2", 3)]


async def test_who_referred_himself_under_the_other_id_referred_nobody(
    api: Api, session: AsyncSession
) -> None:
    def referral(number: str, by: str, whom: str | None) -> ReferralRow:
        return ReferralRow(
            referral_no=number, customer_id=by, referred_customer_id=whom, succeeded_on=DAY
        )

    await write(
        session,
        referral("R1", "C1", "C2"),
        referral("R2", "C2", "C1"),
        referral("R3", "C1", "C3"),
        referral("R4", "C3", "C1"),
        referral("R5", "C1", None),
        referral("R6", "C3", None),
    )
    await merge(api, "C1", "C2")
    query = "SELECT referral_no, customer_id, referred_customer_id FROM referrals ORDER BY 1"
    assert await rows(session, query) == [
        ("R3", "C2", "C3"),
        ("R4", "C3", "C2"),
        ("R5", "C2", None),
        ("R6", "C3", None),
    ]


async def test_sealed_texts_are_sealed_anew_for_the_survivor(
    api: Api, session: AsyncSession, settings: Settings
) -> None:
    vault = api.app.state.vault
    check = {
        "check_no": "K1",
        "customer_id": "C1",
        "checked_on": DAY,
        "kind": "credit",
        "matches": True,
        "declared": "what he said",
    }
    await _write(session, "external_checks", check, vault, settings)
    await merge(api, "C1", "C2")
    stored = (await session.scalars(text("SELECT declared_cipher FROM external_checks"))).one()
    keys = await ensure_subject_keys(session, vault, ["C2"])
    opened = Vault.decrypt(keys["C2"], "external_checks", "declared_cipher", "K1", stored)
    assert opened.decode() == "what he said"
    # The feed goes on naming the old id.
    await _write(session, "external_checks", {**check, "declared": "more"}, vault, settings)
    assert await rows(session, "SELECT customer_id FROM external_checks") == [("C2",)]


async def test_what_nobody_can_open_any_more_does_not_hold_a_merge_up(
    api: Api, session: AsyncSession
) -> None:
    await write(
        session,
        ExternalCheckRow(
            check_no="K1",
            customer_id="C1",
            checked_on=DAY,
            kind="credit",
            matches=True,
            declared_cipher=b"sealed with a key that was destroyed",
        ),
    )
    await session.execute(text("DELETE FROM subject_keys WHERE subject_id = 'C1'"))
    await session.commit()
    assert (await merge(api, "C1", "C2"))[0] == 200
    query = "SELECT customer_id, declared_cipher FROM external_checks"
    assert await rows(session, query) == [("C2", None)]


async def _write(
    session: AsyncSession, record: str, row: dict[str, object], vault: Vault, settings: Settings
) -> None:
    await write_records(
        session, record=record, rows=[row], vault=vault, settings=settings, valid_from=DAY
    )
    await session.commit()


async def test_a_merge_that_comes_by_file_moves_the_records_just_the_same(
    api: Api, session: AsyncSession, settings: Settings
) -> None:
    await write(session, policy("C1", "P1"), term("C1", "P1"), contact("C1", DAY))
    alias = {"alias_id": "C1", "customer_id": "C2", "merged_on": DAY}
    for _ in range(2):
        await _write(session, "customer_aliases", alias, api.app.state.vault, settings)
        assert await rows(session, "SELECT customer_id FROM policy_terms") == [("C2",)]
        assert await rows(session, "SELECT customer_id FROM interactions") == [("C2",)]
    query = "SELECT ended_by FROM tier_assignments WHERE customer_id = 'C1'"
    assert await rows(session, query) == [("merge",)]
    assert (await merge(api, "C1", "C2"))[0] == 200


class TestRaces:
    """Merges at the same time, in real transactions."""

    async def test_of_two_that_would_make_a_ring_one_holds(
        self, committed: Database, settings: Settings
    ) -> None:
        async with open_api(create_app(settings, committed), settings) as api:
            await put_customer(api, "C1")
            await put_customer(api, "C2")
            answers = await asyncio.gather(
                *(merge(api, *pair) for pair in [("C1", "C2"), ("C2", "C1")] * 3)
            )
        assert sorted(status for status, _ in answers) == [200, 200, 200, 409, 409, 409]
        async with committed.sessions() as session:
            assert len(await rows(session, "SELECT * FROM customer_aliases")) == 1
