"""The session dependencies. Services never commit; this module does, before the answer leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import text

from app.infra.database import AsyncSession, Database


def get_database(request: Request) -> Database:
    """The database the entry point put on the application."""
    database: Database = request.app.state.database
    return database


async def read_session(
    database: Annotated[Database, Depends(get_database)],
) -> AsyncIterator[AsyncSession]:
    """A read-only transaction, for answers that hold no customer data."""
    async with database.sessions() as session:
        await session.execute(text("SET TRANSACTION READ ONLY"))
        yield session


async def write_session(
    database: Annotated[Database, Depends(get_database)],
) -> AsyncIterator[AsyncSession]:
    """A transaction that commits when the route function has returned and before bytes are sent.

    Audited reads use it too, since they write their audit event.
    """
    async with database.sessions.begin() as session:
        yield session


#: `scope="function"`: a commit that fails answers 409 or 503 and never follows a 200.
ReadSession = Annotated[AsyncSession, Depends(read_session, scope="function")]
WriteSession = Annotated[AsyncSession, Depends(write_session, scope="function")]
