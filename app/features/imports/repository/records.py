"""Writing staged records into their tables: by natural key, and only where something differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.records.specs import Parent
from app.features.imports.repository.staging import Staged, listed, statement

_ORPHANS: Final = """
    DELETE FROM {staged} s
    WHERE NOT EXISTS (SELECT FROM {parent} p WHERE {matches})
    RETURNING s.row_no, {is_of_other}
"""
_IS_OF_OTHER: Final = "EXISTS (SELECT FROM {parent} p WHERE p.{first} = s.{first})"

#: A new row has never been the target of an update, which its xmax tells.
_UPSERT: Final = """
    WITH written AS (
        INSERT INTO {target} AS old ({columns}) SELECT {columns} FROM {staged}
        ON CONFLICT ({key}) {action}
        RETURNING (xmax = 0) AS is_new
    )
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written
"""
_OVERWRITE: Final = """
    DO UPDATE SET {assignments}, {stamps} WHERE ROW({old}) IS DISTINCT FROM ROW({new})
"""

_SEALED: Final = "SELECT {key}, {columns} FROM {table} WHERE {key} = ANY(:keys)"


@dataclass(frozen=True, slots=True)
class Orphan:
    """A staged row whose parent is missing; or is there, but of another customer."""

    row: int
    is_of_other: bool


async def remove_orphans(session: AsyncSession, staged: Staged, parent: Parent) -> list[Orphan]:
    """Take the rows without a parent out of the staging table."""
    first, *rest = parent.columns
    is_of_other = _IS_OF_OTHER.format(parent=parent.record, first=first) if rest else "false"
    rows = await session.execute(
        statement(
            _ORPHANS,
            staged=staged.name,
            parent=parent.record,
            matches=" AND ".join(f"p.{name} = s.{name}" for name in parent.columns),
            is_of_other=is_of_other,
        )
    )
    return [Orphan(row, is_of_other=other) for row, other in rows]


@dataclass(frozen=True, slots=True)
class Upserted:
    """How many rows were new, and how many were there but differed."""

    inserted: int
    updated: int


async def upsert(session: AsyncSession, staged: Staged, key: Sequence[str]) -> Upserted:
    """Write the staged rows; rows that are already there as they should be are not touched."""
    counts = await session.execute(
        statement(
            _UPSERT,
            target=staged.target,
            columns=listed(staged.columns),
            staged=staged.name,
            key=listed(key),
            action=on_conflict(staged.columns, key),
        )
    )
    inserted, updated = counts.one()
    return Upserted(inserted, updated)


def on_conflict(
    columns: Sequence[str], key: Sequence[str], stamps: str = "recorded_at = now()"
) -> str:
    """What an INSERT does with a row that exists: overwrite the given columns if one differs."""
    others = [name for name in columns if name not in key]
    if not others:
        return "DO NOTHING"
    return _OVERWRITE.format(
        assignments=listed(f"{name} = excluded.{name}" for name in others),
        stamps=stamps,
        old=listed(others, "old."),
        new=listed(others, "excluded."),
    )


async def list_known_customers(session: AsyncSession, customer_ids: Sequence[str]) -> set[str]:
    """Those of the ids that customers have."""
    found = await session.scalars(
        text("SELECT customer_id FROM customers WHERE customer_id = ANY(:ids)").bindparams(
            bindparam("ids", list(customer_ids), ARRAY(Text))
        )
    )
    return set(found)


async def list_aliases(session: AsyncSession) -> dict[str, str]:
    """Every id that was merged away, with the customer it stands for after all merges."""
    rows = await session.execute(text("SELECT alias_id, customer_id FROM customer_aliases"))
    merged = {row.alias_id: row.customer_id for row in rows}
    return {alias_id: _survivor(merged, alias_id) for alias_id in merged}


def _survivor(merged: Mapping[str, str], alias_id: str) -> str:
    """Where the merges of an id lead; ids that were merged into each other lead to one of them."""
    seen, found = {alias_id}, merged[alias_id]
    while found in merged and found not in seen:
        seen.add(found)
        found = merged[found]
    return found


async def list_sealed(
    session: AsyncSession, *, table: str, key: str, columns: Sequence[str], keys: Sequence[str]
) -> dict[str, tuple[bytes | None, ...]]:
    """The sealed values that rows hold already, by key."""
    query = statement(_SEALED, key=key, columns=listed(columns), table=table)
    rows = await session.execute(query.bindparams(bindparam("keys", list(keys), ARRAY(Text))))
    return {row[0]: tuple(row[1:]) for row in rows}
