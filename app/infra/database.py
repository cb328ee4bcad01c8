"""Engines: one place that knows how to reach PostgreSQL, and how long to wait for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from sqlalchemy import event, make_url, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import NullPool

from app.domain.errors import Invalid
from app.infra.ids import new_id
from app.infra.lanes import Lanes, PooledLanes
from app.infra.settings import Settings

__all__ = [
    "CALLERS_LOCK_SECONDS",
    "DATABASE_ERRORS",
    "AsyncSession",
    "Database",
    "libpq_url",
    "open_database",
    "wait_for_locks",
]

_DRIVER = "postgresql+asyncpg"
_FOREIGN_DRIVERS = {"postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"}
_POOL_TIMEOUT_SECONDS = 2
_CONNECT_TIMEOUT_SECONDS = 5
_LOCK_TIMEOUT_SECONDS = 5
CALLERS_LOCK_SECONDS: Final = 2
"""How long a change by a caller waits for others' locks; he has a connection all the while."""
_IDLE_IN_TRANSACTION_SECONDS = 60
#: Batches ask for some dozens of customers by their ids: whatever the size of a batch and of the
#: tables, that is one plan, which goes by the indexes.
_POINT_READS: Final = {
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}

#: What says that the database cannot be asked, or refused.
DATABASE_ERRORS: Final = (
    DBAPIError,
    PoolTimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # A server that is not there: refused, no such socket, no such host, no answer in time.
    OSError,
)


@dataclass(frozen=True, slots=True)
class Database:
    """What entry points hand to everything below: the engine, its sessions, the batches' lanes."""

    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    lanes: Lanes

    async def close(self) -> None:
        """End all connections."""
        await self.lanes.close()
        await self.engine.dispose()


def normalise_url(raw: str) -> URL:
    """The URL as asyncpg and SQLAlchemy 2.1 want it, whichever of the usual spellings came in.

    `postgres://` is unknown to SQLAlchemy, `postgresql://` now means psycopg 3, and asyncpg calls
    libpq's `sslmode` `ssl`.

    Raises:
        Invalid: it is no PostgreSQL URL. The message does not repeat it: it may hold a password.
    """
    try:
        url = make_url(raw)
    except ArgumentError:
        raise Invalid(
            "settings-invalid", "database_url: not a URL; use postgresql://user@host/database"
        ) from None
    if url.drivername not in {*_FOREIGN_DRIVERS, _DRIVER}:
        raise Invalid("settings-invalid", "database_url: only PostgreSQL 15 or newer is supported")
    query = dict(url.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return url.set(drivername=_DRIVER, query=query)


def libpq_url(raw: str, *, password: bool = True) -> str:
    """The same URL in libpq's own words, for tools that speak to libpq (psql, COPY readers).

    Args:
        raw: any spelling that `normalise_url` takes.
        password: keep the password in it; leave it out where others could read it.
    """
    url = normalise_url(raw)
    query = dict(url.query)
    if "ssl" in query:
        query["sslmode"] = query.pop("ssl")
    plain = url.set(drivername="postgresql", query=query)
    if not password and plain.password is not None:
        plain = URL.create(**{**plain._asdict(), "password": None})
    return plain.render_as_string(hide_password=False)


def _timeouts(statement_timeout_seconds: int) -> dict[str, str]:
    """What the server enforces: without it a black-holed connection would hang for good."""
    return {
        "statement_timeout": f"{statement_timeout_seconds}s",
        "lock_timeout": f"{_LOCK_TIMEOUT_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{_IDLE_IN_TRANSACTION_SECONDS}s",
    }


def _connect_args(settings: Settings, statement_timeout_seconds: int) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "timeout": _CONNECT_TIMEOUT_SECONDS,
        "command_timeout": statement_timeout_seconds + _LOCK_TIMEOUT_SECONDS,
        # The facts query is longer than the driver would keep prepared, and dear to plan.
        "max_cacheable_statement_size": 0,
        "server_settings": {"application_name": "tiering", "timezone": "UTC"},
    }
    if not settings.pgbouncer:
        arguments["server_settings"] |= _timeouts(statement_timeout_seconds)
    else:
        # A pooler in transaction mode hands each transaction another backend, so nothing may be
        # prepared under a name that the next one would meet again.
        arguments |= {
            "prepared_statement_cache_size": 0,
            "statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"__tiering_{new_id()}__",
        }
    return arguments


def _time_each_transaction(engine: AsyncEngine, timeouts: Mapping[str, str]) -> None:
    """Set the timeouts in every transaction anew.

    PgBouncer refuses a connection that names them at its start, and hands the next transaction a
    backend that others used.
    """

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        for name, value in timeouts.items():
            connection.exec_driver_sql(f"SET LOCAL {name} = '{value}'")


def create_database(url: str, settings: Settings) -> Database:
    """The pooled engine of a serving process."""
    arguments = _connect_args(settings, settings.statement_timeout_seconds)
    engine = create_async_engine(
        normalise_url(url),
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=_POOL_TIMEOUT_SECONDS,
        pool_pre_ping=True,
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args=arguments,
    )
    if settings.pgbouncer:
        _time_each_transaction(engine, _timeouts(settings.statement_timeout_seconds))
    return _database(engine, url, arguments)


def _database(engine: AsyncEngine, url: str, arguments: Mapping[str, Any]) -> Database:
    lanes = PooledLanes(libpq_url(url), _driver_args(arguments))
    return Database(engine, async_sessionmaker(engine, expire_on_commit=False), lanes)


def _driver_args(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that asyncpg itself knows, without those of SQLAlchemy's dialect."""
    known = {
        name: value
        for name, value in arguments.items()
        if not name.startswith("prepared_statement_")
    }
    if "statement_cache_size" not in known:
        known["server_settings"] = {**known["server_settings"], **_POINT_READS}
    return known


@asynccontextmanager
async def open_database(
    url: str, settings: Settings, *, statement_timeout_seconds: int = 3600
) -> AsyncIterator[Database]:
    """An unpooled engine for a command that runs long statements and then ends."""
    arguments = _connect_args(settings, statement_timeout_seconds)
    engine = create_async_engine(
        normalise_url(url), poolclass=NullPool, hide_parameters=True, connect_args=arguments
    )
    if settings.pgbouncer:
        _time_each_transaction(engine, _timeouts(statement_timeout_seconds))
    database = _database(engine, url, arguments)
    try:
        yield database
    finally:
        await database.close()


async def wait_for_locks(session: AsyncSession, *, seconds: int) -> None:
    """Let the transaction wait that long for locks of others, and no longer: 503 for a request."""
    await session.execute(
        text("SELECT set_config('lock_timeout', :patience, true)"), {"patience": f"{seconds}s"}
    )


async def raw_connection(session: AsyncSession) -> asyncpg.Connection[asyncpg.Record]:
    """Asyncpg's own connection, inside the session's transaction, for COPY.

    The dialect opens the transaction at the first statement, so one is sent first; used before
    that, the raw connection would work outside any transaction.
    """
    await session.execute(text("SELECT 1"))
    connection = await session.connection()
    pooled = await connection.get_raw_connection()
    driver: asyncpg.Connection[asyncpg.Record] | None = pooled.driver_connection
    if driver is None or not driver.is_in_transaction():
        message = "the raw connection is outside the session's transaction"
        raise RuntimeError(message)
    return driver
