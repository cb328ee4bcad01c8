"""Two whole books through the product: the real motor portfolio, and the demo's proportions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

from sqlalchemy import text

from app.cli.demo import prepare
from app.cli.records import surroundings_of
from app.cli.serving import bring_up_to_date
from app.domain.rules.check import box_text
from app.features.imports.service import ImportOptions, run_import
from app.features.reevaluation.service import RunSummary, run
from app.features.rule_sets.service import Count, Counted, check_raw, load_document
from app.infra.database import open_database
from app.infra.prover import Prover
from app.infra.settings import Settings
from tests.paths import MOTOR, ROOT, needs_motor

EXAMPLE = ROOT / "examples" / "motor_es"
YEAR_END = date(2018, 12, 31)
CUSTOMERS = 3_000


async def evaluate_motor(url: str, settings: Settings, motor: Path) -> RunSummary:
    """What the example's README does, command by command."""
    await bring_up_to_date(url, settings)
    async with open_database(url, settings) as database:
        around = surroundings_of(database, settings)
        await run_import(around, motor, ImportOptions(mapping=EXAMPLE / "mapping.yaml"))
        await run_import(around, EXAMPLE / "market_benchmarks.csv")
        async with database.sessions.begin() as session:
            await load_document(session, (EXAMPLE / "rules.yaml").read_text())
    return await run(url, settings, as_of=YEAR_END, apply=True)


async def shares(url: str, settings: Settings, query: str) -> dict[str, int]:
    async with open_database(url, settings) as database, database.sessions() as session:
        return dict(iter(await session.execute(text(query))))


@needs_motor
def test_the_motor_portfolio_comes_out_with_exactly_the_counts_of_its_description(
    fresh_database_url: str, settings: Settings
) -> None:
    assert MOTOR is not None
    euros = settings.model_copy(update={"currency": "EUR"})
    summary = asyncio.run(evaluate_motor(fresh_database_url, euros, MOTOR))
    assert (summary.tally.customers, summary.tally.changed) == (48_427, 48_427)

    # In force are those who did not leave: 120 over 3×, 12,356 in 1…3×, 18,685 under 1×.
    layers = asyncio.run(
        shares(
            fresh_database_url,
            euros,
            "SELECT outcomes->>'pyramid_layer', count(*) FROM decisions"
            " WHERE life_cycle_stage <> 'lapsed' GROUP BY 1",
        )
    )
    assert layers == {"top": 120, "middle": 12_356, "base": 18_685}
    assert sum(layers.values()) == 31_161
    # 31 of the 120 grew for two years or more, the others are high and flat.
    assert summary.tally.segments == {
        "high_net_worth": 31,
        "mid_market": 12_356 + 89,
        "base": 48_427 - 31 - 12_356 - 89,
    }
    assert summary.tally.tiers["diamond"] == 31
    asyncio.run(assert_contradiction_is_found(fresh_database_url, euros))


async def assert_contradiction_is_found(url: str, settings: Settings) -> None:
    """The motor template with a row that forgets the floor of premium, which another row has."""
    planted = {
        "id": "SEG9",
        "when": {"premium_ratio": "> 3", "years_of_premium_growth": ">= 2"},
        "then": "high_net_worth",
    }
    document = {
        "format": "tiering/1",
        "id": "motor-planted",
        "extends": "motor@1",
        "tables": [{"id": "segment", "rules": [planted]}],
    }
    async with open_database(url, settings) as database:
        count = Count(url, settings.data_dir, YEAR_END)
        checked = await check_raw(database, document, count=count, prove=Prover().prove)
    assert not checked.ok
    assert checked.counted == Counted(48_427, YEAR_END)
    worst = checked.findings[0]
    assert worst.finding.code == "overlap-conflict"
    assert (worst.finding.table, worst.finding.rules) == ("segment", ("SEG8", "SEG9"))
    assert box_text(worst.finding.box or ()) == (
        "premium_ratio > 3, years_of_premium_growth >= 2, annual_premium < 20000 or is missing"
    )
    # Those who are over three times the average and grew for two years or more: nobody of them
    # pays 20,000 a year.
    assert worst.affected == 31
    witness = dict(worst.finding.witness)
    proof = {name: witness[name] for name in planted_inputs(witness)}
    assert judged_by_rows(proof) == {"SEG8", "SEG9"}


def planted_inputs(witness: Mapping[str, str]) -> list[str]:
    """The inputs that the two rows bound."""
    bounded = {"premium_ratio", "years_of_premium_growth", "annual_premium"}
    assert bounded <= set(witness)
    return sorted(bounded)


def judged_by_rows(facts: Mapping[str, str]) -> set[str]:
    """Which of the two rows match, said once more as sentences of code."""
    ratio, growth = Decimal(facts["premium_ratio"]), int(facts["years_of_premium_growth"])
    premium = facts["annual_premium"]
    rows = {"SEG9"} if ratio > 3 and growth >= 2 else set()
    is_small = premium == "null" or Decimal(premium) < 20_000
    return rows | ({"SEG8"} if ratio > 3 and growth >= 2 and is_small else set())


OUTCOMES = """
    SELECT 'tier ' || tier_applied, count(*) FROM decisions GROUP BY 1
    UNION ALL SELECT 'segment ' || segment, count(*) FROM decisions GROUP BY 1
    UNION ALL SELECT 'stage ' || life_cycle_stage, count(*) FROM decisions GROUP BY 1
    UNION ALL SELECT 'grade ' || risk_grade, count(*) FROM decisions GROUP BY 1
    UNION ALL SELECT 'vip_care', count(*) FROM decisions WHERE outcomes->'labels' ? 'vip_care'
"""

#: Per cent of the customers, as the shipped templates find them in the made-up records.
EXPECTED = {
    "tier diamond": 5,
    "tier gold": 11,
    "tier standard": 84,
    "segment base": 66,
    "segment potential": 9,
    "segment mid_market": 23.5,
    "segment high_net_worth": 1.5,
    "stage stable": 62,
    "stage new": 12,
    "stage dormant": 10,
    "stage at_risk": 8,
    "stage lapsed": 8,
    "grade A": 30,
    "grade B": 40,
    "grade C": 20,
    "grade D": 8,
    "grade E": 2,
    "vip_care": 45,
}


def test_the_demo_book_comes_out_in_the_proportions_it_was_made_for(
    fresh_database_url: str, settings: Settings
) -> None:
    asyncio.run(prepare(fresh_database_url, settings, customers=CUSTOMERS))
    counts = asyncio.run(shares(fresh_database_url, settings, OUTCOMES))
    assert set(counts) == set(EXPECTED)
    found = {name: 100 * count / CUSTOMERS for name, count in counts.items()}
    off = {name: share for name, share in found.items() if abs(share - EXPECTED[name]) > 4}
    assert off == {}
