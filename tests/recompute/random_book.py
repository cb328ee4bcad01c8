"""Random books: valid rows, with dates drawn to the edges of the facts' windows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.recompute.calendar import shifted
from tests.recompute.records import LINE_ORDER

Rows = list[dict[str, Any]]

TABLES = (
    "customers",
    "scoring_inputs",
    "policies",
    "policy_terms",
    "claims",
    "service_uses",
    "product_services",
    "referrals",
    "interactions",
    "surveys",
    "external_checks",
    "consents",
    "market_benchmarks",
    "model_scores",
)

#: Days whose windows start or end on a 29 February, on a month's end, or nowhere special.
DAYS = (
    date(2024, 2, 29),
    date(2023, 2, 28),
    date(2025, 3, 1),
    date(2024, 12, 31),
    date(2025, 3, 31),
    date(2022, 7, 14),
)

MONTHS = (0, 12, 12, 24, 36, 36, 48, 60, 72, 84, 96, 108, 120, 132)
SPANS = (0, 15, 30, 60, 90, 450)
PREMIUMS = (0, 5, 15, 100, 100, 250_00, 250_05, 1_000_00, 99_999_99)


class RandomBook:
    """Makes one book; the same seed makes the same book."""

    def __init__(self, seed: int, customers: int, as_of: date) -> None:
        self.random = Random(seed)
        self.as_of = as_of
        self.rows: dict[str, Rows] = {table: [] for table in TABLES}
        self._number = 0
        self._market()
        for index in range(customers):
            self._customer(f"c{index:03d}")
        self._leave_out()

    # ---------------------------------------------------------------------------- drawing

    def _chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def _maybe(self, percent: int, draw: Callable[[], Any]) -> Any:  # noqa: ANN401 - any column.
        return draw() if self._chance(percent) else None

    def _day(self) -> date:
        """A day on the edge of some window, or anywhere in twelve years; seldom after D."""
        kind = self.random.randrange(10)
        if kind < 4:
            day = shifted(self.as_of, -self.random.choice(MONTHS))
        elif kind < 6:
            day = self.as_of - timedelta(days=self.random.choice(SPANS))
        elif kind < 7:
            return self.as_of - timedelta(days=self.random.randrange(-400, 4400))
        else:
            return self.as_of - timedelta(days=self.random.randrange(500))
        return day + timedelta(days=self.random.choice((-1, 0, 0, 0, 1)))

    def _next(self, letter: str) -> str:
        self._number += 1
        return f"{letter}{self._number:06d}"

    def _money(self) -> int:
        return self.random.choice((0, 1, 5, 333, 100_00, 2_500_00, self.random.randrange(10**8)))

    # ------------------------------------------------------------------------------ rows

    def _market(self) -> None:
        for line in (*LINE_ORDER, "all"):
            for kind in ("individual", "corporate"):
                for valid_from in {self._day() for _ in range(self.random.randrange(3))}:
                    self.rows["market_benchmarks"].append(
                        {
                            "product_line": line,
                            "customer_kind": kind,
                            "valid_from": valid_from,
                            "average_premium": self.random.choice((1, 3, 7_77, 250_00, 3_100_00)),
                            "benchmark_version": "2024",
                        }
                    )
        self.rows["product_services"] += [
            {"product": f"p{product}", "service_code": f"s{service}"}
            for product in range(4)
            for service in range(5)
            if self._chance(40)
        ]

    def _customer(self, customer_id: str) -> None:
        is_corporate = self._chance(20)
        self.rows["customers"].append(
            {
                "customer_id": customer_id,
                "kind": "corporate" if is_corporate else "individual",
                "credit_code": "91310000MA1FL0XY" + customer_id[-2:]
                if is_corporate and self._chance(50)
                else None,
            }
        )
        if self._chance(8):
            return
        self._attributes(customer_id)
        self._consents(customer_id)
        for _ in range(self.random.choice((0, 1, 1, 2, 2, 3, 5))):
            self._policy(customer_id)
        self._events(customer_id)

    def _attributes(self, customer_id: str) -> None:
        starts = sorted({self._day() for _ in range(self.random.randrange(4))})
        for index, start in enumerate(starts):
            # A row ends only where another begins; the database sees to it.
            following = starts[index + 1] if index + 1 < len(starts) else None
            self.rows["scoring_inputs"].append(
                {
                    "customer_id": customer_id,
                    "valid_from": start,
                    "valid_to": following,
                    "birth_month": self._maybe(85, self._birth_month),
                    "occupation_risk": self._maybe(
                        80, lambda: self.random.choice(("low", "medium", "high"))
                    ),
                    "smoker": self._maybe(80, lambda: self._chance(30)),
                    "heavy_drinker": self._maybe(80, lambda: self._chance(30)),
                    "health_grade": self._maybe(80, lambda: self.random.choice("ABCDE")),
                    "health_habit_score": self._maybe(60, lambda: self.random.randrange(101)),
                    "driving_score": self._maybe(60, lambda: self.random.randrange(101)),
                    "fraud_suspicion": self._maybe(60, lambda: self._chance(30)),
                    "opinion_leader": self._maybe(60, lambda: self._chance(30)),
                    "income_band": self._maybe(60, lambda: self.random.randint(1, 7)),
                    "asset_band": self._maybe(60, lambda: self.random.randint(1, 7)),
                    "credit_score": self._maybe(60, lambda: self.random.randint(300, 950)),
                    "career_stage": self._maybe(
                        60, lambda: self.random.choice(("student", "rising", "retired"))
                    ),
                    "family_stage": self._maybe(
                        60, lambda: self.random.choice(("single", "couple"))
                    ),
                }
            )
        for start in {self._day() for _ in range(self.random.randrange(3))}:
            self.rows["model_scores"].append(
                {
                    "customer_id": customer_id,
                    "valid_from": start,
                    "uplift_3y": self._maybe(70, lambda: self.random.choice((-150, 0, 20, 2000))),
                    "clv": self._maybe(70, lambda: self.random.choice((-5_00, 0, 12_345_67))),
                    "behaviour_cluster": self._maybe(70, lambda: self.random.choice("xyz")),
                }
            )

    def _birth_month(self) -> date:
        kind = self.random.randrange(5)
        years = self.random.choice((18, 25, 60, 61, 65, 70, 71, 80, 81, 130))
        if kind == 0:
            return (self._day() + timedelta(days=40)).replace(day=1)
        if kind == 1:
            return shifted(self.as_of, -12 * years).replace(day=1)
        return date(self.random.randrange(1930, 2010), self.random.randint(1, 12), 1)

    def _consents(self, customer_id: str) -> None:
        for purpose in (
            "health_data",
            "lifestyle_data",
            "credit_data",
            "third_party",
            "behaviour",
            "personalisation",
        ):
            for given in {self._day() for _ in range(self.random.choice((0, 1, 1, 2)))}:
                self.rows["consents"].append(
                    {
                        "customer_id": customer_id,
                        "purpose": purpose,
                        "given_on": given,
                        "withdrawn_on": self._from(given) if self._chance(40) else None,
                    }
                )

    def _from(self, earliest: date) -> date:
        """A day no earlier than another one."""
        return max(earliest, self._day())

    def _policy(self, customer_id: str) -> None:
        issued = self._day()
        policy = {
            "policy_no": self._next("P"),
            "customer_id": customer_id,
            "product_line": self.random.choice(LINE_ORDER),
            "product": f"p{self.random.randrange(4)}",
            "issued_on": issued,
            "cooling_off_until": self._maybe(50, lambda: self._from(issued)),
            "object_coefficient": self._maybe(70, lambda: self.random.choice((50, 75, 100, 133))),
        }
        self.rows["policies"].append(policy)
        start = issued if self._chance(80) else self._day()
        keys: set[tuple[date, str]] = set()
        for index in range(self.random.choice((0, 1, 2, 3, 5, 8, 12))):
            end = self._term(policy, start, index, keys)
            start = end + timedelta(days=self.random.choice((0, 0, 0, 0, 1, 59, 60, 61, 200, -30)))
        for _ in range(self.random.choice((0, 0, 1))):
            self._term(policy, self._day(), 1, keys)
        for _ in range(self.random.choice((0, 0, 1, 3))):
            self._claim(policy)

    def _term(
        self, policy: dict[str, Any], start: date, index: int, keys: set[tuple[date, str]]
    ) -> date:
        kind = self.random.choice(
            ("regular", "regular", "regular", "regular", "single", "top_up", "paid_up")
        )
        years = self.random.choice((1, 1, 1, 1, 10, 20)) if kind != "regular" else 1
        end = shifted(start, 12 * years)
        ended_how = self._maybe(
            60,
            lambda: self.random.choice(
                (
                    "renewed",
                    "renewed",
                    "expired",
                    "lapsed",
                    "surrendered",
                    "cancelled",
                    "withdrawn",
                    "claimed",
                )
            ),
        )
        ended_on = None
        if ended_how in {"renewed", "expired"}:
            ended_on = end
        elif ended_how:
            ended_on = self.random.choice((start, end, self._from(start), self._from(start)))
        due_on = self._maybe(70, lambda: start + timedelta(days=self.random.choice((0, 0, 10))))
        if (start, kind) not in keys:
            keys.add((start, kind))
            self.rows["policy_terms"].append(
                {
                    "policy_no": policy["policy_no"],
                    "customer_id": policy["customer_id"],
                    "term_start": start,
                    "premium_kind": kind,
                    "term_end": end,
                    "premium": 0 if kind == "paid_up" else self.random.choice(PREMIUMS),
                    "pay_mode": "yearly",
                    "started_as": "new"
                    if index == 0
                    else self.random.choice(("renewal", "renewal", "reinstatement")),
                    "ended_on": ended_on,
                    "ended_how": ended_how,
                    "voluntary": self._maybe(60, lambda: self._chance(50)),
                    "due_on": due_on,
                    "paid_on": self._maybe(
                        70,
                        lambda: (
                            (due_on or start)
                            + timedelta(days=self.random.choice((-3, 0, 14, 15, 16, 100)))
                        ),
                    ),
                }
            )
        return min(end, ended_on) if ended_on else end

    def _claim(self, policy: dict[str, Any]) -> None:
        occurred = self._day()
        reported = occurred + timedelta(days=self.random.choice((0, 0, 1, 30, 200)))
        paid_on = self._maybe(50, lambda: self._from(reported))
        self.rows["claims"].append(
            {
                "claim_no": self._next("L"),
                "policy_no": policy["policy_no"],
                "customer_id": policy["customer_id"],
                "occurred_on": occurred,
                "reported_on": reported,
                "claim_count": self.random.choice((1, 1, 1, 2, 3)),
                "claimed": self._maybe(70, self._money),
                "paid": self._money() if paid_on else self._maybe(20, self._money),
                "paid_on": paid_on,
                "closed_on": self._maybe(50, lambda: self._from(reported)),
            }
        )

    def _events(self, customer_id: str) -> None:
        several = (0, 0, 1, 2, 4)
        for _ in range(self.random.choice(several)):
            self.rows["service_uses"].append(
                {
                    "use_no": self._next("U"),
                    "customer_id": customer_id,
                    "service_code": f"s{self.random.randrange(5)}",
                    "used_on": self._day(),
                }
            )
        for _ in range(self.random.choice(several)):
            self.rows["referrals"].append(
                {
                    "referral_no": self._next("R"),
                    "customer_id": customer_id,
                    "succeeded_on": self._day(),
                    "annual_premium": self._maybe(70, self._money),
                }
            )
        for _ in range(self.random.choice((0, 1, 5, 60))):
            self.rows["interactions"].append(
                {
                    "interaction_no": self._next("I"),
                    "customer_id": customer_id,
                    "occurred_on": self._day(),
                    "channel": self.random.choice(("app", "web", "hotline", "branch")),
                    "kind": self.random.choice(("app_login", "enquiry", "visit", "complaint")),
                    "initiated_by": self.random.choice(("customer", "customer", "insurer")),
                }
            )
        for _ in range(self.random.choice(several)):
            self.rows["surveys"].append(
                {
                    "survey_no": self._next("S"),
                    "customer_id": customer_id,
                    "answered_on": self._day(),
                    "nps": self.random.randrange(11),
                }
            )
        for _ in range(self.random.choice(several)):
            self.rows["external_checks"].append(
                {
                    "check_no": self._next("E"),
                    "customer_id": customer_id,
                    "checked_on": self._day(),
                    "kind": self.random.choice(("credit", "medical", "occupation")),
                    "matches": self._chance(70),
                }
            )

    def _leave_out(self) -> None:
        """Sometimes a source was never loaded."""
        for table in ("claims", "service_uses", "product_services", "referrals", "interactions"):
            if self._chance(10):
                self.rows[table].clear()
        if self._chance(10):
            for row in self.rows["policy_terms"]:
                row["due_on"] = None
        if self._chance(5):
            self.rows["policy_terms"].clear()


def random_book(seed: int, customers: int, as_of: date) -> dict[str, Rows]:
    """A book by table, money in minor units, coefficients in hundredths."""
    return RandomBook(seed, customers, as_of).rows
