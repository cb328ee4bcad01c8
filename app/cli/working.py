"""`tiering worker`: what goes on after a request was answered."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import typer

from app.cli.serving import require_revision
from app.infra.embedded import database_url
from app.infra.logging import configure_logging
from app.infra.settings import Settings, load_settings
from app.worker import run_worker


def work() -> None:
    """Do jobs, as imports over HTTP; on SIGTERM the job at hand is given back.

    As many workers as there is to do, on one machine or several: a job is done by one of them, and
    if that is lost by another.
    """
    settings = load_settings()
    configure_logging()
    with database_url(settings) as url:
        asyncio.run(_work(url, settings))


async def _work(url: str, settings: Settings) -> None:
    await require_revision(url, settings)
    running = asyncio.get_running_loop()

    def started(stop: Callable[[], None]) -> None:
        def leave(_number: int, _frame: FrameType | None) -> None:
            # Not by way of the loop, which would take the handlers away with it, and with a second
            # signal the time to stop the embedded server.
            with suppress(RuntimeError):
                running.call_soon_threadsafe(stop)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, leave)

    await run_worker(url, settings, started)


def register(app: typer.Typer) -> None:
    """Add this room's command."""
    app.command("worker")(work)
