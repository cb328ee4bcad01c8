"""One customer's visible records, picked out of a whole book as the conventions say.

A book is a mapping from the name of a raw table to its rows; a row is a mapping from column to
value, with money in minor units and an object coefficient in hundredths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

Row = Mapping[str, Any]
Book = Mapping[str, Sequence[Row]]

LINE_ORDER = ("life", "health", "motor", "property", "liability")


def known(day: date | None, as_of: date) -> bool:
    """Whether something dated has become known."""
    return day is not None and day <= as_of


@dataclass(frozen=True)
class Term:
    """A real term with what is known of it on the day; `end` is E."""

    row: Row
    policy: Row
    end: date
    how: str | None
    ended_on: date | None
    paid_on: date | None

    @property
    def start(self) -> date:
        """Its first day."""
        return self.row["term_start"]  # type: ignore[no-any-return]

    @property
    def kind(self) -> str:
        """Its premium kind."""
        return self.row["premium_kind"]  # type: ignore[no-any-return]

    @property
    def premium(self) -> int:
        """Its premium in minor units."""
        return self.row["premium"]  # type: ignore[no-any-return]

    def in_force(self, day: date) -> bool:
        """term_start <= d < E."""
        return self.start <= day < self.end


class Records:
    """What exists for the facts of one customer on one day."""

    def __init__(self, book: Book, customer_id: str, as_of: date) -> None:
        self.book = book
        self.as_of = as_of
        self.customer = next(row for row in book["customers"] if row["customer_id"] == customer_id)
        self.customer_id = customer_id
        self.policies = {row["policy_no"]: row for row in self.own("policies", "issued_on")}
        self.terms = [
            term
            for row in self.own("policy_terms", "term_start")
            if row["policy_no"] in self.policies and (term := self._real(row)) is not None
        ]
        self.claims = self.own("claims", "reported_on")

    def own(self, table: str, day: str) -> list[Row]:
        """The customer's visible rows of a table."""
        return [
            row
            for row in self.book[table]
            if row["customer_id"] == self.customer_id and row[day] <= self.as_of
        ]

    def loaded(self, table: str, day: str | None) -> bool:
        """Whether any customer has a row dated on or before the day."""
        return any(day is None or known(row[day], self.as_of) for row in self.book[table])

    def payments_loaded(self) -> bool:
        """Whether any term that has begun has a due day that has come."""
        return any(
            known(row["due_on"], self.as_of) and row["term_start"] <= self.as_of
            for row in self.book["policy_terms"]
        )

    def consents_to(self, purpose: str) -> bool:
        """Whether a consent to the purpose holds on the day."""
        return any(
            row["purpose"] == purpose and not known(row["withdrawn_on"], self.as_of)
            for row in self.own("consents", "given_on")
        )

    def _real(self, row: Row) -> Term | None:
        ended = row["ended_on"] if known(row["ended_on"], self.as_of) else None
        how = row["ended_how"] if ended else None
        if ended == row["term_start"] or how == "withdrawn":
            return None
        end = min(row["term_end"], ended) if ended else row["term_end"]
        paid = row["paid_on"] if known(row["paid_on"], self.as_of) else None
        return Term(row, self.policies[row["policy_no"]], end, how, ended, paid)

    def terms_of(self, policy_no: str) -> list[Term]:
        """The real terms of one policy."""
        return [term for term in self.terms if term.row["policy_no"] == policy_no]

    def in_force(self, policy_no: str) -> bool:
        """Whether one of the policy's real terms is in force on the day."""
        return any(term.in_force(self.as_of) for term in self.terms_of(policy_no))

    def cooling_off(self, policy_no: str) -> bool:
        """Whether the policy is in its cooling-off period."""
        until = self.policies[policy_no]["cooling_off_until"]
        return until is not None and until >= self.as_of

    def paid_up(self, policy_no: str) -> bool:
        """Whether a real paid-up term of the policy is in force on the day."""
        return any(
            term.kind == "paid_up" and term.in_force(self.as_of)
            for term in self.terms_of(policy_no)
        )

    def latest(self, table: str) -> Row | None:
        """The customer's row with the latest valid_from on or before the day."""
        rows = self.own(table, "valid_from")
        if table == "scoring_inputs":
            rows = [row for row in rows if not known(row["valid_to"], self.as_of)]
        return max(rows, key=lambda row: row["valid_from"], default=None)

    def average(self, line: str | None, kind: str) -> int | None:
        """The market average of a line on the day."""
        rows = [
            row
            for row in self.book["market_benchmarks"]
            if row["product_line"] == line
            and row["customer_kind"] == kind
            and row["valid_from"] <= self.as_of
        ]
        latest = max(rows, key=lambda row: row["valid_from"], default=None)
        return None if latest is None else latest["average_premium"]
