"""The book, page by page: whom a filter leaves, with the tier that serves each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.serving import JOINED, serving_since, serving_source, serving_tier


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


_DUE: Final = """
    FROM policy_terms AS term
    WHERE term.premium_kind = 'regular' AND term.term_start <= :today AND term.term_end > :today
        AND least(term.term_end, term.ended_on) > :today
"""
# `customer_id > :after` follows from the joins, but PostgreSQL does not see it: without it a page
# far back is joined from the first customer on.
_STANDING: Final = f"""
    LEFT JOIN (scoring_states AS state {JOINED})
        ON state.customer_id = customer.customer_id AND state.customer_id > :after
            AND assignment.customer_id > :after
"""
_LISTED: Final = """
    customer.customer_id > :after AND NOT EXISTS (
        SELECT FROM customer_aliases AS alias WHERE alias.alias_id = customer.customer_id
    )
"""
_ROWS: Final = f"""
    SELECT customer.customer_id, customer.kind, customer.account_manager, customer.name_masked,
        {serving_tier(":today")}, {serving_source(":today")}, {serving_since(":today")},
        state.grace_until, state.segment,
        state.life_cycle_stage, coalesce(state.labels, ARRAY[]::text[]),
        (SELECT min(term.term_end) {_DUE} AND term.customer_id = customer.customer_id)
    FROM customers AS customer {_STANDING} WHERE {_LISTED}
"""  # noqa: S608 - all texts are ours.

_COUNT: Final = f"""
    SELECT count(*) FROM (
        SELECT FROM customers AS customer {{joined}} WHERE {_LISTED} {{conditions}} LIMIT :most
    ) AS found
"""  # noqa: S608 - all texts are ours.

#: What each field of a filter adds.
_CONDITIONS: Final = {
    "tier": "assignment.tier = :tier",
    "segment": "state.segment = :segment",
    "life_cycle_stage": "state.life_cycle_stage = :life_cycle_stage",
    # What follows `@>` is true of whoever has a label. PostgreSQL guesses that each leaves a third,
    # and takes the label for rarer than it otherwise guesses: with the usual guess about a label
    # that hardly anybody has, the whole book is walked in search of a page.
    "label": (
        "state.labels @> ARRAY[CAST(:label AS text)]"
        " AND cardinality(state.labels) > 0 AND array_length(state.labels, 1) > 0"
    ),
    "renewal_due_before": (
        f"customer.customer_id IN (SELECT term.customer_id {_DUE}"
        " AND term.customer_id > :after AND term.term_end < :renewal_due_before)"
    ),
    "account_manager": "customer.account_manager = :account_manager",
}
#: What asks whether someone waits; as a parameter PostgreSQL would not know which index serves.
_WAITING: Final = {
    None: "",
    True: " AND state.grace_until IS NOT NULL",
    False: " AND state.grace_until IS NULL AND state.customer_id IS NOT NULL",
}
#: Rare and frequent words are looked for in different ways, so that one plan does not serve all.
_PLAN_EACH: Final = text("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")
_AT_A_TIME: Final = 1000


#: An override that should have ended has not yet: the index on what is assigned does not tell then.
_OVERDUE: Final = text(
    "SELECT EXISTS (SELECT FROM overrides WHERE state = 'active' AND valid_until <= :today)"
)
_SERVED: Final = f"{serving_tier(':today')} = :tier"


async def _conditions(
    session: AsyncSession, wanted: BookFilter, today: date
) -> tuple[str, dict[str, Any]]:
    """What a filter adds, and its values."""
    given = {name: value for name in _CONDITIONS if (value := getattr(wanted, name)) is not None}
    asked = dict(_CONDITIONS)
    if wanted.tier is not None and await session.scalar(_OVERDUE, {"today": today}):
        asked["tier"] = _SERVED
    conditions = "".join(f" AND {asked[name]}" for name in given)
    return conditions + _WAITING[wanted.downgrade_pending], given


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
    conditions, given = await _conditions(session, wanted, today)
    await session.execute(_PLAN_EACH)
    rows = await session.execute(
        text(f"{_ROWS}{conditions} ORDER BY customer.customer_id LIMIT :limit"),
        {**given, "today": today, "after": after, "limit": limit},
    )
    return [ListedCustomer(*row) for row in rows]


async def count_customers(
    session: AsyncSession, wanted: BookFilter, *, today: date, most: int
) -> int:
    """How many customers a filter leaves, counted no further than `most`."""
    conditions, given = await _conditions(session, wanted, today)
    # Joined only where it is asked about: whoever has no standing counts all the same.
    joined = _STANDING if _asks_about_standing(wanted) else ""
    used = {"today": today} if ":today" in conditions else {}
    found = await session.scalar(
        text(_COUNT.format(joined=joined, conditions=conditions)),
        {**given, **used, "after": "", "most": most},
    )
    return found or 0


def _asks_about_standing(wanted: BookFilter) -> bool:
    of_others = {"renewal_due_before": None, "account_manager": None}
    return replace(wanted, **of_others) != BookFilter()


async def stream_customers(
    session: AsyncSession, wanted: BookFilter, *, today: date, most: int
) -> AsyncIterator[Sequence[ListedCustomer]]:
    """Customers in the order of their ids, a thousand at a time, as of one instant.

    One statement reads them all, so that whatever changes meanwhile nobody is missing, and nobody
    is there twice.
    """
    conditions, given = await _conditions(session, wanted, today)
    found = await session.stream(
        text(f"{_ROWS}{conditions} ORDER BY customer.customer_id LIMIT :most"),
        {**given, "today": today, "after": "", "most": most},
        execution_options={"yield_per": _AT_A_TIME},
    )
    async for part in found.partitions(_AT_A_TIME):
        yield [ListedCustomer(*row) for row in part]
