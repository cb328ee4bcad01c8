"""A made-up book of any size, written by PostgreSQL itself; the same for equal arguments.

It is plausible enough that every tier, segment, stage and grade occurs, and it is quick: a million
customers with some fifteen million records take minutes, not hours.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

AS_OF: Final = date(2026, 6, 30)

#: A number from 0 to n - 1 that depends on a row number and a seed only.
_FUNCTION = """
CREATE OR REPLACE FUNCTION pg_temp.die(i bigint, seed bigint, n bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (hashint8extended(i, seed) & 9223372036854775807) % n
"""

_PEOPLE = (
    """
INSERT INTO customers (customer_id, kind, credit_code, account_manager, city, gender)
SELECT 'C' || lpad(i::text, 8, '0'),
    CASE WHEN i % 31 = 0 THEN 'corporate' ELSE 'individual' END,
    CASE WHEN i % 62 = 0 THEN '91' || lpad(i::text, 16, '0') END,
    'manager-' || i % 50, 'Shanghai',
    CASE WHEN i % 31 = 0 THEN NULL WHEN i % 2 = 0 THEN 'female' ELSE 'male' END
FROM generate_series(1, :customers) AS i
""",
    """
INSERT INTO scoring_inputs (customer_id, valid_from, birth_month, occupation_risk, smoker,
    heavy_drinker, health_grade, health_habit_score, driving_score, fraud_suspicion,
    opinion_leader, income_band, asset_band, credit_score, career_stage, family_stage)
SELECT 'C' || lpad(i::text, 8, '0'), '2020-01-01',
    (date '1950-01-01' + pg_temp.die(i, 1, 600)::int * interval '1 month')::date,
    (ARRAY['low', 'low', 'medium', 'high', NULL])[1 + pg_temp.die(i, 2, 5)],
    pg_temp.die(i, 3, 6) = 0, pg_temp.die(i, 4, 12) = 0,
    (ARRAY['A', 'A', 'B', 'C', 'D', 'E', NULL])[1 + pg_temp.die(i, 5, 7)],
    pg_temp.die(i, 6, 101), nullif(pg_temp.die(i, 7, 101), 50), pg_temp.die(i, 8, 250) = 0,
    pg_temp.die(i, 9, 40) = 0, 1 + pg_temp.die(i, 10, 7), 1 + pg_temp.die(i, 11, 7),
    300 + pg_temp.die(i, 12, 651),
    (ARRAY['student', 'early', 'rising', 'established', 'peak', 'retired'])
        [1 + pg_temp.die(i, 13, 6)],
    (ARRAY['single', 'couple', 'young_children', 'grown_children', 'empty_nest'])
        [1 + pg_temp.die(i, 14, 5)]
FROM generate_series(1, :customers) AS i
""",
    """
INSERT INTO consents (customer_id, purpose, given_on, basis)
SELECT 'C' || lpad(i::text, 8, '0'), purpose, '2021-01-01', 'consent'
FROM generate_series(1, :customers) AS i
CROSS JOIN LATERAL (VALUES ('health_data', 21), ('lifestyle_data', 22), ('credit_data', 23),
    ('third_party', 24), ('behaviour', 25), ('personalisation', 26)) AS kind (purpose, seed)
WHERE pg_temp.die(i, seed, 3) = 0
""",
    """
INSERT INTO model_scores (customer_id, valid_from, uplift_3y, clv)
SELECT 'C' || lpad(i::text, 8, '0'), '2026-01-01', pg_temp.die(i, 31, 100),
    1000 * pg_temp.die(i, 32, 90)
FROM generate_series(1, :customers, 2) AS i
""",
)

_CONTRACTS = (
    """
INSERT INTO policies (policy_no, customer_id, product_line, product, issued_on,
    cooling_off_until, object_coefficient)
SELECT 'P' || lpad(i::text, 8, '0') || '-' || k, 'C' || lpad(i::text, 8, '0'),
    (ARRAY['motor', 'motor', 'motor', 'health', 'health', 'life', 'property', 'liability'])
        [1 + pg_temp.die(10 * i + k, 41, 8)],
    'product-' || pg_temp.die(10 * i + k, 42, 9), issued.day,
    CASE WHEN k = 2 THEN issued.day + 15 END, 0.5 + pg_temp.die(10 * i + k, 44, 150) / 100.0
FROM generate_series(1, :customers) AS i
CROSS JOIN LATERAL generate_series(1, 1 + pg_temp.die(i, 40, 3)) AS k
CROSS JOIN LATERAL (
    SELECT CAST(:as_of AS date) - 5 - pg_temp.die(10 * i + k, 43, 2100)::int
) AS issued (day)
""",
    """
INSERT INTO policy_terms (policy_no, customer_id, term_start, premium_kind, term_end, premium,
    pay_mode, started_as, ended_on, ended_how, voluntary, due_on, paid_on)
SELECT policy_no, customer_id, began, 'regular', began + 365,
    round((300 + pg_temp.die(key, 51, 9000)) * (1 + year * pg_temp.die(key, 52, 4) / 10.0)
        * CASE WHEN pg_temp.die(key, 53, 25) = 0 THEN 8 ELSE 1 END, 2),
    (ARRAY['yearly', 'monthly'])[1 + pg_temp.die(key, 54, 2)],
    CASE WHEN year = 0 THEN 'new' ELSE 'renewal' END,
    CASE WHEN began + 365 <= CAST(:as_of AS date) THEN began + 365 END,
    CASE WHEN began + 365 > CAST(:as_of AS date) THEN NULL
        WHEN year = last_year THEN (ARRAY['expired', 'lapsed', 'surrendered'])
            [1 + pg_temp.die(key, 55, 3)]
        ELSE 'renewed' END,
    pg_temp.die(key + year, 56, 3) > 0, began, began + (pg_temp.die(key + year, 57, 20))::int
FROM (
    SELECT policy_no, customer_id, issued_on + 365 * year AS began, year, last_year,
        hashtextextended(policy_no, 0) >> 8 AS key
    FROM policies
    CROSS JOIN LATERAL (
        SELECT (CAST(:as_of AS date) - issued_on) / 365
            - CASE WHEN hashtextextended(policy_no, 1) % 6 = 0 THEN 1 ELSE 0 END
    ) AS lasting (last_year)
    CROSS JOIN LATERAL generate_series(0, last_year) AS year
) AS terms
""",
    """
INSERT INTO claims (claim_no, policy_no, customer_id, occurred_on, reported_on, claimed, paid,
    paid_on, closed_on)
SELECT 'L' || policy_no || '-' || k, policy_no, customer_id, day, day + 3,
    1000 + pg_temp.die(key + k, 62, 20000), 800 + pg_temp.die(key + k, 62, 18000),
    day + 20, day + 25
FROM (SELECT *, hashtextextended(policy_no, 6) >> 8 AS key FROM policies) AS insured
CROSS JOIN LATERAL generate_series(1, greatest(pg_temp.die(key, 60, 6) - 3, 0)) AS k
CROSS JOIN LATERAL (
    SELECT issued_on
        + pg_temp.die(key + k, 61, greatest(CAST(:as_of AS date) - issued_on - 26, 1))::int
) AS happened (day)
""",
)

_CONTACTS = (
    """
INSERT INTO interactions (interaction_no, customer_id, occurred_on, channel, kind, initiated_by)
SELECT 'I' || i || '-' || k, 'C' || lpad(i::text, 8, '0'),
    CAST(:as_of AS date) - pg_temp.die(10 * i + k, 71, 700)::int,
    (ARRAY['app', 'web', 'hotline', 'branch', 'agent'])[1 + pg_temp.die(10 * i + k, 72, 5)],
    (ARRAY['app_login', 'enquiry', 'visit', 'complaint'])[1 + pg_temp.die(10 * i + k, 73, 4)],
    (ARRAY['customer', 'customer', 'insurer'])[1 + pg_temp.die(10 * i + k, 74, 3)]
FROM generate_series(1, :customers) AS i
CROSS JOIN LATERAL generate_series(1, pg_temp.die(i, 70, 5)) AS k
""",
    """
INSERT INTO service_uses (use_no, customer_id, service_code, used_on)
SELECT 'U' || i || '-' || k, 'C' || lpad(i::text, 8, '0'), 'service-' || pg_temp.die(i + k, 81, 5),
    CAST(:as_of AS date) - pg_temp.die(10 * i + k, 82, 700)::int
FROM generate_series(1, :customers) AS i
CROSS JOIN LATERAL generate_series(1, pg_temp.die(i, 80, 3)) AS k
""",
    """
INSERT INTO product_services (product, service_code)
SELECT 'product-' || p, 'service-' || s FROM generate_series(0, 8) AS p, generate_series(0, 4) AS s
WHERE (p + s) % 2 = 0
""",
    """
INSERT INTO surveys (survey_no, customer_id, answered_on, nps)
SELECT 'S' || i, 'C' || lpad(i::text, 8, '0'), CAST(:as_of AS date) - pg_temp.die(i, 90, 300)::int,
    pg_temp.die(i, 91, 11)
FROM generate_series(1, :customers, 3) AS i
""",
    """
INSERT INTO referrals (referral_no, customer_id, succeeded_on, annual_premium)
SELECT 'R' || i, 'C' || lpad(i::text, 8, '0'), CAST(:as_of AS date) - pg_temp.die(i, 92, 500)::int,
    1000 * pg_temp.die(i, 93, 30)
FROM generate_series(1, :customers, 5) AS i
""",
    """
INSERT INTO external_checks (check_no, customer_id, checked_on, kind, matches)
SELECT 'K' || i, 'C' || lpad(i::text, 8, '0'), CAST(:as_of AS date) - 100, 'credit', i % 20 > 0
FROM generate_series(1, :customers, 10) AS i
""",
    """
INSERT INTO market_benchmarks
    (benchmark_version, product_line, customer_kind, valid_from, average_premium)
SELECT '2020', line, kind, '2020-01-01', CASE kind WHEN 'corporate' THEN 30000 ELSE 3500 END
FROM unnest(ARRAY['life', 'health', 'motor', 'property', 'liability', 'all']) AS line,
    unnest(ARRAY['individual', 'corporate']) AS kind
""",
)


async def write_book(session: AsyncSession, customers: int, as_of: date = AS_OF) -> None:
    """Write a book of customers with some fifteen records each, all dated until `as_of`."""
    await session.execute(text(_FUNCTION))
    for statement in (*_PEOPLE, *_CONTRACTS, *_CONTACTS):
        used = {"customers": customers, "as_of": as_of}
        given = {name: value for name, value in used.items() if f":{name}" in statement}
        await session.execute(text(statement), given)


_GROW = """
INSERT INTO policy_terms (policy_no, customer_id, term_start, premium_kind, term_end, premium,
    pay_mode, started_as)
SELECT policy_no, customer_id, CAST(:day AS date), 'top_up', CAST(:day AS date) + 365, 900000,
    'once', 'new'
FROM policies
WHERE policy_no LIKE '%-1' AND pg_temp.die(hashtextextended(customer_id, 9), 0, :one_in) = :which
ON CONFLICT DO NOTHING
"""


async def change_some(session: AsyncSession, *, one_in: int, day: date, which: int = 0) -> None:
    """Give one customer in so many a top-up so large that every ratio moves.

    Args:
        session: an open session.
        one_in: how many customers there are to each one that changes.
        day: the day of the top-up.
        which: 0 to `one_in` - 1; each means other customers.
    """
    await session.execute(text(_FUNCTION))
    await session.execute(text(_GROW), {"one_in": one_in, "day": day, "which": which})
