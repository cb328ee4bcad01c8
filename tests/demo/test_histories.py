"""Histories hang together, and the stories the demonstration needs are in the book."""

from __future__ import annotations

import duckdb
import pytest

from tests.demo.conftest import ask

NONE_OF = {
    "overlapping terms of a policy": (
        "SELECT count(*) FROM (SELECT *, lead(term_start) OVER (PARTITION BY policy_no"
        " ORDER BY term_start) AS following FROM policy_terms WHERE premium_kind <> 'top_up')"
        " WHERE following < least(term_end, coalesce(ended_on, term_end))"
    ),
    "terms renewed without a next term": (
        "SELECT count(*) FROM policy_terms t ANTI JOIN policy_terms n"
        " ON n.policy_no = t.policy_no AND n.term_start = t.ended_on"
        " AND n.started_as = 'renewal' WHERE t.ended_how = 'renewed'"
    ),
    "renewals without a term renewed": (
        "SELECT count(*) FROM policy_terms t ANTI JOIN policy_terms b"
        " ON b.policy_no = t.policy_no AND b.ended_on = t.term_start AND b.ended_how = 'renewed'"
        " WHERE t.started_as = 'renewal'"
    ),
    "reinstatements of a policy that had not lapsed": (
        "SELECT count(*) FROM policy_terms t ANTI JOIN policy_terms b"
        " ON b.policy_no = t.policy_no AND b.ended_on < t.term_start AND b.ended_how = 'lapsed'"
        " WHERE t.started_as = 'reinstatement'"
    ),
    "policies that do not begin with their first term": (
        "SELECT count(*) FROM policies JOIN (SELECT policy_no, min(term_start) AS first"
        " FROM policy_terms GROUP BY 1) USING (policy_no) WHERE first <> issued_on"
    ),
    "policies whose first term is not new": (
        "SELECT count(*) FROM policies p JOIN policy_terms t"
        " ON t.policy_no = p.policy_no AND t.term_start = p.issued_on WHERE t.started_as <> 'new'"
    ),
    "terms past their end and not closed": (
        "SELECT count(*) FROM policy_terms WHERE term_end <= as_of() AND ended_on IS NULL"
    ),
    "terms expired before their end": (
        "SELECT count(*) FROM policy_terms WHERE ended_how = 'expired' AND ended_on <> term_end"
    ),
    "withdrawals after the cooling-off period": (
        "SELECT count(*) FROM terms WHERE ended_how = 'withdrawn' AND ended_on >= cooling_off_until"
    ),
    "claims outside the cover": (
        "SELECT count(*) FROM claims c ANTI JOIN policy_terms t ON t.policy_no = c.policy_no"
        " AND c.occurred_on BETWEEN t.term_start"
        " AND least(t.term_end, coalesce(ended_on, t.term_end))"
    ),
    "policies ended by a claim that is not there": (
        "SELECT count(*) FROM policy_terms t ANTI JOIN claims USING (policy_no)"
        " WHERE t.ended_how = 'claimed'"
    ),
    "paid-up premiums": (
        "SELECT count(*) FROM policy_terms WHERE premium_kind = 'paid_up' AND premium > 0"
    ),
    "paid-up policies without a premium ever": (
        "SELECT count(*) FROM policy_terms t ANTI JOIN policy_terms r ON r.policy_no = t.policy_no"
        " AND r.premium_kind = 'regular' WHERE t.premium_kind = 'paid_up'"
    ),
    "policyholders who were children": (
        "SELECT count(*) FROM policies JOIN customers USING (customer_id)"
        " WHERE birth_date IS NOT NULL AND issued_on < birth_date + INTERVAL 18 YEAR"
    ),
    "companies with a birth date, gender or health": (
        "SELECT count(*) FROM customers WHERE kind = 'corporate' AND"
        " coalesce(birth_date::TEXT, gender, health_grade, career_stage, id_no) IS NOT NULL"
    ),
    "services used without entitlement": (
        "SELECT count(*) FROM service_uses u ANTI JOIN (SELECT DISTINCT customer_id, service_code"
        " FROM terms JOIN product_services USING (product))"
        " USING (customer_id, service_code)"
    ),
    "contacts long before the first policy": (
        "SELECT count(*) FROM interactions JOIN (SELECT customer_id, min(issued_on) AS first"
        " FROM policies GROUP BY 1) USING (customer_id) WHERE occurred_on < first - 3"
    ),
    "referrals of those who were here before": (
        "SELECT count(*) FROM referrals r JOIN (SELECT customer_id, min(term_start) AS first"
        " FROM policy_terms GROUP BY 1) o ON o.customer_id = r.referred_customer_id"
        " WHERE o.first <> r.succeeded_on"
    ),
    "customers without any policy": (
        "SELECT count(*) FROM customers ANTI JOIN policies USING (customer_id)"
    ),
}

SOME_OF = {
    "policies in cooling-off": ("policies WHERE cooling_off_until > as_of()", 10),
    "paid-up policies": ("terms WHERE premium_kind = 'paid_up' AND in_force", 100),
    "single premiums": ("terms WHERE premium_kind = 'single' AND in_force", 300),
    "top-ups": ("terms WHERE premium_kind = 'top_up'", 30),
    "reinstatements": ("terms WHERE started_as = 'reinstatement'", 50),
    "withdrawals": ("terms WHERE ended_how = 'withdrawn'", 100),
    "surrenders": ("terms WHERE ended_how = 'surrendered'", 300),
    "surrenders within the year": (
        "terms WHERE ended_how = 'surrendered' AND ended_on < term_end",
        50,
    ),
    "cancellations": ("terms WHERE ended_how = 'cancelled' AND ended_on < term_end", 50),
    "critical-illness claims": ("terms WHERE ended_how = 'claimed'", 20),
    "late premiums": ("policy_terms WHERE paid_on > due_on + 15", 1_000),
    "premiums not paid yet": ("policy_terms WHERE due_on <= as_of() AND paid_on IS NULL", 10),
    "monthly payers": ("policy_terms WHERE pay_mode = 'monthly'", 500),
    "open claims": ("claims WHERE closed_on IS NULL", 50),
    "rejected claims": ("claims WHERE closed_on IS NOT NULL AND paid = 0", 200),
    "claims with a person hurt": ("claims WHERE personal_injury", 300),
    "children insured": ("policy_parties WHERE relation = 'child'", 2_000),
    "parents insured": ("policy_parties WHERE relation = 'parent'", 200),
    "merged duplicates": ("customer_aliases", 40),
    "corporates about to merge": ("interactions WHERE topic = 'merger_pending'", 3),
    "individuals without any consent": (
        "customers ANTI JOIN consents USING (customer_id) WHERE kind = 'individual'",
        300,
    ),
    "consents withdrawn": ("consents WHERE withdrawn_on IS NOT NULL", 300),
    "compound surnames": (
        "customers WHERE left(name, 2) IN ('欧阳', '上官', '司马', '诸葛', '皇甫', '夏侯')",
        50,
    ),
    "shared phones": ("(SELECT phone FROM customers GROUP BY 1 HAVING count(*) > 1)", 700),
    "dangerous occupations": ("customers WHERE occupation_risk = 'high'", 500),
    "telematics": ("customers WHERE driving_score IS NOT NULL", 2_000),
    "wearables": ("customers WHERE health_habit_score IS NOT NULL", 2_000),
    "opinion leaders": ("customers WHERE opinion_leader", 100),
    "checks that disagree": ("external_checks WHERE NOT matches AND declared <> verified", 50),
    "detractors": ("surveys WHERE nps <= 6", 300),
    "promoters": ("surveys WHERE nps >= 9", 500),
    "complaints": ("interactions WHERE kind = 'complaint'", 200),
    "campaign touches": ("interactions WHERE initiated_by = 'insurer'", 3_000),
    "referrals worth much": ("referrals WHERE annual_premium > 22200", 10),
    "customers of ten years": (
        "(FROM terms SELECT customer_id GROUP BY 1 HAVING min(term_start) < '2016-06-30')",
        200,
    ),
}


@pytest.mark.parametrize("fault", NONE_OF)
def test_there_are_no(fault: str, records: duckdb.DuckDBPyConnection) -> None:
    assert ask(records, NONE_OF[fault]) == 0


@pytest.mark.parametrize("story", SOME_OF)
def test_there_are_enough(story: str, records: duckdb.DuckDBPyConnection) -> None:
    found, least = SOME_OF[story]
    assert ask(records, f"SELECT count(*) FROM {found}") >= least


def test_a_few_customers_make_most_contacts(records: duckdb.DuckDBPyConnection) -> None:
    top = ask(
        records,
        "WITH counted AS (SELECT c.customer_id, count(i.interaction_no) AS n FROM customers c"
        " LEFT JOIN interactions i ON i.customer_id = c.customer_id AND i.initiated_by = 'customer'"
        " GROUP BY 1) SELECT sum(n) FILTER (n >= (SELECT quantile_cont(n, 0.9) FROM counted))"
        " / sum(n) FROM counted",
    )
    assert top > 0.6


def test_households_live_in_one_city(records: duckdb.DuckDBPyConnection) -> None:
    cities = ask(
        records,
        "SELECT count(*) FROM (SELECT phone FROM customers GROUP BY 1"
        " HAVING count(*) = 2 AND count(DISTINCT city) > 1)",
    )
    assert cities == 0


def test_benchmarks_of_every_line_and_kind_begin_each_new_year(
    records: duckdb.DuckDBPyConnection,
) -> None:
    rows = records.execute(
        "SELECT year(valid_from), count(*), bool_and(strftime(valid_from, '%m-%d') = '01-01')"
        " FROM market_benchmarks GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert rows == [(year, 12, True) for year in range(2013, 2027)]
