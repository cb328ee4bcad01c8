"""The real portfolio: every row accounted for, and the counts its description gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.features.imports.service import ImportResult, Surroundings
from app.features.rule_sets.service import install_templates, load_document
from app.infra.cipher import Vault
from app.infra.database import AsyncSession, Database
from app.infra.settings import Settings
from tests.features.imports.desk import TODAY, ImportDesk, counts
from tests.paths import MOTOR, ROOT, needs_motor

EXAMPLE = ROOT / "examples" / "motor_es"

IN_FORCE = """
    SELECT t.customer_id, t.premium FROM policy_terms t
    WHERE t.term_start <= '2018-12-31' AND '2018-12-31' < t.term_end
    AND (t.ended_on IS NULL OR t.ended_on > '2018-12-31')
"""

# P(0) is the premium of the twelve months up to the day, P(1) that of the twelve before, …
GROWTH = f"""
    WITH rich AS ({IN_FORCE} AND t.premium > 3 * 307.99),
    years AS (
        SELECT customer_id,
            sum(t.premium) FILTER (WHERE t.term_start > '2017-12-31') AS p0,
            sum(t.premium) FILTER (
                WHERE t.term_start > '2016-12-31' AND t.term_start <= '2017-12-31') AS p1,
            sum(t.premium) FILTER (
                WHERE t.term_start > '2015-12-31' AND t.term_start <= '2016-12-31') AS p2,
            sum(t.premium) FILTER (
                WHERE t.term_start > '2014-12-31' AND t.term_start <= '2015-12-31') AS p3
        FROM policy_terms t JOIN rich USING (customer_id)
        WHERE t.term_start <= '2018-12-31'
        GROUP BY customer_id
    ), grown AS (
        SELECT CASE
            WHEN p0 >= p1 AND p1 >= p2 AND p2 >= p3 AND p0 > p3 THEN 3
            WHEN p0 >= p1 AND p1 >= p2 AND p0 > p2 THEN 2
            WHEN p0 > p1 THEN 1
            ELSE 0 END AS years
        FROM years
    )
    SELECT count(*) FILTER (WHERE years >= 2), count(*) FILTER (WHERE years = 1), count(*)
    FROM grown
"""


@pytest.fixture
def euro_desk(database: Database, settings: Settings, vault: Vault, tmp_path: Path) -> ImportDesk:
    euros = settings.model_copy(update={"currency": "EUR"})
    return ImportDesk(Surroundings(database, euros, vault, TODAY), tmp_path)


async def import_motor(desk: ImportDesk, **options: object) -> ImportResult:
    assert MOTOR is not None
    return await desk.run(MOTOR, mapping=EXAMPLE / "mapping.yaml", **options)


@needs_motor
@pytest.mark.anyio
async def test_every_row_of_the_motor_portfolio_is_accounted_for(euro_desk: ImportDesk) -> None:
    result = await import_motor(euro_desk)

    total = result.total
    assert (total.rows, total.loaded, total.rejected, total.unused) == (105_555, 90_719, 0, 0)
    assert total.filtered == {"zero-exposure": 14_432, "lapsed-before-start": 404}
    assert set(result.reasons) == set(total.filtered)
    assert counts(result, "customers") == (48_427, 0, 0, 0)
    assert counts(result, "policies") == (48_427, 0, 0, 0)
    assert counts(result, "policy_terms") == (90_719, 0, 0, 0)
    assert counts(result, "claims") == (19_589, 0, 0, 0)

    assert await euro_desk.query(
        f"SELECT count(*), count(DISTINCT customer_id) FROM ({IN_FORCE}) f"
    ) == [(31_161, 31_161)]
    assert await euro_desk.query(
        "SELECT count(*) FILTER (WHERE premium > 3 * 307.99),"
        " count(*) FILTER (WHERE premium BETWEEN 307.99 AND 3 * 307.99),"
        f" count(*) FILTER (WHERE premium < 307.99) FROM ({IN_FORCE}) f"
    ) == [(120, 12_356, 18_685)]
    assert await euro_desk.query(
        "SELECT count(*), round(avg(premium), 2)::text FROM policy_terms"
        " WHERE term_start BETWEEN '2018-01-01' AND '2018-12-31'"
    ) == [(31_729, "307.99")]
    assert await euro_desk.query(GROWTH) == [(31, 33, 120)]

    benchmarks = await euro_desk.run(EXAMPLE / "market_benchmarks.csv")
    assert counts(benchmarks, "market_benchmarks") == (2, 0, 0, 0)
    await assert_history_holds_no_future(euro_desk)

    again = await import_motor(euro_desk, chunk_rows=70_000)
    assert not again.changed
    assert again.resumed_rows == 0
    assert counts(again, "policy_terms") == (0, 0, 90_719, 0)
    assert counts(again, "customers") == (0, 0, 48_427, 0)


async def assert_history_holds_no_future(desk: ImportDesk) -> None:
    """A term that another one follows was renewed at its end; claims come with the end."""
    assert await desk.query(
        "SELECT count(*) FROM policy_terms t JOIN policy_terms n"
        " ON n.policy_no = t.policy_no AND n.term_start = t.term_end"
        " WHERE t.ended_how IS DISTINCT FROM 'renewed' OR t.ended_on <> t.term_end"
    ) == [(0,)]
    assert await desk.query(
        "SELECT ended_how, count(*) FROM policy_terms GROUP BY 1 ORDER BY 1"
    ) == [("expired", 11_594), ("lapsed", 3_523), ("renewed", 42_292), (None, 33_310)]
    assert await desk.query(
        "SELECT count(*) FROM claims c WHERE NOT EXISTS (SELECT FROM policy_terms t"
        " WHERE t.policy_no = c.policy_no"
        " AND least(t.term_end, t.ended_on) = c.reported_on)"
    ) == [(0,)]
    assert await desk.query(
        "SELECT count(*) FROM scoring_inputs i JOIN customers c USING (customer_id)"
        " WHERE i.valid_to IS NOT NULL OR i.birth_month IS NULL OR c.birth_band IS NULL"
    ) == [(0,)]


@pytest.mark.anyio
async def test_the_rule_set_without_chinese_amounts_goes_into_force(session: AsyncSession) -> None:
    await install_templates(session)
    text = (EXAMPLE / "rules.yaml").read_text(encoding="utf-8")

    loaded = await load_document(session, text)

    assert (loaded.rule_set_id, loaded.product_line) == ("motor-es", "motor")
