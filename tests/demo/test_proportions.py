"""The raw records show the proportions asked for, within a few points at 20,000 customers."""

from __future__ import annotations

import duckdb
import pytest

from tests.demo.conftest import ask

POINTS = 0.035

# What the annual_premium of the facts counts: regular premiums in force at their yearly rate, a
# tenth of single premiums, top-ups and the last premium of a paid-up policy, none in cooling-off.
ANNUAL_PREMIUM = """
CREATE TEMP TABLE IF NOT EXISTS annual AS
SELECT c.customer_id, c.kind, coalesce(sum(CASE
    WHEN t.cooling_off_until >= as_of() THEN 0
    WHEN t.premium_kind = 'regular' THEN t.premium
    WHEN t.premium_kind = 'paid_up' THEN (
        SELECT max_by(r.premium, r.term_start) FROM policy_terms r
        WHERE r.policy_no = t.policy_no AND r.premium_kind = 'regular') / 10
    WHEN as_of() < t.term_start + INTERVAL 10 YEAR THEN t.premium / 10
    ELSE 0 END), 0) AS premium
FROM customers c LEFT JOIN terms t ON t.customer_id = c.customer_id AND t.in_force
GROUP BY ALL
"""


def share(records: duckdb.DuckDBPyConnection, condition: str, of: str) -> float:
    return ask(records, f"SELECT avg(coalesce({condition}, false)::INT) FROM {of}")


@pytest.fixture(scope="module")
def annual(records: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    records.execute(ANNUAL_PREMIUM)
    return records


def test_three_per_cent_are_corporate(records: duckdb.DuckDBPyConnection) -> None:
    assert share(records, "kind = 'corporate'", "customers") == pytest.approx(0.03, abs=0.005)


@pytest.mark.parametrize(
    ("products", "expected"),
    [
        ("'fuel_car', 'new_energy_car', 'motor_fleet'", 0.70),
        ("'medical'", 0.39),
        ("'accident'", 0.30),
        ("'critical_illness'", 0.24),
        ("'life', 'annuity'", 0.19),
        ("'home'", 0.06),
    ],
)
def test_lines_are_held_by_the_given_share_of_customers(
    products: str, expected: float, records: duckdb.DuckDBPyConnection
) -> None:
    holders = ask(
        records,
        "SELECT count(DISTINCT customer_id) FILTER"
        f" (in_force AND product IN ({products})) / count(DISTINCT customer_id) FROM terms",
    )
    assert holders == pytest.approx(expected, abs=POINTS)


@pytest.mark.parametrize(
    ("product", "expected", "tolerance"),
    [
        ("fuel_car", 2_700, 0.05),
        ("new_energy_car", 4_400, 0.05),
        ("accident", 260, 0.05),
        ("critical_illness", 6_000, 0.07),
        ("home", 350, 0.07),
        ("life", 15_000, 0.15),
        ("annuity", 15_000, 0.15),
    ],
)
def test_mean_premiums_are_the_given_ones(
    product: str, expected: float, tolerance: float, records: duckdb.DuckDBPyConnection
) -> None:
    mean = ask(
        records,
        "SELECT avg(premium) FROM terms"
        f" WHERE in_force AND premium_kind = 'regular' AND product = '{product}'",
    )
    assert mean == pytest.approx(expected, rel=tolerance)


def test_half_of_the_life_policies_cost_less_than_seven_thousand(
    records: duckdb.DuckDBPyConnection,
) -> None:
    median = ask(
        records,
        "SELECT median(premium) FROM terms"
        " WHERE in_force AND premium_kind = 'regular' AND product_line = 'life'",
    )
    assert median == pytest.approx(7_000, rel=0.1)


@pytest.mark.parametrize(("age", "expected"), [(30, 250), (60, 1_000)])
def test_medical_premiums_grow_fourfold_from_thirty_to_sixty(
    age: int, expected: float, records: duckdb.DuckDBPyConnection
) -> None:
    mean = ask(
        records,
        "SELECT avg(t.premium) FROM terms t JOIN customers c USING (customer_id)"
        " ANTI JOIN policy_parties USING (policy_no)"
        " WHERE t.in_force AND t.product = 'medical'"
        f" AND date_diff('year', c.birth_date, as_of()) BETWEEN {age - 5} AND {age + 5}",
    )
    assert mean == pytest.approx(expected, rel=0.12)


def test_a_corporate_pays_about_45_000(annual: duckdb.DuckDBPyConnection) -> None:
    mean = ask(annual, "SELECT avg(premium) FROM annual WHERE kind = 'corporate' AND premium > 0")
    assert mean == pytest.approx(45_000, rel=0.12)


def test_the_premium_of_individuals_is_spread_as_given(
    annual: duckdb.DuckDBPyConnection,
) -> None:
    of = "FROM annual WHERE kind = 'individual'"
    assert ask(annual, f"SELECT avg(premium) {of}") == pytest.approx(7_400, rel=0.07)
    assert ask(annual, f"SELECT median(premium) {of}") == pytest.approx(3_400, rel=0.1)
    assert ask(annual, f"SELECT quantile_cont(premium, 0.99) {of}") == pytest.approx(
        64_000, rel=0.17
    )


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("< 1", 0.75), ("BETWEEN 1 AND 3", 0.18), ("> 3", 0.07)],
)
def test_the_benchmark_parts_individuals_as_given(
    condition: str, expected: float, annual: duckdb.DuckDBPyConnection
) -> None:
    newest = (
        "SELECT max_by(average_premium, valid_from) FROM market_benchmarks"
        " WHERE product_line = 'all' AND customer_kind = 'individual' AND valid_from <= as_of()"
    )
    found = share(annual, f"premium / ({newest}) {condition}", "annual WHERE kind = 'individual'")
    assert found == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        ("fuel_car", 0.15),
        ("new_energy_car", 0.22),
        ("medical", 0.06),
        ("accident", 0.02),
        ("critical_illness", 0.003),
    ],
)
def test_claims_a_year_are_the_given_ones(
    product: str, expected: float, records: duckdb.DuckDBPyConnection
) -> None:
    years = ask(
        records,
        "SELECT sum(date_diff('day', term_start,"
        " least(term_end, coalesce(ended_on, term_end), as_of()))) / 365.25 FROM terms"
        f" WHERE premium_kind = 'regular' AND product = '{product}'",
    )
    claims = ask(
        records,
        f"SELECT count(*) FROM claims JOIN policies USING (policy_no) WHERE product = '{product}'",
    )
    assert claims / years == pytest.approx(expected, rel=0.25)


def test_a_car_claim_costs_7_300(records: duckdb.DuckDBPyConnection) -> None:
    mean = ask(
        records,
        "SELECT avg(paid) FROM claims JOIN policies USING (policy_no)"
        " WHERE paid > 0 AND product IN ('fuel_car', 'new_energy_car')",
    )
    assert mean == pytest.approx(7_300, rel=0.06)


@pytest.mark.parametrize(
    ("products", "expected"),
    [
        ("'fuel_car', 'new_energy_car'", 0.27),
        ("'medical'", 0.20),
        ("'accident'", 0.35),
    ],
)
def test_annual_terms_are_not_renewed_at_the_given_rate(
    products: str, expected: float, records: duckdb.DuckDBPyConnection
) -> None:
    due = f"terms WHERE ended_how IN ('renewed', 'expired') AND product IN ({products})"
    assert share(records, "ended_how = 'expired'", due) == pytest.approx(expected, abs=POINTS)


@pytest.mark.parametrize(("year", "expected"), [(1, 0.05), (2, 0.07), (3, 0.025)])
def test_long_term_policies_are_not_renewed_at_the_given_rate(
    year: int, expected: float, records: duckdb.DuckDBPyConnection
) -> None:
    numbered = (
        "(SELECT *, least(3, row_number() OVER (PARTITION BY policy_no ORDER BY term_start))"
        " AS year"
        " FROM terms WHERE premium_kind = 'regular'"
        " AND product IN ('life', 'annuity', 'critical_illness'))"
        f" WHERE year = {year} AND ended_how IN ('renewed', 'lapsed', 'surrendered')"
    )
    found = share(records, "ended_how <> 'renewed'", numbered)
    assert found == pytest.approx(expected, abs=0.015)


def test_the_more_covers_a_customer_holds_the_fewer_terms_are_lost(
    records: duckdb.DuckDBPyConnection,
) -> None:
    rows = records.execute(
        "SELECT least(held, 4), avg((ended_how = 'expired')::INT) FROM terms JOIN ("
        " SELECT customer_id, count(DISTINCT product) AS held FROM terms WHERE in_force GROUP BY 1)"
        " USING (customer_id) WHERE product IN ('fuel_car', 'new_energy_car')"
        " AND ended_how IN ('renewed', 'expired') GROUP BY 1 ORDER BY 1"
    ).fetchall()
    rates = [rate for _, rate in rows]
    assert len(rates) == 4
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("of", ["customers", "policies"])
@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ("'agent'", 0.38),
        ("'app'", 0.22),
        ("'dealer', 'broker'", 0.15),
        ("'bank'", 0.12),
        ("'phone'", 0.08),
        ("'branch'", 0.05),
    ],
)
def test_channels_have_the_given_shares(
    channels: str, expected: float, of: str, records: duckdb.DuckDBPyConnection
) -> None:
    assert share(records, f"channel IN ({channels})", of) == pytest.approx(expected, abs=POINTS)


def test_life_sales_peak_from_january_to_march(records: duckdb.DuckDBPyConnection) -> None:
    first_quarter = share(records, "month(issued_on) <= 3", "policies WHERE product_line = 'life'")
    assert first_quarter > 0.4
    motor = share(records, "month(issued_on) <= 3", "policies WHERE product_line = 'motor'")
    assert motor < 0.3


def test_fraud_is_suspected_of_four_in_a_thousand(records: duckdb.DuckDBPyConnection) -> None:
    assert share(records, "fraud_suspicion", "customers") == pytest.approx(0.004, abs=0.0015)


def test_eight_per_cent_hold_nothing_any_more(records: duckdb.DuckDBPyConnection) -> None:
    found = share(
        records,
        "NOT in_force",
        "(SELECT customer_id, bool_or(in_force) AS in_force FROM terms GROUP BY 1)",
    )
    assert found == pytest.approx(0.08, abs=0.01)


def test_a_tenth_is_dormant(records: duckdb.DuckDBPyConnection) -> None:
    newest = (
        "(SELECT customer_id, max(day) AS day FROM ("
        " SELECT customer_id, occurred_on AS day FROM interactions"
        " WHERE initiated_by = 'customer' AND kind <> 'complaint'"
        " UNION ALL SELECT customer_id, used_on FROM service_uses"
        " UNION ALL SELECT customer_id, reported_on FROM claims"
        " UNION ALL SELECT customer_id, issued_on FROM policies"
        " UNION ALL SELECT customer_id, term_start FROM policy_terms"
        " WHERE started_as = 'renewal' AND voluntary) GROUP BY 1)"
    )
    held = "(SELECT customer_id, bool_or(in_force) AS in_force FROM terms GROUP BY 1)"
    found = share(
        records,
        "in_force AND day <= as_of() - INTERVAL 1 YEAR",
        f"{held} JOIN {newest} USING (customer_id)",
    )
    assert found == pytest.approx(0.10, abs=0.015)


def test_a_customer_has_some_twenty_raw_rows(records: duckdb.DuckDBPyConnection) -> None:
    counted = " + ".join(
        f"(SELECT count(*) FROM {name})"
        for name in (
            "customers",
            "policies",
            "policy_parties",
            "policy_terms",
            "claims",
            "service_uses",
            "interactions",
            "consents",
        )
    )
    customers = ask(records, "SELECT count(*) FROM customers")
    assert 15 < ask(records, f"SELECT {counted}") / customers < 22
