"""What a simulation counts is what two runs really give."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.tiering.decision import Cause, CauseKind
from app.domain.tiering.ladder import LADDER
from app.domain.words import OverrideMode
from app.features.benefits.service import install_benefits
from app.features.reevaluation.service import run
from app.features.rule_sets.service import load_document
from app.features.scoring.service import evaluate_customer
from app.features.sla.service import install_sla
from app.infra.cipher import Vault, load_master_key
from app.infra.clock import utc_now
from app.infra.database import AsyncSession, normalise_url, open_database
from app.infra.settings import Settings
from tests.conftest import TEMPLATE
from tests.contract.live import a_database
from tests.factories.book import AS_OF, change_some, write_book
from tests.factories.overrides import put_override
from tests.factories.templates import put_templates
from tests.features.simulations.conftest import opened
from tests.features.simulations.rehearsal import LINE, Rehearsal, generous, matrix

pytestmark = pytest.mark.anyio

CUSTOMERS = 130
EARLIER = AS_OF - timedelta(40)
#: What is decided of whom, by the newest decision.
STANDS = """
SELECT DISTINCT ON (customer_id) customer_id, tier_evaluated, tier_applied, segment, risk_grade,
    outcomes, rule_set_id
FROM decisions ORDER BY customer_id, as_of DESC, recorded_at DESC
"""

Stands = dict[str, dict[str, Any]]


async def prepare(url: str, settings: Settings) -> None:
    """A book that was evaluated before, whose records went on since, and some overrides."""
    async with open_database(url, settings) as database:
        async with database.sessions.begin() as session:
            await write_book(session, CUSTOMERS)
            await put_templates(session)
        await run(url, settings, as_of=EARLIER, apply=True)
        async with database.sessions.begin() as session:
            await overtake(session)


async def overtake(session: AsyncSession) -> None:
    """Change records, and let people replace what was decided of some."""
    await change_some(session, one_in=6, day=AS_OF)
    query = text("SELECT customer_id FROM scoring_states ORDER BY tier, customer_id")
    ids = list(await session.scalars(query))
    replaced: tuple[tuple[str, OverrideMode, str], ...] = (
        (ids[0], "ceiling", "standard"),
        (ids[1], "pin", "gold"),
        (ids[-1], "floor", "diamond"),
        (ids[-2], "pin", "diamond"),
    )
    for customer_id, mode, tier in replaced:
        until = AS_OF + timedelta(30)
        await put_override(session, customer_id, mode=mode, tier=tier, until=until)


@dataclass
class Decided:
    """A book that was evaluated before, how it stands without a candidate, and its deployment."""

    name: str
    settings: Settings
    stands: Stands


async def decide(url: str, settings: Settings, candidate: dict[str, Any] | None) -> Stands:
    """How everybody stands once the candidate, or what decides anyhow, has decided."""
    async with open_database(url, settings) as database:
        if candidate is not None:
            async with database.sessions.begin() as session:
                await load_document(session, json.dumps(candidate), valid_from=AS_OF)
        await run(url, settings, as_of=AS_OF, apply=True)
        async with database.sessions() as session:
            rows = (await session.execute(text(STANDS))).mappings()
            return {row["customer_id"]: dict(row) for row in rows}


@pytest.fixture(scope="module")
def decided(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decided]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("decided"))
    with a_database(server_url, TEMPLATE) as url:
        asyncio.run(prepare(url, settings))
        name = str(normalise_url(url).database)
        with a_database(server_url, name) as copied:
            stands = asyncio.run(decide(copied, settings, None))
        yield Decided(name, settings, stands)


async def simulate(
    url: str, settings: Settings, candidate: dict[str, Any]
) -> tuple[dict[str, Any], set[str]]:
    """The report of the candidate, and who moves."""
    async with opened(url, settings) as rehearsal:
        await rehearsal.store(candidate)
        place = await rehearsal.simulate(candidate["id"])
        movers = await rehearsal.rows("SELECT customer_id FROM simulation_movers")
        report: dict[str, Any] = (await rehearsal.get(place))["report"]
        return report, {customer_id for (customer_id,) in movers}


def moves(before: Stands, after: Stands, name: str) -> Counter[tuple[str, str]]:
    """Customers by what they were and are."""
    return Counter((before[id_][name], after[id_][name]) for id_ in before)


@pytest.mark.parametrize("premium", ["3000", "900000"])
def test_the_matrices_are_those_of_two_runs(
    server_url: str, decided: Decided, premium: str
) -> None:
    candidate, before = generous(premium), decided.stands
    with a_database(server_url, decided.name) as url:
        after = asyncio.run(decide(url, decided.settings, candidate))
    with a_database(server_url, decided.name) as url:
        report, movers = asyncio.run(simulate(url, decided.settings, candidate))
    evaluated = moves(before, after, "tier_evaluated")
    served = moves(before, after, "tier_applied")
    assert matrix(report["evaluated"]) == evaluated
    assert matrix(report["serving"]) == served
    # Something moves, and stability and overrides make a difference.
    assert any(old != new for old, new in evaluated)
    assert served != evaluated
    assert movers == {
        id_
        for id_ in before
        if any(before[id_][name] != after[id_][name] for name in ("tier_evaluated", "tier_applied"))
    }
    assert report["movers"] == len(movers)
    same = [id_ for id_ in before if before[id_]["rule_set_id"] != LINE]
    assert report["undecided"] == len(same)
    assert (report["customers"], report["refused"], report["unjudged"]) == (CUSTOMERS, 0, 0)
    assert_answers(report, before, after)


def assert_answers(report: dict[str, Any], before: Stands, after: Stands) -> None:
    """Parts, tiers and the answers of all tables are as decided."""
    for view, name in (("evaluated", "tier_evaluated"), ("serving", "tier_applied")):
        for side, stands in (("before", before), ("after", after)):
            told = {one["tier"]: one[f"{view}_{side}"] for one in report["tiers"]}
            found = Counter(row[name] for row in stands.values())
            assert told == {tier: found[tier] for tier in LADDER.tiers}
        for segment in report["segments"]:
            of = [id_ for id_ in before if before[id_]["segment"] == segment["name"]]
            expected = Counter((before[id_][name], after[id_][name]) for id_ in of)
            assert matrix(segment[view]) == expected
    assert sum(sum(matrix(line["evaluated"]).values()) for line in report["lines"]) == CUSTOMERS
    shifts = {(one["outcome"], one["value"]): one for one in report["shifts"]}
    for side, stands in (("before", before), ("after", after)):
        for grade, count in Counter(row["risk_grade"] for row in stands.values()).items():
            assert shifts["risk_grade", grade][side] == count
        caring = sum("vip_care" in row["outcomes"]["labels"] for row in stands.values())
        assert shifts["labels", "vip_care"][side] == caring > 0
        assert shifts["labels", "vip_care"][f"share_{side}"] == f"{caring / CUSTOMERS:.4f}"


async def test_premium_moves_with_its_customers(simulated: Rehearsal) -> None:
    report = (await simulated.get(await simulated.only()))["report"]
    total = sum(round(100 * float(cell["premium"])) for cell in report["evaluated"])
    parts = [cell for line in report["lines"] for cell in line["evaluated"]]
    assert total == sum(round(100 * float(cell["premium"])) for cell in parts) > 0
    listed = await simulated.rows(
        "SELECT evaluated_before, evaluated_after, sum(premium)::text FROM simulation_movers"
        " WHERE evaluated_before <> evaluated_after GROUP BY 1, 2 ORDER BY 1, 2"
    )
    moved = [
        (cell["before"], cell["after"], cell["premium"])
        for cell in report["evaluated"]
        if cell["before"] != cell["after"]
    ]
    assert sorted(moved) == listed


async def test_each_objective_is_what_a_document_with_it_gives(simulated: Rehearsal) -> None:
    report = (await simulated.get(await simulated.only()))["report"]
    (weighed,) = report["objectives"]
    await simulated.store(generous(rule_set_id="motor-renewal", objective="renewal"))
    other = (await simulated.get(await simulated.simulate("motor-renewal")))["report"]
    for name in ("evaluated", "serving", "tiers"):
        assert weighed[name] == other[name]
    assert weighed["name"] == "renewal"


async def test_the_same_rules_move_nobody(rehearsal: Rehearsal) -> None:
    report = (await rehearsal.get(await rehearsal.simulate(LINE)))["report"]
    assert (report["movers"], report["undecided"]) == (0, report["customers"])
    assert all(cell["before"] == cell["after"] for cell in report["serving"])


async def test_loads_follow_the_tiers_that_serve(rehearsal: Rehearsal) -> None:
    async with rehearsal.database.sessions.begin() as session:
        await install_sla(session)
        await install_benefits(session)
    report = (await rehearsal.get(await rehearsal.simulate()))["report"]
    tiers = {one["tier"]: one for one in report["tiers"]}
    assert report["sla_policy_version"] == 1
    contact = next(
        one
        for one in report["sla"]
        if (one["tier"], one["service_type"]) == ("diamond", "proactive_contact")
    )
    assert contact == {
        "tier": "diamond",
        "service_type": "proactive_contact",
        "customers_before": tiers["diamond"]["serving_before"],
        "customers_after": tiers["diamond"]["serving_after"],
        "contacts_per_month": 1,
        "contacts_before": tiers["diamond"]["serving_before"],
        "contacts_after": tiers["diamond"]["serving_after"],
    }
    check = {(one["tier"], one["code"]): one for one in report["benefits"]}
    assert check["diamond", "health_check"]["uses_per_year"] == 2
    gold = tiers["gold"]
    assert check["gold", "health_check"]["uses_before"] == gold["serving_before"]
    assert check["gold", "fast_claim_lane"]["uses_after"] == 4 * gold["serving_after"]
    assert check["gold", "emergency_hotline"]["uses_after"] is None


async def test_without_a_policy_nothing_is_promised(simulated: Rehearsal) -> None:
    report = (await simulated.get(await simulated.only()))["report"]
    assert (report["sla_policy_version"], report["sla"], report["benefits"]) == (None, [], [])


async def test_fairness_counts_everybody_once_per_attribute(rehearsal: Rehearsal) -> None:
    async with rehearsal.database.sessions.begin() as session:
        await session.execute(
            text("UPDATE customers SET city = 'City ' || substr(customer_id, 8), channel = 'app'")
        )
    report = (await rehearsal.get(await rehearsal.simulate()))["report"]
    ups = sum(
        cell["customers"]
        for cell in report["evaluated"]
        if LADDER.is_better(cell["after"], cell["before"])
    )
    by_attribute: dict[str, list[dict[str, Any]]] = {}
    for group in report["fairness"]:
        by_attribute.setdefault(group["attribute"], []).append(group)
    assert set(by_attribute) == {"age", "gender", "region", "channel"}
    for groups in by_attribute.values():
        total = sum(one["up"] + one["down"] + one["same"] for one in groups)
        assert total == report["customers"]
        assert sum(one["up"] for one in groups) == ups
    assert [one["group"] for one in by_attribute["channel"]] == ["app"]
    # A hundred cities: the forty largest, and the others together.
    assert len(by_attribute["region"]) == 41
    assert {one["group"] for one in by_attribute["age"]} <= {
        *("0-17", "18-29", "30-39", "40-49", "50-59", "60-69", "70+", "unknown"),
    }


async def test_who_cannot_be_judged_or_was_evaluated_later_is_left_out(
    rehearsal: Rehearsal, settings: Settings
) -> None:
    vault = Vault(load_master_key(settings))
    async with rehearsal.database.sessions.begin() as session:
        await evaluate_customer(
            session,
            customer_id="C00000001",
            as_of=date(2026, 7, 9),
            cause=Cause(CauseKind.API),
            now=utc_now(),
            vault=vault,
        )
    async with rehearsal.database.sessions.begin() as session:
        await session.execute(
            text("ALTER TABLE scoring_inputs DROP CONSTRAINT ck_scoring_inputs_asset_band")
        )
        await session.execute(
            text("UPDATE scoring_inputs SET asset_band = 9 WHERE customer_id > 'C00000100'")
        )
    report = (await rehearsal.get(await rehearsal.simulate()))["report"]
    (error,) = report["input_errors"]
    assert error["error"] == "asset_band is outside its range"
    assert error["before"] == error["after"] == report["unjudged"] > 0
    assert report["refused"] == 1
    compared = sum(matrix(report["evaluated"]).values())
    assert compared == report["customers"] - report["refused"] - report["unjudged"]


async def test_small_batches_count_the_same(
    simulated: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (await simulated.get(await simulated.only()))["report"]
    listed = "SELECT count(*), count(DISTINCT customer_id) FROM simulation_movers"
    (counts,) = await simulated.rows(listed)
    monkeypatch.setattr("app.infra.book.PART_CUSTOMERS", 25)
    assert (await simulated.get(await simulated.simulate(objectives=["renewal"])))[
        "report"
    ] == whole
    assert await simulated.rows(listed) == [(2 * counts[0], counts[1])]
