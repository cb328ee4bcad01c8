"""The book, page by page: whom a filter leaves, with the tier that serves each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class BookFilter:
    """Which customers are listed; None leaves everybody.

    `renewal_due_before` compares with the earliest end of a regular term in force, and
    `account_manager` is the subject of his tokens.
    """

    tier: str | None = None
    segment: str | None = None
    life_cycle_stage: str | None = None
    label: str | None = None
    renewal_due_before: date | None = None
    downgrade_pending: bool | None = None
    account_manager: str | None = None


@dataclass(frozen=True, slots=True)
class ListedCustomer:
    """A customer in a list; what he is known by stays sealed."""

    customer_id: str
    kind: str
    account_manager: str | None
    name_masked: str | None
    tier: str | None
    source: str | None
    since: date | None
    grace_until: date | None
    segment: str | None
    life_cycle_stage: str | None
    labels: Sequence[str]
    renewal_due_on: date | None


_RENEWALS: Final = """
    FROM policy_terms AS term
    WHERE term.customer_id = customer.customer_id AND term.premium_kind = 'regular'
        AND term.term_start <= :today AND least(term.term_end, term.ended_on) > :today
"""
_PAGE: Final = f"""
    SELECT customer.customer_id, customer.kind, customer.account_manager, customer.name_masked,
        assignment.tier, assignment.source, state.since, state.grace_until, decision.segment,
        decision.life_cycle_stage,
        CASE WHEN jsonb_typeof(decision.outcomes -> 'labels') = 'array'
            THEN decision.outcomes -> 'labels' ELSE '[]' END,
        (SELECT min(term.term_end) {_RENEWALS})
    FROM customers AS customer
    LEFT JOIN (
        scoring_states AS state
        JOIN decisions AS decision ON decision.id = state.decision_id
        JOIN tier_assignments AS assignment
            ON assignment.customer_id = state.customer_id AND assignment.valid_to IS NULL
    ) ON state.customer_id = customer.customer_id
    WHERE customer.customer_id > :after AND NOT EXISTS (
        SELECT FROM customer_aliases AS alias WHERE alias.alias_id = customer.customer_id
    )
"""  # noqa: S608 - both texts are ours.
_ORDER: Final = " ORDER BY customer.customer_id LIMIT :limit"

#: What each field of a filter adds.
_CONDITIONS: Final = {
    "tier": "assignment.tier = :tier",
    "segment": "decision.segment = :segment",
    "life_cycle_stage": "decision.life_cycle_stage = :life_cycle_stage",
    "label": "decision.outcomes -> 'labels' ? :label",
    "renewal_due_before": f"EXISTS (SELECT {_RENEWALS} AND term.term_end < :renewal_due_before)",
    "downgrade_pending": (
        "(state.grace_until IS NOT NULL) = :downgrade_pending AND state.customer_id IS NOT NULL"
    ),
    "account_manager": "customer.account_manager = :account_manager",
}


async def list_customers(
    session: AsyncSession, wanted: BookFilter, *, today: date, after: str, limit: int
) -> list[ListedCustomer]:
    """Customers in the order of their ids.

    Args:
        session: an open session.
        wanted: which of them.
        today: the business day that renewals are reckoned from.
        after: the id that the page before ended with.
        limit: how many at most.
    """
    given = {name: value for name in _CONDITIONS if (value := getattr(wanted, name)) is not None}
    conditions = "".join(f" AND {_CONDITIONS[name]}" for name in given)
    rows = await session.execute(
        text(_PAGE + conditions + _ORDER),
        {**given, "today": today, "after": after, "limit": limit},
    )
    return [ListedCustomer(*row) for row in rows]
