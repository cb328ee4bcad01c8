"""The worker: which service does which kind of job. It calls services, never routers."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final

from app.features.imports.service import (
    JOB_KIND,
    Surroundings,
    do_import,
    remove_left_behind_files,
    remove_unwanted_uploads,
)
from app.features.overrides.service import Tick, keep_time, remove_expired_evidence
from app.features.simulations.service import JOB_KIND as SIMULATION
from app.features.simulations.service import do_simulation, remove_old_simulations
from app.infra.audit import AuditWriter
from app.infra.cipher import Vault, load_master_key
from app.infra.clock import business_day, utc_now
from app.infra.database import create_database, open_database
from app.infra.jobs import JobLoop, Lease, Pace, Schedule, remove_ended
from app.infra.settings import Settings

log = logging.getLogger(__name__)

HOUSEKEEPING: Final = "housekeeping"
OVERRIDE_CLOCK: Final = "override-clock"

Started = Callable[[Callable[[], None]], None]
"""Told, from within the event loop, how the worker is stopped."""


async def run_worker(url: str, settings: Settings, started: Started) -> None:
    """Do jobs until stopped.

    Args:
        url: the database.
        settings: the deployment; where `direct_url` or no pooler is, new jobs are heard of at once.
        started: is given the function that stops the worker; threads take `call_soon_threadsafe`.
    """
    remove_left_behind_files(settings)
    direct = settings.direct_url
    database = create_database(url, settings)
    loop = JobLoop(
        database,
        {
            JOB_KIND: partial(_import, url, settings),
            SIMULATION: partial(_simulate, url, settings),
            HOUSEKEEPING: partial(_keep_house, url, settings),
            OVERRIDE_CLOCK: partial(_keep_time, url, settings),
        },
        Pace(
            lease_seconds=settings.job_lease_seconds,
            poll_seconds=settings.job_poll_seconds,
            retry_seconds=settings.job_retry_seconds,
            grace_seconds=settings.job_grace_seconds,
        ),
        schedules=[
            Schedule(HOUSEKEEPING, every_seconds=settings.housekeeping_seconds),
            Schedule(OVERRIDE_CLOCK, every_seconds=settings.override_clock_seconds),
        ],
        listen_url=_listen_url(url, settings) if direct is None else direct.get_secret_value(),
    )
    started(loop.stop)
    try:
        await loop.run()
    finally:
        await database.close()


def _listen_url(url: str, settings: Settings) -> str | None:
    # A pooler's transactions hear nothing.
    return None if settings.pgbouncer else url


async def _import(url: str, settings: Settings, lease: Lease) -> None:
    async with open_database(url, settings) as database:
        today = business_day(utc_now(), settings.business_zone)
        vault = Vault(load_master_key(settings))
        await do_import(Surroundings(database, settings, vault, today), lease)


async def _simulate(url: str, settings: Settings, lease: Lease) -> None:
    async with open_database(url, settings) as database:
        await do_simulation(url, settings, database, lease)


async def _keep_house(url: str, settings: Settings, lease: Lease) -> None:
    """Remove what is not kept any longer: uploads, evidence, simulations, ended jobs."""
    today = business_day(utc_now(), settings.business_zone)
    async with open_database(url, settings) as database, database.sessions.begin() as session:
        await remove_unwanted_uploads(session, settings)
        await remove_expired_evidence(session, today=today)
        await remove_old_simulations(session, settings)
        await remove_ended(session, days=settings.job_keep_days)
        await lease.confirm(session, done=1, total=1)


async def _keep_time(url: str, settings: Settings, lease: Lease) -> None:
    """Let what is due of overrides happen: requests expire, overrides end, people are reminded."""
    now, vault = utc_now(), Vault(load_master_key(settings))
    async with open_database(url, settings) as database:
        audit = AuditWriter(vault.master, database.lanes)
        today = business_day(now, settings.business_zone)
        due = await keep_time(Tick(database, vault, audit, now, today))
        async with database.sessions.begin() as session:
            await lease.confirm(session, done=due.steps, total=due.steps)


@contextmanager
def worker_beside(url: str, settings: Settings) -> Iterator[None]:
    """A worker in a thread of this process for as long as the block lasts.

    It ends with the block, and so before the embedded server that the process may own.
    """
    is_up = threading.Event()
    stops: list[Callable[[], object]] = []

    def work() -> None:
        async def run() -> None:
            running = asyncio.get_running_loop()

            def started(stop: Callable[[], None]) -> None:
                stops.append(partial(running.call_soon_threadsafe, stop))
                is_up.set()

            await run_worker(url, settings, started)

        try:
            asyncio.run(run())
        except Exception:
            # Told by way of the log, which leaves out what an error may quote.
            log.exception("the worker ended; jobs wait for another")
        finally:
            is_up.set()

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    is_up.wait()
    try:
        yield
    finally:
        for stop in stops:
            # The loop is closed if the worker ended by itself.
            with suppress(RuntimeError):
                stop()
        thread.join()
