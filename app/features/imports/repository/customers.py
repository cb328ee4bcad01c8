"""Customers: their row follows the newest day, their scoring attributes keep a dated history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.imports.repository.records import on_conflict
from app.features.imports.repository.staging import Staged, listed, statement

#: Columns that staged customers hold beside those of their table.
VALID_FROM: Final = "valid_from"
IS_DATED: Final = "is_dated"

#: A row dated before what is already known of the customer's attributes is of the past, and does
#: not change who he is today; what is known of days to come does not make it so.
_UPSERT_CUSTOMERS: Final = """
    WITH newest AS MATERIALIZED (
        SELECT DISTINCT ON (customer_id) * FROM {staged} s
        WHERE NOT EXISTS (
            SELECT FROM scoring_inputs i
            WHERE i.customer_id = s.customer_id AND i.valid_from > s.valid_from
            AND i.valid_from <= :today
        )
        ORDER BY customer_id, valid_from DESC
    ), written AS (
        INSERT INTO customers AS old ({columns}) SELECT {columns} FROM newest
        ON CONFLICT (customer_id) {action}
        RETURNING customer_id, (xmax = 0) AS is_new
    )
    SELECT n.row_no, w.is_new FROM written w JOIN newest n USING (customer_id)
"""

_REMOVE_UNCHANGED: Final = """
    DELETE FROM {staged} s USING scoring_inputs i
    WHERE NOT s.is_dated AND i.customer_id = s.customer_id AND i.valid_from <= s.valid_from
    AND (i.valid_to IS NULL OR i.valid_to > s.valid_from)
    AND {same}
"""

_LAY_OUT_DAYS: Final = """
    CREATE TEMPORARY TABLE staged_days ON COMMIT DROP AS
    SELECT customer_id, valid_from,
        lead(valid_from) OVER (PARTITION BY customer_id ORDER BY valid_from) AS valid_to
    FROM (
        SELECT customer_id, valid_from FROM {staged}
        UNION
        SELECT i.customer_id, i.valid_from FROM scoring_inputs i
        WHERE i.customer_id IN (SELECT customer_id FROM {staged})
    ) days
"""

_CLOSE_OLD_ROWS: Final = """
    UPDATE scoring_inputs i SET valid_to = t.valid_to FROM staged_days t
    WHERE i.customer_id = t.customer_id AND i.valid_from = t.valid_from
    AND i.valid_to IS DISTINCT FROM t.valid_to
"""

_UPSERT_HISTORY: Final = """
    WITH written AS (
        INSERT INTO scoring_inputs AS old (customer_id, valid_from, valid_to, {columns})
        SELECT s.customer_id, s.valid_from, t.valid_to, {values}
        FROM {staged} s JOIN staged_days t USING (customer_id, valid_from) {before}
        ON CONFLICT (customer_id, valid_from) {action}
        RETURNING customer_id, valid_from, (xmax = 0) AS is_new
    ), touched AS (
        UPDATE customers c SET updated_at = now() FROM written w
        WHERE c.customer_id = w.customer_id AND c.updated_at < now()
    )
    SELECT s.row_no, w.is_new FROM written w JOIN {staged} s USING (customer_id, valid_from)
"""
_IN_FORCE_BEFORE: Final = """
    LEFT JOIN LATERAL (
        SELECT * FROM scoring_inputs i
        WHERE i.customer_id = s.customer_id AND i.valid_from <= s.valid_from
        ORDER BY i.valid_from DESC LIMIT 1
    ) p ON true
"""


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """A row of the file that changed something."""

    row: int
    is_new: bool


async def list_kinds(session: AsyncSession, customer_ids: Sequence[str]) -> dict[str, str]:
    """What each of these customers is: individual or corporate; strangers are left out."""
    rows = await session.execute(
        text("SELECT customer_id, kind FROM customers WHERE customer_id = ANY(:ids)").bindparams(
            bindparam("ids", list(customer_ids), ARRAY(Text))
        )
    )
    return {row.customer_id: row.kind for row in rows}


async def upsert_customers(
    session: AsyncSession, staged: Staged, *, today: date
) -> list[WrittenRow]:
    """Write the customers' rows, each from its newest staged day."""
    action = on_conflict(staged.columns, ["customer_id"], "recorded_at = now(), updated_at = now()")
    rows = await session.execute(
        statement(
            _UPSERT_CUSTOMERS, staged=staged.name, columns=listed(staged.columns), action=action
        ),
        {"today": today},
    )
    return [WrittenRow(row, is_new=is_new) for row, is_new in rows]


async def upsert_history(
    session: AsyncSession, staged: Staged, *, given: Sequence[str], carried: Sequence[str]
) -> list[WrittenRow]:
    """Write the customers' dated attributes: a new day closes the old row, never overwrites it.

    A row on a day that has one replaces the given attributes; one between two days is put between
    them. A row whose day is only that of the import changes nothing if the values already hold.

    Args:
        session: in whose transaction.
        staged: customers with the given attributes, `VALID_FROM` and `IS_DATED`.
        given: attributes the file has.
        carried: the others; a new row takes them from the one in force before.
    """
    same = [f"i.{name} IS NOT DISTINCT FROM s.{name}" for name in given]
    await session.execute(
        statement(_REMOVE_UNCHANGED, staged=staged.name, same=" AND ".join(same) or "true")
    )
    # The open row must be closed before another opens: one for each customer is a unique index.
    await session.execute(statement(_LAY_OUT_DAYS, staged=staged.name))
    await session.execute(text("ANALYZE staged_days"))
    await session.execute(text(_CLOSE_OLD_ROWS))
    rows = await session.execute(
        statement(
            _UPSERT_HISTORY,
            staged=staged.name,
            columns=listed((*given, *carried)),
            values=listed([*(f"s.{name}" for name in given), *(f"p.{name}" for name in carried)]),
            before=_IN_FORCE_BEFORE if carried else "",
            action=on_conflict(given, []),
        )
    )
    written = [WrittenRow(row, is_new=is_new) for row, is_new in rows]
    await session.execute(text("DROP TABLE staged_days"))
    return written
