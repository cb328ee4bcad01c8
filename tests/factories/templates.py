"""The shipped rule sets in force, by the ordinary way once and from memory afterwards."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.rule_sets.service import install_templates

_TABLES: Final = ("rule_set_versions", "rule_set_activations")

#: What installing them wrote into each table, as JSON.
_written: dict[str, str] = {}


async def put_templates(session: AsyncSession) -> None:
    """Put the shipped rule sets in force in a database that has no rule sets.

    Hashing and writing them out takes longer than most tests that need them, and gives the same
    rows every time. `install_templates` itself is tested with the rule sets.
    """
    if _written:
        for table, rows in _written.items():
            records = f"json_populate_recordset(NULL::{table}, CAST(:rows AS json))"
            await session.execute(
                text(f"INSERT INTO {table} SELECT * FROM {records}"), {"rows": rows}
            )
        return
    for table in _TABLES:
        assert not await session.scalar(text(f"SELECT count(*) FROM {table}"))
    await install_templates(session)
    for table in _TABLES:
        _written[table] = await session.scalar(
            text(f"SELECT CAST(json_agg(to_json({table})) AS text) FROM {table}")
        )
