"""`tiering serve`, `tiering migrate`, `tiering openapi`."""

from __future__ import annotations

import gc
import json
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Annotated, Any, Final

import typer
import uvicorn

from app.cli import stopping
from app.cli.output import out, say
from app.domain.errors import Invalid
from app.features.benefits.service import install_benefits
from app.features.customers.service import fill_blind_index, has_unindexed
from app.features.rule_sets.service import install_templates
from app.features.sla.service import install_sla
from app.infra.cipher import Vault, load_master_key
from app.infra.clock import monotonic_seconds
from app.infra.database import Database, create_database, open_database
from app.infra.docs_page import DemoSeats
from app.infra.embedded import database_url
from app.infra.logging import configure_logging, uvicorn_logging
from app.infra.migrations import code_revision, database_revision, upgrade
from app.infra.settings import Environment, Settings, load_settings
from app.infra.telemetry import telemetry_of_environment
from app.infra.wire import GuardedProtocol
from app.main import create_app
from app.worker import worker_beside

#: Objects made since the last look, and looks at the young before one at the older.
_SELDOM: Final = (20_000, 10, 10)

#: Customers whose look-up keys are filled in one transaction.
_BATCH: Final = 2_000

Port = Annotated[int, typer.Option(envvar="PORT", min=1, max=65535, help="TCP port.")]
Host = Annotated[str, typer.Option(help="Address to listen on.")]


def migrate() -> None:
    """Bring the database to this version's revision and install the shipped defaults."""
    settings = load_settings()
    with database_url(settings, direct=True) as url:
        stopping.run(bring_up_to_date(url, settings))
        say(f"database is at revision {code_revision()}")


async def bring_up_to_date(url: str, settings: Settings) -> None:
    """Migrations, then templates, SLA, benefits and look-up keys where they are missing."""
    await upgrade(url)
    async with open_database(url, settings) as database, database.sessions.begin() as session:
        await install_templates(session)
        await install_sla(session)
        await install_benefits(session)
    async with open_database(url, settings) as database:
        await _fill_blind_index(database, settings)


async def _fill_blind_index(database: Database, settings: Settings) -> None:
    """A batch a transaction: interrupted, it goes on where it was when it is run again."""
    async with database.sessions() as session:
        if not await has_unindexed(session):
            return
    vault, after = Vault(load_master_key(settings)), ""
    while True:
        async with database.sessions.begin() as session:
            ended = await fill_blind_index(session, vault=vault, after=after, limit=_BATCH)
        if ended is None:
            return
        after = ended


def serve(
    port: Port = 8000,
    host: Host = "127.0.0.1",
    *,
    with_worker: Annotated[
        bool | None,
        typer.Option(
            help="Do jobs in this process too; by default in development, where nobody else does."
        ),
    ] = None,
) -> None:
    """Serve the API; the database must be at this version's revision (`tiering migrate`)."""
    settings = load_settings()
    configure_logging()
    does_jobs = not settings.is_production if with_worker is None else with_worker
    with database_url(settings) as url:
        stopping.run(require_revision(url, settings))
        with worker_beside(url, settings) if does_jobs else nullcontext():
            run_server(url, settings, port=port, host=host)


async def require_revision(url: str, settings: Settings) -> None:
    """Refuse a database that is not at this version's revision.

    Raises:
        Invalid: naming both.
    """
    async with open_database(url, settings) as database, database.sessions() as session:
        found = await database_revision(session)
    if found != code_revision():
        raise Invalid(
            "revision",
            f"the database is at revision {found or 'none'}, this version needs"
            f" {code_revision()}; run `tiering migrate`",
        )


def run_server(
    url: str, settings: Settings, *, port: int, host: str, seats: DemoSeats | None = None
) -> None:
    """One uvicorn process over one database; it drains on SIGTERM or Ctrl-C, then returns."""
    require_port(host, port)
    telemetry = telemetry_of_environment()
    application = create_app(settings, create_database(url, settings), telemetry, seats)
    # What was built to serve stays, and requests leave few cycles: the collector need look seldom.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    server = DrainingServer(
        uvicorn.Config(
            application,
            host=host,
            port=port,
            http=GuardedProtocol,
            ws="none",
            log_config=uvicorn_logging(),
            access_log=False,
            server_header=False,
            # Nothing here asks who the peer is, or by which scheme.
            proxy_headers=False,
            # As long as a request may take, so that none is cut off.
            timeout_graceful_shutdown=settings.request_timeout_seconds + 1,
        ),
        on_leaving=application.state.service.leave,
        drain_seconds=settings.drain_seconds,
    )
    server.run()


class DrainingServer(uvicorn.Server):
    """Says that it is leaving before it leaves, so that nobody is sent to it any more.

    Args:
        config: the server's own.
        on_leaving: called at the first signal.
        drain_seconds: how long it still listens after that; a second signal ends it.
    """

    def __init__(
        self, config: uvicorn.Config, *, on_leaving: Callable[[], None], drain_seconds: float
    ) -> None:
        super().__init__(config)
        self._on_leaving = on_leaving
        self._drain_seconds = drain_seconds
        self._leaves_at: float | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listen to the signals while serving.

        The server's own would raise them again afterwards, which by default ends the process before
        the embedded server is stopped.
        """
        before = {
            number: signal.signal(number, self.leave) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def leave(self, number: int, _frame: FrameType | None) -> None:
        """Begin to leave; told again, leave now, and by a third Ctrl-C at once."""
        self._on_leaving()
        if self.should_exit:
            self.force_exit = number == signal.SIGINT
        elif self._leaves_at is None and self._drain_seconds:
            self._leaves_at = monotonic_seconds() + self._drain_seconds
        else:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Leave when it is time."""
        if self._leaves_at is not None and monotonic_seconds() >= self._leaves_at:
            self.should_exit = True
        return await super().on_tick(counter)


def require_port(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on, before anything else is done.

    Raises:
        Invalid: it is taken, or not ours.
    """
    try:
        with socket.create_server((host, port)):
            return
    except OSError as error:
        what = (error.strerror or "it cannot be used").lower()
        raise Invalid(
            "not-serving", f"{host} port {port}: {what}; choose another with PORT or --port"
        ) from None


def describe() -> dict[str, Any]:
    """The OpenAPI document of this version; it depends on no setting and leaves no file."""
    with TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), environment=Environment.DEVELOPMENT)
        # No connection is opened for a description, so any well-formed URL will do.
        database = create_database("postgresql://localhost/any", settings)
        return create_app(settings, database).openapi()


def print_openapi(
    target: Annotated[
        Path | None, typer.Option("--out", help="File to write; standard output without it.")
    ] = None,
) -> None:
    """Print the OpenAPI document of this version."""
    text = json.dumps(describe(), ensure_ascii=False, indent=2) + "\n"
    if target is None:
        out.out(text, end="", highlight=False)
    else:
        target.write_text(text, encoding="utf-8")


def register(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.command("serve")(serve)
    app.command("migrate")(migrate)
    app.command("openapi")(print_openapi)
