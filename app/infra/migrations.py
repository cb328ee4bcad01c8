"""Bringing a database to the revision this code needs, and asking whether it is there."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

_ROOT = Path(__file__).resolve().parents[2]


def alembic_config(url: str) -> Config:
    """Alembic's configuration for one database; the URL travels outside the ini file."""
    config = Config(_ROOT / "alembic.ini")
    config.attributes["url"] = url
    return config


def code_revision() -> str:
    """The one head revision of this code."""
    head = ScriptDirectory.from_config(alembic_config("")).get_current_head()
    if head is None:
        message = "no migration is shipped with this code"
        raise RuntimeError(message)
    return head


async def database_revision(session: AsyncSession) -> str | None:
    """The revision a database is at, or None where no migration ever ran."""
    try:
        found = await session.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        await session.rollback()
        return None
    return None if found is None else str(found)


async def upgrade(url: str) -> None:
    """Run all pending migrations, one process at a time (advisory lock in `migrations/env.py`)."""
    await asyncio.to_thread(command.upgrade, alembic_config(url), "head")
