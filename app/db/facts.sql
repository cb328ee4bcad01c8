-- The one definition of the facts: one wide row per customer, as of the end of day $1.
--
-- What each fact means is said in app/domain/facts/catalogue.toml; this text computes exactly that.
-- It runs unchanged in PostgreSQL (one customer, or some) and in DuckDB (the whole book), so it keeps
-- to what both understand and mean alike:
--   * integers only. `/` truncates here and yields a float there, so a quotient is written
--     (n - n % d) / d with the cast back to bigint, where nothing is left to round;
--   * half up is floor(n / d + 1/2) = floor((2 n + d) / (2 d));
--   * "the value at the greatest key" is max(key * base + value), taken apart by % base;
--   * money is clamped to the catalogue's bound as it comes in, which keeps every product below
--     within 64 bits;
--   * the windows of time are spelt out where they are used: both engines fold them to constants.
-- Only the condition marked `scope` is ever replaced; where `cut` stands, several statements may be made
-- of this one (app/db/facts_query.py).
WITH scope AS (
    SELECT c.customer_id, c.kind, c.kind = 'corporate' AS is_corporate, c.has_credit_code
    FROM book.customers AS c
    WHERE /* scope */ TRUE
),

-- Null means "never loaded", which is a property of the book and not of a customer.
loaded AS (
    SELECT
        EXISTS (
            SELECT 1 FROM book.source_days WHERE source = 'policy_terms' AND day <= $1::date
        ) AS terms,
        EXISTS (
            SELECT 1 FROM book.source_days WHERE source = 'payments' AND day <= $1::date
        ) AS payments,
        EXISTS (
            SELECT 1 FROM book.source_days WHERE source = 'claims' AND day <= $1::date
        ) AS claims,
        EXISTS (
            SELECT 1 FROM book.source_days WHERE source = 'service_uses' AND day <= $1::date
        ) AS service_uses,
        EXISTS (
            SELECT 1 FROM book.source_days WHERE source = 'product_services' AND day <= $1::date
        ) AS product_services,
        EXISTS (
            SELECT 1 FROM book.source_days WHERE source = 'referrals' AND day <= $1::date
        ) AS referrals,
        EXISTS (
            SELECT 1 FROM book.source_days WHERE source = 'interactions' AND day <= $1::date
        ) AS interactions
),

benchmarks AS (
    SELECT
        b.product_line, b.customer_kind,
        least(b.average_premium, 99999999999900) AS average_premium
    FROM book.market_benchmarks AS b
    JOIN (
        SELECT product_line, customer_kind, max(valid_from) AS valid_from
        FROM book.market_benchmarks
        WHERE valid_from <= $1::date
        GROUP BY product_line, customer_kind
    ) AS latest
        ON latest.product_line = b.product_line
        AND latest.customer_kind = b.customer_kind
        AND latest.valid_from = b.valid_from
),

agreed AS (
    SELECT
        s.customer_id,
        bool_or(c.purpose = 'health_data') AS health_data,
        bool_or(c.purpose = 'lifestyle_data') AS lifestyle_data,
        bool_or(c.purpose = 'credit_data') AS credit_data,
        bool_or(c.purpose = 'third_party') AS third_party,
        bool_or(c.purpose = 'behaviour') AS behaviour,
        bool_or(c.purpose = 'personalisation') AS personalisation
    FROM scope AS s
    JOIN book.consents AS c ON c.customer_id = s.customer_id
    WHERE c.given_on <= $1::date AND (c.withdrawn_on IS NULL OR c.withdrawn_on > $1::date)
    GROUP BY s.customer_id
),

-- ----------------------------------------------------------------------- attributes and models

attributes AS (
    SELECT
        i.*,
        CASE WHEN i.birth_month <= $1::date THEN
            least(
                CAST(
                    extract(YEAR FROM $1::date) - extract(YEAR FROM i.birth_month)
                    - CASE WHEN
                        extract(MONTH FROM $1::date) < extract(MONTH FROM i.birth_month)
                    THEN 1 ELSE 0 END
                    AS bigint
                ),
                120
            )
        END AS age
    FROM scope AS s
    JOIN book.scoring_inputs AS i ON i.customer_id = s.customer_id
    JOIN (
        SELECT s.customer_id, max(i.valid_from) AS valid_from
        FROM scope AS s
        JOIN book.scoring_inputs AS i ON i.customer_id = s.customer_id
        WHERE i.valid_from <= $1::date AND (i.valid_to IS NULL OR i.valid_to > $1::date)
        GROUP BY s.customer_id
    ) AS latest ON latest.customer_id = i.customer_id AND latest.valid_from = i.valid_from
),

models AS (
    SELECT m.customer_id, m.uplift_3y, m.clv, m.behaviour_cluster
    FROM scope AS s
    JOIN book.model_scores AS m ON m.customer_id = s.customer_id
    JOIN (
        SELECT s.customer_id, max(m.valid_from) AS valid_from
        FROM scope AS s
        JOIN book.model_scores AS m ON m.customer_id = s.customer_id
        WHERE m.valid_from <= $1::date
        GROUP BY s.customer_id
    ) AS latest ON latest.customer_id = m.customer_id AND latest.valid_from = m.valid_from
),

-- --------------------------------------------------------------------------- policies and terms

visible_policies AS /* cut */ (
    SELECT
        p.customer_id, p.policy_no, p.product_line, p.product, p.issued_on, p.cooling_off_until,
        p.object_coefficient,
        coalesce(p.cooling_off_until >= $1::date, FALSE) AS in_cooling_off
    FROM scope AS s
    JOIN book.policies AS p ON p.customer_id = s.customer_id
    WHERE p.issued_on <= $1::date
),

-- Visible terms that are real, with what is known of them on the day, in few bytes: the whole book
-- goes through here. `until` is the end E; `falls_due` the day F on which a regular term falls due,
-- if that lies in the 60-month window; `ending` says how the term is known to have ended.
real_terms AS /* cut */ (
    SELECT
        p.customer_id, t.policy_no, p.in_cooling_off, t.term_start, t.term_end, t.until, t.premium,
        t.is_regular, t.is_top_up, t.is_paid_up, t.is_reinstatement, t.is_voluntary, t.is_paid,
        t.is_late, t.is_ended, t.is_renewed, t.ending,
        CASE
            WHEN t.falls_due > CAST($1::date - INTERVAL '60 months' AS date)
                AND t.falls_due <= $1::date AND t.is_regular
            THEN t.falls_due
        END AS falls_due
    FROM (
        SELECT
            k.policy_no, k.term_start, k.term_end,
            least(k.premium, 99999999999900) AS premium,
            CASE WHEN k.ended_on < k.term_end THEN k.ended_on ELSE k.term_end END AS until,
            k.premium_kind = 'regular' AS is_regular,
            k.premium_kind = 'top_up' AS is_top_up,
            k.premium_kind = 'paid_up' AS is_paid_up,
            k.started_as = 'reinstatement' AS is_reinstatement,
            coalesce(k.started_as = 'renewal' AND k.voluntary, FALSE) AS is_voluntary,
            k.paid_on IS NOT NULL OR k.due_on IS NULL AS is_paid,
            coalesce(
                k.due_on > CAST($1::date - INTERVAL '12 months' AS date)
                AND k.due_on <= $1::date AND coalesce(k.paid_on, $1::date) > k.due_on + 15,
                FALSE
            ) AS is_late,
            k.ended_on IS NOT NULL AS is_ended,
            coalesce(k.ended_how = 'renewed', FALSE) AS is_renewed,
            CASE k.ended_how WHEN 'expired' THEN 2 WHEN 'lapsed' THEN 1 ELSE 0 END AS ending,
            CASE
                WHEN k.ended_how = 'lapsed' THEN k.ended_on
                WHEN k.ended_on IS NULL OR k.ended_on >= k.term_end THEN k.term_end
            END AS falls_due
        FROM (
            SELECT
                t.policy_no, t.term_start, t.term_end, t.premium_kind, t.premium,
                t.started_as, t.voluntary, t.due_on,
                CASE WHEN t.ended_on <= $1::date THEN t.ended_on END AS ended_on,
                CASE WHEN t.ended_on <= $1::date THEN t.ended_how END AS ended_how,
                CASE WHEN t.paid_on <= $1::date THEN t.paid_on END AS paid_on
            FROM book.policy_terms AS t
            WHERE t.term_start <= $1::date
        ) AS k
        WHERE k.ended_on IS NULL OR (k.ended_on > k.term_start AND k.ended_how <> 'withdrawn')
    ) AS t
    JOIN visible_policies AS p ON p.policy_no = t.policy_no
),

-- A due term is renewed if that is known, or if another one follows within 60 days; one that is
-- not, and not known to have ended, stays undecided for as long.
followed AS (
    SELECT t.policy_no, t.term_start
    FROM real_terms AS t
    JOIN real_terms AS n ON n.policy_no = t.policy_no
    WHERE t.falls_due IS NOT NULL AND NOT t.is_renewed AND NOT n.is_top_up
        AND n.term_start > t.term_start AND n.term_start <= t.falls_due + 60
    GROUP BY t.policy_no, t.term_start
),

renewals AS /* cut */ (
    SELECT
        t.customer_id,
        count(*) AS due,
        count(CASE WHEN t.is_renewed OR f.policy_no IS NOT NULL THEN 1 END) AS renewed
    FROM real_terms AS t
    LEFT JOIN followed AS f ON f.policy_no = t.policy_no AND f.term_start = t.term_start
    WHERE t.falls_due IS NOT NULL
        AND (
            t.is_renewed OR t.is_ended OR f.policy_no IS NOT NULL
            OR t.falls_due + 60 < $1::date
        )
    GROUP BY t.customer_id
),

-- Spans of cover; a reinstatement reaches back to the end that it mends.
mended AS (
    SELECT t.policy_no, t.term_start, max(b.until) AS until
    FROM real_terms AS t
    JOIN real_terms AS b ON b.policy_no = t.policy_no AND b.term_start < t.term_start
    WHERE t.is_reinstatement
    GROUP BY t.policy_no, t.term_start
),

spans AS (
    SELECT t.customer_id, t.term_start AS since, t.until
    FROM real_terms AS t
    WHERE NOT t.is_reinstatement
    UNION ALL
    SELECT t.customer_id, least(t.term_start, m.until) AS since, t.until
    FROM real_terms AS t
    LEFT JOIN mended AS m ON m.policy_no = t.policy_no AND m.term_start = t.term_start
    WHERE t.is_reinstatement
),

-- The last group starts at the last span that the ones before it do not reach.
tenures AS (
    SELECT
        j.customer_id,
        max(j.until) AS until,
        max(
            CASE WHEN j.covered_until IS NULL OR j.since > j.covered_until + 60 THEN j.since END
        ) AS since
    FROM (
        SELECT
            s.customer_id, s.since, s.until,
            max(s.until) OVER (
                PARTITION BY s.customer_id ORDER BY s.since
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS covered_until
        FROM spans AS s
    ) AS j
    GROUP BY j.customer_id
),

tenure AS /* cut */ (
    SELECT
        t.customer_id,
        least(
            t.years * 1000 + CAST((t.days * 1000 - t.days * 1000 % 366) / 366 AS bigint),
            150000
        ) AS thousandths
    FROM (
        SELECT
            y.customer_id, y.years,
            $1::date - CAST(y.since + INTERVAL '1 year' * y.years AS date) AS days
        FROM (
            SELECT
                u.customer_id, u.since,
                CAST(
                    extract(YEAR FROM $1::date) - extract(YEAR FROM u.since)
                    - CASE WHEN
                        extract(MONTH FROM $1::date) * 100 + extract(DAY FROM $1::date)
                        < extract(MONTH FROM u.since) * 100 + extract(DAY FROM u.since)
                    THEN 1 ELSE 0 END
                    AS integer
                ) AS years
            FROM tenures AS u
            WHERE u.until >= $1::date - 60
        ) AS y
    ) AS t
),

-- Per customer, straight from the terms. p0 … p10 are the yearly totals of the premium growth.
term_sums AS /* cut */ (
    SELECT
        t.customer_id,
        sum(CASE WHEN t.is_paid THEN t.premium END) AS lifetime_premium,
        count(CASE WHEN t.is_late THEN 1 END) AS payment_delays,
        min(CASE WHEN t.is_regular AND t.until > $1::date THEN t.term_end END) AS next_renewal,
        max(CASE WHEN t.is_voluntary THEN t.term_start END) AS voluntary_renewal,
        sum(CASE WHEN t.growth_year = 0 THEN t.premium END) AS p0,
        sum(CASE WHEN t.growth_year = 1 THEN t.premium END) AS p1,
        sum(CASE WHEN t.growth_year = 2 THEN t.premium END) AS p2,
        sum(CASE WHEN t.growth_year = 3 THEN t.premium END) AS p3,
        sum(CASE WHEN t.growth_year = 4 THEN t.premium END) AS p4,
        sum(CASE WHEN t.growth_year = 5 THEN t.premium END) AS p5,
        sum(CASE WHEN t.growth_year = 6 THEN t.premium END) AS p6,
        sum(CASE WHEN t.growth_year = 7 THEN t.premium END) AS p7,
        sum(CASE WHEN t.growth_year = 8 THEN t.premium END) AS p8,
        sum(CASE WHEN t.growth_year = 9 THEN t.premium END) AS p9,
        sum(CASE WHEN t.growth_year = 10 THEN t.premium END) AS p10
    FROM (
        SELECT
            t.customer_id, t.is_paid, t.is_late, t.is_regular, t.is_voluntary, t.premium,
            t.term_start, t.term_end, t.until,
            CASE
                WHEN NOT t.is_regular OR t.in_cooling_off THEN NULL
                WHEN t.term_start > CAST($1::date - INTERVAL '12 months' AS date) THEN 0
                WHEN t.term_start > CAST($1::date - INTERVAL '24 months' AS date) THEN 1
                WHEN t.term_start > CAST($1::date - INTERVAL '36 months' AS date) THEN 2
                WHEN t.term_start > CAST($1::date - INTERVAL '48 months' AS date) THEN 3
                WHEN t.term_start > CAST($1::date - INTERVAL '60 months' AS date) THEN 4
                WHEN t.term_start > CAST($1::date - INTERVAL '72 months' AS date) THEN 5
                WHEN t.term_start > CAST($1::date - INTERVAL '84 months' AS date) THEN 6
                WHEN t.term_start > CAST($1::date - INTERVAL '96 months' AS date) THEN 7
                WHEN t.term_start > CAST($1::date - INTERVAL '108 months' AS date) THEN 8
                WHEN t.term_start > CAST($1::date - INTERVAL '120 months' AS date) THEN 9
                WHEN t.term_start > CAST($1::date - INTERVAL '132 months' AS date) THEN 10
            END AS growth_year
        FROM real_terms AS t
    ) AS t
    GROUP BY t.customer_id
),

-- Withdrawn and never effective terms count here too: the meaning asks for the ending only.
surrenders AS (
    SELECT p.customer_id, count(DISTINCT p.policy_no) AS policies
    FROM visible_policies AS p
    JOIN book.policy_terms AS t ON t.policy_no = p.policy_no
    WHERE t.term_start <= $1::date AND t.ended_how = 'surrendered'
        AND t.ended_on > CAST($1::date - INTERVAL '12 months' AS date) AND t.ended_on <= $1::date
        AND (p.cooling_off_until IS NULL OR t.ended_on > p.cooling_off_until)
    GROUP BY p.customer_id
),

-- ------------------------------------------------------------------------------------- claims

visible_claims AS (
    SELECT
        c.customer_id, c.policy_no, c.reported_on, c.claim_count,
        c.occurred_on > CAST($1::date - INTERVAL '36 months' AS date)
            AND c.occurred_on <= $1::date AS is_recent,
        c.closed_on IS NULL OR c.closed_on > $1::date AS is_open,
        least(
            CASE
                WHEN c.paid_on <= $1::date THEN c.paid
                WHEN c.closed_on <= $1::date THEN 0
                ELSE coalesce(c.claimed, 0)
            END,
            99999999999900
        ) AS amount
    FROM scope AS s
    JOIN book.claims AS c ON c.customer_id = s.customer_id
    WHERE c.reported_on <= $1::date
),

claim_sums AS (
    SELECT
        c.customer_id,
        max(c.reported_on) AS last_claim,
        sum(CASE WHEN c.is_open THEN c.claim_count END) AS open_claims,
        sum(CASE WHEN c.is_recent THEN c.claim_count END) AS claims,
        sum(CASE WHEN c.is_recent THEN c.amount END) AS incurred,
        max(
            CASE WHEN c.is_recent THEN
                CAST(
                    (
                        2 * c.amount + c.claim_count
                        - (2 * c.amount + c.claim_count) % (2 * CAST(c.claim_count AS bigint))
                    ) / (2 * CAST(c.claim_count AS bigint))
                    AS bigint
                )
            END
        ) AS largest
    FROM visible_claims AS c
    GROUP BY c.customer_id
),

policy_claims AS (
    SELECT
        c.policy_no,
        max(c.reported_on) AS last_claim,
        sum(CASE WHEN c.is_recent THEN c.claim_count END) AS claims,
        sum(CASE WHEN c.is_recent THEN c.amount END) AS incurred
    FROM visible_claims AS c
    GROUP BY c.policy_no
),

-- ------------------------------------------------------------- terms to policies to lines

-- `covered` are the days of the term within the 36-month window. Of the regular terms the two
-- that started last are kept.
policy_sums AS /* cut */ (
    SELECT
        t.policy_no,
        max(t.until) AS until,
        count(CASE WHEN t.is_regular THEN 1 END) AS regular_terms,
        sum(CASE WHEN t.is_regular AND t.until > $1::date THEN t.premium END) AS regular_premium,
        sum(
            CASE
                WHEN t.is_regular
                    AND t.term_start <= CAST($1::date - INTERVAL '12 months' AS date)
                    AND t.until > CAST($1::date - INTERVAL '12 months' AS date)
                THEN t.premium
            END
        ) AS premium_before,
        sum(
            CASE
                WHEN NOT t.is_regular AND NOT t.is_paid_up AND t.until = t.term_end
                    AND CAST(t.term_start + INTERVAL '120 months' AS date) > $1::date
                THEN CAST((t.premium + 5 - (t.premium + 5) % 10) / 10 AS bigint)
            END
        ) AS tenths,
        bool_or(t.is_paid_up AND t.until > $1::date) AS is_paid_up,
        array_agg(
            CASE WHEN t.is_regular THEN t.term_start END
            ORDER BY CASE WHEN t.is_regular THEN t.term_start END DESC NULLS LAST
        ) AS starts,
        sum(CASE WHEN NOT t.is_top_up THEN t.covered END) AS covered,
        sum(
            CASE WHEN t.is_regular THEN
                CAST(
                    (
                        2 * t.premium * t.covered + t.days
                        - (2 * t.premium * t.covered + t.days) % (2 * t.days)
                    ) / (2 * t.days)
                    AS bigint
                )
            END
        ) AS earned,
        max(
            (
                (t.until - DATE '0001-01-01') * CAST(4194304 AS bigint)
                + (t.term_start - DATE '0001-01-01')
            ) * 4
            + t.ending
        ) AS ending_key
    FROM (
        SELECT
            t.policy_no, t.term_start, t.term_end, t.until, t.premium, t.ending,
            t.is_regular, t.is_top_up, t.is_paid_up,
            t.term_end - t.term_start AS days,
            greatest(
                least(t.until, $1::date + 1)
                - greatest(t.term_start, CAST($1::date - INTERVAL '36 months' AS date) + 1),
                0
            ) AS covered
        FROM real_terms AS t
    ) AS t
    GROUP BY t.policy_no
),

paid_up AS (
    SELECT q.policy_no, CAST((t.premium + 5 - (t.premium + 5) % 10) / 10 AS bigint) AS tenth
    FROM policy_sums AS q
    JOIN real_terms AS t
        ON t.policy_no = q.policy_no AND t.term_start = q.starts[1] AND t.is_regular
    WHERE q.is_paid_up AND q.regular_premium IS NULL
),

held AS /* cut */ (
    SELECT
        p.customer_id, p.policy_no, p.product_line, p.product, p.object_coefficient,
        CASE p.product_line
            WHEN 'life' THEN 5 WHEN 'health' THEN 4 WHEN 'motor' THEN 3 WHEN 'property' THEN 2
            ELSE 1
        END AS precedence,
        q.until > $1::date AS in_force,
        CASE WHEN q.until > $1::date AND NOT p.in_cooling_off THEN
            coalesce(q.regular_premium, 0) + coalesce(q.tenths, 0) + coalesce(u.tenth, 0)
        ELSE 0 END AS annual_premium,
        CASE WHEN NOT p.in_cooling_off AND NOT q.is_paid_up
            THEN coalesce(q.regular_premium, 0) ELSE 0 END AS premium_now,
        CASE WHEN NOT p.in_cooling_off AND NOT q.is_paid_up
            THEN coalesce(q.premium_before, 0) ELSE 0 END AS premium_before,
        q.until, q.covered, q.earned, c.claims, c.incurred, p.issued_on,
        CASE WHEN q.starts[2] IS NOT NULL THEN
            (q.starts[1] - DATE '0001-01-01') * CAST(1000000 AS bigint)
            + 999999 - least(q.starts[1] - q.starts[2], 100000)
        END AS interval_key,
        p.product_line = 'life'
            AND q.until <= $1::date - 90
            AND (c.last_claim IS NULL OR c.last_claim < q.until)
            AND (
                q.ending_key % 4 = 2 OR (q.ending_key % 4 = 1 AND q.regular_terms >= 2)
            ) AS is_unclaimed
    FROM visible_policies AS p
    LEFT JOIN policy_sums AS q ON q.policy_no = p.policy_no
    LEFT JOIN paid_up AS u ON u.policy_no = p.policy_no
    LEFT JOIN policy_claims AS c ON c.policy_no = p.policy_no
),

lines AS (
    SELECT
        h.customer_id, h.precedence,
        count(CASE WHEN h.in_force THEN 1 END) AS in_force,
        CAST(least(sum(h.annual_premium), 99999999999900) AS bigint) AS annual_premium,
        sum(h.premium_now) AS premium_now,
        sum(h.premium_before) AS premium_before,
        max((h.until - DATE '0001-01-01') * CAST(8 AS bigint) + h.precedence) AS last_key,
        coalesce(sum(h.covered), 0) AS covered,
        coalesce(sum(h.earned), 0) AS earned,
        coalesce(sum(h.claims), 0) AS claims,
        coalesce(sum(h.incurred), 0) AS incurred,
        sum(CASE WHEN h.in_force AND h.precedence <= 3 THEN h.object_coefficient END) AS risk_sum,
        count(
            CASE WHEN h.in_force AND h.precedence <= 3 THEN h.object_coefficient END
        ) AS risk_count,
        count(CASE WHEN h.is_unclaimed THEN 1 END) AS unclaimed,
        max(h.interval_key) AS interval_key,
        min(h.issued_on) AS first_issue,
        max(h.issued_on) AS last_issue
    FROM held AS h
    GROUP BY h.customer_id, h.precedence
),

holdings AS (
    SELECT
        l.customer_id,
        sum(l.in_force) AS policies_in_force,
        count(CASE WHEN l.in_force > 0 THEN 1 END) AS product_lines,
        bool_or(l.precedence = 5 AND l.in_force > 0) AS holds_life,
        bool_or(l.precedence = 4 AND l.in_force > 0) AS holds_health,
        bool_or(l.precedence = 3 AND l.in_force > 0) AS holds_motor,
        bool_or(l.precedence = 2 AND l.in_force > 0) AS holds_property,
        bool_or(l.precedence = 1 AND l.in_force > 0) AS holds_liability,
        CAST(least(sum(l.annual_premium), 99999999999900) AS bigint) AS annual_premium,
        CAST(least(sum(l.premium_now), 99999999999900) AS bigint) AS premium_now,
        CAST(least(sum(l.premium_before), 99999999999900) AS bigint) AS premium_before,
        max(CASE WHEN l.in_force > 0 THEN l.annual_premium * 8 + l.precedence END) % 8
            AS primary_line,
        max(l.last_key) % 8 AS last_line,
        CAST(least(sum(l.earned), 99999999999900) AS bigint) AS earned,
        CAST(sum(l.risk_sum) AS bigint) AS risk_sum,
        CAST(sum(l.risk_count) AS bigint) AS risk_count,
        sum(l.unclaimed) AS unclaimed,
        max(l.interval_key) AS interval_key,
        min(l.first_issue) AS first_issue,
        max(l.last_issue) AS last_issue
    FROM lines AS l
    GROUP BY l.customer_id
),

-- The primary line against the appetite for it: claims per policy year in hundredths, loss ratio
-- in ten-thousandths.
primary_lines AS (
    SELECT
        p.customer_id, p.annual_premium,
        CASE WHEN p.claims >= 2 AND p.claims * 36500 > p.covered * p.claims_appetite
            THEN 1 ELSE 0 END
        + CASE WHEN p.claims >= 1 AND p.earned > 0 AND CAST(
            (
                20000 * p.incurred + p.earned
                - (20000 * p.incurred + p.earned) % (2 * p.earned)
            ) / (2 * p.earned)
            AS bigint
        ) > p.loss_appetite
            THEN 1 ELSE 0 END AS exceeded
    FROM (
        SELECT
            l.customer_id, l.annual_premium, l.claims, l.covered,
            CAST(least(l.incurred, 99999999999900) AS bigint) AS incurred,
            CAST(least(l.earned, 99999999999900) AS bigint) AS earned,
            CASE h.primary_line WHEN 5 THEN 5 WHEN 4 THEN 100 WHEN 3 THEN 30 ELSE 20 END
                AS claims_appetite,
            CASE h.primary_line WHEN 4 THEN 8000 WHEN 3 THEN 7000 ELSE 6000 END
                AS loss_appetite
        FROM holdings AS h
        JOIN lines AS l ON l.customer_id = h.customer_id AND l.precedence = h.primary_line
    ) AS p
),

-- -------------------------------------------------------------- services, referrals, contacts

entitlements AS (
    SELECT h.customer_id, e.service_code
    FROM held AS h
    JOIN book.product_services AS e ON e.product = h.product
    WHERE h.in_force
    GROUP BY h.customer_id, e.service_code
),

uses AS (
    SELECT s.customer_id, u.service_code, max(u.used_on) AS last_use
    FROM scope AS s
    JOIN book.service_uses AS u ON u.customer_id = s.customer_id
    WHERE u.used_on <= $1::date
    GROUP BY s.customer_id, u.service_code
),

last_uses AS (
    SELECT u.customer_id, max(u.last_use) AS last_use
    FROM uses AS u
    GROUP BY u.customer_id
),

addons AS (
    SELECT
        e.customer_id,
        count(*) AS entitled,
        count(
            CASE WHEN u.last_use > CAST($1::date - INTERVAL '12 months' AS date) THEN 1 END
        ) AS used
    FROM entitlements AS e
    LEFT JOIN uses AS u ON u.customer_id = e.customer_id AND u.service_code = e.service_code
    GROUP BY e.customer_id
),

referred AS (
    SELECT
        s.customer_id,
        count(*) AS referrals,
        count(CASE WHEN r.annual_premium > 3 * b.average_premium THEN 1 END) AS high,
        sum(least(coalesce(r.annual_premium, 0), 99999999999900)) AS premium
    FROM scope AS s
    JOIN book.referrals AS r ON r.customer_id = s.customer_id
    LEFT JOIN benchmarks AS b ON b.product_line = 'all' AND b.customer_kind = 'individual'
    WHERE r.succeeded_on > CAST($1::date - INTERVAL '12 months' AS date)
        AND r.succeeded_on <= $1::date
    GROUP BY s.customer_id
),

-- Contacts are what customers begin, complaints apart. Channel by channel first, so that channels
-- are counted without a set of them per customer.
channel_contacts AS (
    SELECT
        s.customer_id, i.channel, i.is_contact,
        max(i.occurred_on) AS last_contact,
        count(CASE WHEN i.occurred_on > $1::date - 90 THEN 1 END) AS recent,
        count(
            CASE WHEN i.occurred_on > $1::date - 450 AND i.occurred_on <= $1::date - 90 THEN 1 END
        ) AS before,
        count(
            CASE WHEN i.kind = 'app_login' AND i.occurred_on > $1::date - 30 THEN 1 END
        ) AS logins,
        count(
            CASE
                WHEN i.kind = 'complaint'
                    AND i.occurred_on > CAST($1::date - INTERVAL '12 months' AS date)
                THEN 1
            END
        ) AS complaints
    FROM scope AS s
    JOIN (
        SELECT
            i.customer_id, i.channel, i.kind, i.occurred_on,
            i.initiated_by = 'customer' AND i.kind <> 'complaint' AS is_contact
        FROM book.interactions AS i
        WHERE i.occurred_on <= $1::date AND (i.initiated_by = 'customer' OR i.kind = 'complaint')
    ) AS i ON i.customer_id = s.customer_id
    GROUP BY s.customer_id, i.channel, i.is_contact
),

contacts AS (
    SELECT
        c.customer_id,
        max(CASE WHEN c.is_contact THEN c.last_contact END) AS last_contact,
        sum(CASE WHEN c.is_contact THEN c.recent END) AS recent,
        sum(CASE WHEN c.is_contact THEN c.before END) AS before,
        sum(CASE WHEN c.is_contact THEN c.logins END) AS logins,
        count(CASE WHEN c.is_contact AND c.recent > 0 THEN 1 END) AS channels,
        sum(c.complaints) AS complaints
    FROM channel_contacts AS c
    GROUP BY c.customer_id
),

answers AS (
    SELECT
        s.customer_id,
        10 - max((a.answered_on - DATE '0001-01-01') * 16 + (10 - a.nps)) % 16 AS nps
    FROM scope AS s
    JOIN book.surveys AS a ON a.customer_id = s.customer_id
    WHERE a.answered_on <= $1::date
    GROUP BY s.customer_id
),

checks AS (
    SELECT k.customer_id, bool_and(k.latest % 2 = 0) AS all_match
    FROM (
        SELECT
            s.customer_id, c.kind,
            max(
                (c.checked_on - DATE '0001-01-01') * 2 + CASE WHEN c.matches THEN 0 ELSE 1 END
            ) AS latest
        FROM scope AS s
        JOIN book.external_checks AS c ON c.customer_id = s.customer_id
        WHERE c.checked_on <= $1::date
        GROUP BY s.customer_id, c.kind
    ) AS k
    GROUP BY k.customer_id
),

-- --------------------------------------------------------------------------- one row for each

customers AS /* cut */ (
    SELECT
        s.customer_id, s.is_corporate, s.has_credit_code,
        l.terms, l.payments, l.claims, l.service_uses, l.product_services, l.referrals,
        l.interactions,
        CASE h.primary_line
            WHEN 5 THEN 'life' WHEN 4 THEN 'health' WHEN 3 THEN 'motor' WHEN 2 THEN 'property'
            WHEN 1 THEN 'liability'
        END AS primary_line,
        CASE coalesce(h.primary_line, h.last_line)
            WHEN 5 THEN 'life' WHEN 4 THEN 'health' WHEN 3 THEN 'motor' WHEN 2 THEN 'property'
            WHEN 1 THEN 'liability'
        END AS last_line,
        CASE WHEN l.terms THEN coalesce(h.annual_premium, 0) END AS annual_premium,
        q.annual_premium AS line_premium, q.exceeded,
        h.premium_now, h.premium_before, h.earned, h.risk_sum, h.risk_count, h.unclaimed,
        coalesce(h.policies_in_force, 0) AS policies_in_force,
        coalesce(h.product_lines, 0) AS product_lines,
        coalesce(h.holds_life, FALSE) AS holds_life,
        coalesce(h.holds_health, FALSE) AS holds_health,
        coalesce(h.holds_motor, FALSE) AS holds_motor,
        coalesce(h.holds_property, FALSE) AS holds_property,
        coalesce(h.holds_liability, FALSE) AS holds_liability,
        CAST(least(coalesce(c.incurred, 0), 99999999999900) AS bigint) AS incurred,
        c.largest, c.claims AS claim_count, c.open_claims,
        h.first_issue,
        k.last_contact,
        greatest(
            k.last_contact, h.last_issue, c.last_claim, u.last_use, t.voluntary_renewal
        ) AS last_activity,
        CAST(k.recent AS bigint) AS contacts_recent, CAST(k.before AS bigint) AS contacts_before,
        k.channels, k.logins, k.complaints,
        t.lifetime_premium, t.payment_delays, t.next_renewal, h.interval_key,
        t.p0, t.p1, t.p2, t.p3, t.p4, t.p5, t.p6, t.p7, t.p8, t.p9, t.p10
    FROM scope AS s
    CROSS JOIN loaded AS l
    LEFT JOIN holdings AS h ON h.customer_id = s.customer_id
    LEFT JOIN primary_lines AS q ON q.customer_id = s.customer_id
    LEFT JOIN claim_sums AS c ON c.customer_id = s.customer_id
    LEFT JOIN term_sums AS t ON t.customer_id = s.customer_id
    LEFT JOIN last_uses AS u ON u.customer_id = s.customer_id
    LEFT JOIN contacts AS k ON k.customer_id = s.customer_id
)

SELECT
    f.customer_id,
    f.is_corporate,
    f.has_credit_code,
    a.age,
    f.primary_line,
    f.last_line,
    f.annual_premium,
    CASE WHEN f.annual_premium IS NOT NULL AND b.average_premium IS NOT NULL THEN
        least(
            CAST(
                (
                    20000 * f.annual_premium + b.average_premium
                    - (20000 * f.annual_premium + b.average_premium) % (2 * b.average_premium)
                ) / (2 * b.average_premium)
                AS bigint
            ),
            10000000000
        )
    END AS premium_ratio,
    CASE WHEN f.annual_premium IS NOT NULL AND b.average_premium IS NOT NULL THEN
        least(
            least(
                CAST(
                    (10000 * f.annual_premium - 10000 * f.annual_premium % b.average_premium)
                    / b.average_premium
                    AS bigint
                ),
                10000000000
            ) * 10000
            + CAST(
                (
                    10000 * (10000 * f.annual_premium % b.average_premium)
                    - 10000 * (10000 * f.annual_premium % b.average_premium) % b.average_premium
                ) / b.average_premium
                AS bigint
            ),
            100000000000000
        )
    END AS premium_ratio_precise,
    CASE WHEN f.line_premium IS NOT NULL AND p.average_premium IS NOT NULL THEN
        least(
            CAST(
                (
                    20000 * f.line_premium + p.average_premium
                    - (20000 * f.line_premium + p.average_premium) % (2 * p.average_premium)
                ) / (2 * p.average_premium)
                AS bigint
            ),
            10000000000
        )
    END AS line_premium_ratio,
    CASE
        WHEN NOT f.terms THEN NULL
        WHEN f.p0 IS NULL OR f.p1 IS NULL OR f.p0 < f.p1 THEN 0
        WHEN f.p2 IS NULL OR f.p1 < f.p2 THEN CASE WHEN f.p0 > f.p1 THEN 1 ELSE 0 END
        WHEN f.p3 IS NULL OR f.p2 < f.p3 THEN CASE WHEN f.p0 > f.p2 THEN 2 ELSE 0 END
        WHEN f.p4 IS NULL OR f.p3 < f.p4 THEN CASE WHEN f.p0 > f.p3 THEN 3 ELSE 0 END
        WHEN f.p5 IS NULL OR f.p4 < f.p5 THEN CASE WHEN f.p0 > f.p4 THEN 4 ELSE 0 END
        WHEN f.p6 IS NULL OR f.p5 < f.p6 THEN CASE WHEN f.p0 > f.p5 THEN 5 ELSE 0 END
        WHEN f.p7 IS NULL OR f.p6 < f.p7 THEN CASE WHEN f.p0 > f.p6 THEN 6 ELSE 0 END
        WHEN f.p8 IS NULL OR f.p7 < f.p8 THEN CASE WHEN f.p0 > f.p7 THEN 7 ELSE 0 END
        WHEN f.p9 IS NULL OR f.p8 < f.p9 THEN CASE WHEN f.p0 > f.p8 THEN 8 ELSE 0 END
        WHEN f.p10 IS NULL OR f.p9 < f.p10 THEN CASE WHEN f.p0 > f.p9 THEN 9 ELSE 0 END
        ELSE CASE WHEN f.p0 > f.p10 THEN 10 ELSE 0 END
    END AS years_of_premium_growth,
    CASE WHEN f.terms THEN
        CAST(least(coalesce(f.lifetime_premium, 0), 99999999999900) AS bigint)
    END AS lifetime_premium,
    CASE WHEN f.terms AND f.premium_before > 0 THEN
        least(
            CAST(
                (
                    200 * f.premium_now + f.premium_before
                    - (200 * f.premium_now + f.premium_before) % (2 * f.premium_before)
                ) / (2 * f.premium_before)
                AS bigint
            ) - 100,
            1000
        )
    END AS premium_change_pct,
    CASE WHEN f.payments THEN least(coalesce(f.payment_delays, 0), 10000) END
        AS payment_delays_12m,
    CASE WHEN f.terms THEN CAST(least(f.policies_in_force, 100000) AS bigint) END
        AS policies_in_force,
    CASE WHEN f.terms THEN f.product_lines END AS product_lines,
    CASE
        WHEN NOT f.terms THEN NULL
        WHEN f.is_corporate THEN
            CASE WHEN f.holds_motor THEN 0 ELSE 1 END
            + CASE WHEN f.holds_health THEN 0 ELSE 1 END
            + CASE WHEN f.holds_property THEN 0 ELSE 1 END
            + CASE WHEN f.holds_liability THEN 0 ELSE 1 END
        WHEN a.age IS NOT NULL THEN
            CASE WHEN a.age BETWEEN 18 AND 70 AND NOT f.holds_motor THEN 1 ELSE 0 END
            + CASE WHEN a.age BETWEEN 0 AND 65 AND NOT f.holds_health THEN 1 ELSE 0 END
            + CASE WHEN a.age BETWEEN 18 AND 60 AND NOT f.holds_life THEN 1 ELSE 0 END
            + CASE WHEN a.age BETWEEN 25 AND 80 AND NOT f.holds_property THEN 1 ELSE 0 END
    END AS cross_sell_potential,
    CASE WHEN f.terms THEN coalesce(y.thousandths, 0) END AS tenure_years,
    CAST(
        (20000 * w.renewed + w.due - (20000 * w.renewed + w.due) % (2 * w.due)) / (2 * w.due)
        AS bigint
    ) AS renewal_rate,
    CASE WHEN f.next_renewal IS NOT NULL THEN least(f.next_renewal - $1::date, 100000) END
        AS days_to_renewal,
    999999 - f.interval_key % 1000000 AS renewal_interval_days,
    CASE WHEN f.terms THEN least(coalesce(d.policies, 0), 10000) END AS surrenders_12m,
    CASE WHEN f.terms AND f.claims THEN
        CAST(least(coalesce(f.unclaimed, 0), 10000) AS bigint)
    END AS unclaimed_benefits,
    CASE WHEN f.product_services AND f.service_uses THEN
        CAST(
            (20000 * v.used + v.entitled - (20000 * v.used + v.entitled) % (2 * v.entitled))
            / (2 * v.entitled)
            AS bigint
        )
    END AS addon_depth_12m,
    CASE WHEN f.referrals THEN least(coalesce(r.referrals, 0), 10000) END AS referrals_12m,
    CASE WHEN f.referrals AND i.average_premium IS NOT NULL THEN
        least(coalesce(r.high, 0), 10000)
    END AS referrals_hnw_12m,
    CASE WHEN f.referrals THEN
        CAST(least(coalesce(r.premium, 0), 99999999999900) AS bigint)
    END AS referred_premium_12m,
    a.opinion_leader,
    CASE WHEN f.interactions THEN least(coalesce(f.contacts_recent, 0), 100000) END
        AS interactions_90d,
    CASE WHEN f.interactions THEN least(coalesce(f.channels, 0), 20) END AS channels_90d,
    CASE WHEN f.interactions AND g.behaviour THEN
        CAST(least(coalesce(f.logins, 0), 100000) AS bigint)
    END AS app_logins_30d,
    CASE WHEN f.interactions AND coalesce(f.last_contact, f.first_issue) IS NOT NULL THEN
        least(
            CAST(
                12 * (
                    extract(YEAR FROM $1::date)
                    - extract(YEAR FROM coalesce(f.last_contact, f.first_issue))
                )
                + extract(MONTH FROM $1::date)
                - extract(MONTH FROM coalesce(f.last_contact, f.first_issue))
                - CASE WHEN
                    extract(DAY FROM $1::date)
                    < extract(DAY FROM coalesce(f.last_contact, f.first_issue))
                THEN 1 ELSE 0 END
                AS bigint
            ),
            2400
        )
    END AS months_since_contact,
    CASE WHEN f.interactions AND f.last_activity IS NOT NULL THEN
        least(
            CAST(
                12 * (extract(YEAR FROM $1::date) - extract(YEAR FROM f.last_activity))
                + extract(MONTH FROM $1::date) - extract(MONTH FROM f.last_activity)
                - CASE WHEN
                    extract(DAY FROM $1::date) < extract(DAY FROM f.last_activity)
                THEN 1 ELSE 0 END
                AS bigint
            ),
            2400
        )
    END AS months_since_activity,
    CASE WHEN f.interactions AND f.contacts_before >= 12 THEN
        least(
            CAST(
                (
                    800 * f.contacts_recent + f.contacts_before
                    - (800 * f.contacts_recent + f.contacts_before) % (2 * f.contacts_before)
                ) / (2 * f.contacts_before)
                AS bigint
            ) - 100,
            1000
        )
    END AS interaction_change_pct,
    CASE WHEN f.interactions THEN CAST(least(coalesce(f.complaints, 0), 10000) AS bigint) END
        AS complaints_12m,
    n.nps,
    CASE WHEN g.lifestyle_data THEN a.health_habit_score END AS health_habit_score,
    CASE WHEN g.behaviour THEN a.driving_score END AS driving_score,
    CASE WHEN f.claims THEN CAST(least(coalesce(f.claim_count, 0), 1000000) AS bigint) END
        AS claims_3y,
    CASE WHEN f.claims THEN coalesce(f.largest, 0) END AS max_claim_3y,
    CASE WHEN f.claims AND f.terms AND f.earned > 0 THEN
        least(
            CAST(
                (
                    20000 * f.incurred + f.earned
                    - (20000 * f.incurred + f.earned) % (2 * f.earned)
                ) / (2 * f.earned)
                AS bigint
            ),
            10000000
        )
    END AS loss_ratio_3y,
    CASE WHEN f.claims THEN CAST(least(coalesce(f.open_claims, 0), 1000000) AS bigint) END
        AS open_claims,
    CASE WHEN f.claims THEN
        CASE f.exceeded WHEN 0 THEN 'within' WHEN 1 THEN 'stretched' WHEN 2 THEN 'outside' END
    END AS appetite_fit,
    CASE WHEN f.risk_count > 0 THEN
        CAST(
            (
                2 * f.risk_sum + f.risk_count
                - (2 * f.risk_sum + f.risk_count) % (2 * f.risk_count)
            ) / (2 * f.risk_count)
            AS bigint
        )
    END AS object_risk,
    a.occupation_risk,
    a.fraud_suspicion,
    CASE WHEN g.lifestyle_data THEN a.smoker END AS smoker,
    CASE WHEN g.lifestyle_data THEN a.heavy_drinker END AS heavy_drinker,
    CASE WHEN g.health_data THEN a.health_grade END AS health_grade,
    CASE WHEN g.third_party THEN e.all_match END AS declared_matches_verified,
    CASE WHEN g.credit_data THEN a.credit_score END AS credit_score,
    CASE WHEN g.personalisation THEN a.income_band END AS income_band,
    CASE WHEN g.personalisation THEN a.asset_band END AS asset_band,
    CASE WHEN g.personalisation THEN a.career_stage END AS career_stage,
    CASE WHEN g.personalisation THEN a.family_stage END AS family_stage,
    CASE WHEN g.personalisation AND m.uplift_3y IS NOT NULL THEN
        least(greatest(m.uplift_3y, -100), 1000)
    END AS uplift_3y,
    CASE WHEN m.clv IS NOT NULL THEN
        least(greatest(m.clv, -99999999999900), 99999999999900)
    END AS clv,
    CASE WHEN g.behaviour THEN m.behaviour_cluster END AS behaviour_cluster
FROM customers AS f
JOIN scope AS s ON s.customer_id = f.customer_id
LEFT JOIN agreed AS g ON g.customer_id = f.customer_id
LEFT JOIN attributes AS a ON a.customer_id = f.customer_id
LEFT JOIN models AS m ON m.customer_id = f.customer_id
LEFT JOIN renewals AS w ON w.customer_id = f.customer_id
LEFT JOIN tenure AS y ON y.customer_id = f.customer_id
LEFT JOIN surrenders AS d ON d.customer_id = f.customer_id
LEFT JOIN addons AS v ON v.customer_id = f.customer_id
LEFT JOIN referred AS r ON r.customer_id = f.customer_id
LEFT JOIN answers AS n ON n.customer_id = f.customer_id
LEFT JOIN checks AS e ON e.customer_id = f.customer_id
LEFT JOIN benchmarks AS b ON b.product_line = 'all' AND b.customer_kind = s.kind
LEFT JOIN benchmarks AS p ON p.product_line = f.primary_line AND p.customer_kind = s.kind
LEFT JOIN benchmarks AS i ON i.product_line = 'all' AND i.customer_kind = 'individual'
