"""The worker's loop: takes one job at a time, and lets a thread work on it."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from app.domain.errors import Conflict, DomainError
from app.infra.database import DATABASE_ERRORS, Database, libpq_url
from app.infra.jobs.lease import (
    JobCancelledError,
    JobStoppedError,
    Lease,
    LeaseLostError,
    Settlement,
    claim,
    sweep,
)
from app.infra.jobs.queue import CHANNEL
from app.infra.jobs.schedule import Schedule, enqueue_due, install_schedules

log = logging.getLogger(__name__)

#: Does one attempt; runs in a thread and an event loop of its own, so it may compute at length.
Handler = Callable[[Lease], Coroutine[Any, Any, None]]

_DOWN: Final = (SQLAlchemyError, *DATABASE_ERRORS)
_CONNECT_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a silent worker is waited for, how often one looks, how long a failure rests."""

    lease_seconds: float = 60
    poll_seconds: float = 2
    retry_seconds: float = 5
    grace_seconds: float = 20


class JobLoop:
    """Does the jobs of some kinds until it is stopped.

    Args:
        database: where the jobs are; heartbeats take a connection of their own.
        handlers: who does which kind.
        pace: times.
        schedules: which of the kinds the clock puts in, and how often.
        listen_url: where a new job is told of; None to look by itself only, as behind a pooler.
    """

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        pace: Pace,
        *,
        schedules: Sequence[Schedule] = (),
        listen_url: str | None = None,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._pace = pace
        self._schedules = schedules
        self._listen_url = listen_url
        self._stopped = asyncio.Event()
        self._wake = asyncio.Event()
        self._is_scheduled = False

    def stop(self) -> None:
        """Take no further job; finish or give back the one at hand."""
        self._stopped.set()
        self._wake.set()

    async def run(self) -> None:
        """Work until stopped; a database that is away is waited for."""
        listening = asyncio.create_task(self._listen())
        try:
            while not self._stopped.is_set():
                self._wake.clear()
                if not await self._turn():
                    await self._rest()
        finally:
            listening.cancel()
            await asyncio.wait([listening])

    async def _turn(self) -> bool:
        """Do one job, if there is one."""
        try:
            async with self._database.sessions.begin() as session:
                await sweep(session)
                if not self._is_scheduled:
                    await install_schedules(session, self._schedules)
                await enqueue_due(session, [schedule.kind for schedule in self._schedules])
            self._is_scheduled = True
            async with self._database.sessions.begin() as session:
                lease = await claim(session, [*self._handlers], self._pace.lease_seconds)
        except _DOWN:
            log.warning("the database is away", exc_info=True)
            return False
        if lease is not None:
            await self._work(lease)
        return lease is not None

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), self._pace.poll_seconds * _jitter())

    async def _work(self, lease: Lease) -> None:
        told = {"job_id": str(lease.id), "kind": lease.kind, "attempt": lease.attempt}
        log.info("job begun", extra=told)
        ended = _in_thread(self._handlers[lease.kind], lease)
        beating = asyncio.create_task(self._beat(lease))
        stopped = asyncio.create_task(self._stopped.wait())
        ended.add_done_callback(lambda _ended: stopped.cancel())
        await asyncio.wait([stopped])
        if not ended.done():
            lease.is_stopped = True
            await asyncio.wait([ended], timeout=self._pace.grace_seconds)
        for task in (beating, stopped):
            task.cancel()
        # A thread that outlasts the grace can store nothing once the job is given back.
        error = ended.result() if ended.done() else JobStoppedError()
        settlement = settlement_of(lease, error, self._pace.retry_seconds)
        reason = settlement.error_type or settlement.state
        unexpected = error if settlement.error_type == "unexpected" else None
        level = logging.WARNING if settlement.error_type else logging.INFO
        log.log(level, "job ended", exc_info=unexpected, extra={**told, "reason": reason})
        await self._settle(lease, settlement)

    async def _settle(self, lease: Lease, settlement: Settlement) -> None:
        """End the attempt; if the database stays away too long, the end of the lease ends it."""
        pace = self._pace
        patience = pace.grace_seconds if self._stopped.is_set() else pace.lease_seconds
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while True:
                    try:
                        async with self._database.sessions.begin() as session:
                            await lease.settle(session, settlement)
                    except _DOWN:
                        await asyncio.sleep(self._pace.poll_seconds * _jitter())
                    else:
                        return

    async def _beat(self, lease: Lease) -> None:
        while not lease.is_lost:
            await asyncio.sleep(self._pace.lease_seconds / 3)
            with suppress(*_DOWN):
                async with self._database.sessions.begin() as session:
                    await lease.beat(session, self._pace.lease_seconds)

    async def _listen(self) -> None:
        """Wake at a new job; connect anew whenever the connection is gone."""
        while self._listen_url is not None:
            with suppress(*_DOWN):
                connection = await asyncpg.connect(
                    libpq_url(self._listen_url), timeout=_CONNECT_SECONDS
                )
                try:
                    gone = asyncio.Event()
                    connection.add_termination_listener(lambda _connection, e=gone: e.set())
                    await connection.add_listener(CHANNEL, lambda *_: self._wake.set())
                    # What was told while nobody listened.
                    self._wake.set()
                    await gone.wait()
                finally:
                    connection.terminate()
            await asyncio.sleep(self._pace.poll_seconds * _jitter())


def settlement_of(lease: Lease, error: BaseException | None, base_seconds: float) -> Settlement:
    """How an attempt ends that was left by an error, or without one."""
    if error is None:
        return Settlement("succeeded")
    if isinstance(error, JobCancelledError):
        return Settlement("cancelled")
    if isinstance(error, JobStoppedError | LeaseLostError):
        # Given back; nothing happens where the lease was lost, since the fence says so.
        return Settlement("queued", returned=1)
    kind, detail = "unexpected", "the worker's log says where"
    if isinstance(error, DomainError):
        kind, detail = error.type, error.detail
    # What is wrong with the input stays wrong; only a state of affairs passes.
    is_final = isinstance(error, DomainError) and not isinstance(error, Conflict)
    if is_final or lease.attempt >= lease.max_attempts:
        return Settlement("dead", kind, detail)
    return Settlement("queued", kind, detail, delay=base_seconds * 2 ** (lease.attempt - 1))


def _jitter() -> float:
    """From a half to one and a half, so that workers do not keep step."""
    return 0.5 + os.urandom(1)[0] / 255


def _in_thread(handler: Handler, lease: Lease) -> asyncio.Future[BaseException | None]:
    """The handler's error or None, once it has ended.

    The thread is a daemon: one that does not end does not keep the process from leaving.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[BaseException | None] = loop.create_future()

    def work() -> None:
        error: BaseException | None = None
        try:
            asyncio.run(handler(lease))
        except BaseException as raised:  # noqa: BLE001 - whatever it is, the loop judges it.
            error = raised
        with suppress(RuntimeError):
            # The loop is closed if the worker has left meanwhile.
            loop.call_soon_threadsafe(ended.set_result, error)

    threading.Thread(target=work, name=f"job {lease.id}", daemon=True).start()
    return ended
