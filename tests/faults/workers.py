"""Worker processes under a test's control, and the database they leave behind."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from app.infra import jobs
from app.infra.database import libpq_url, open_database
from app.infra.settings import Settings
from tests.faults.nursery import Child, Nursery
from tests.patience import PATIENCE_SECONDS

T = TypeVar("T")


@dataclass
class Worker:
    """One worker process."""

    process: Child | subprocess.Popen[str]

    def wait_for(self, words: str) -> None:
        """Read on until it has told that."""
        assert self.process.stdout is not None
        # Whoever never tells is ended, which ends what can be read.
        patience = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        patience.start()
        try:
            for line in self.process.stdout:
                if line.startswith(words):
                    return
        finally:
            patience.cancel()
        message = f"the worker ended without {words!r}"
        raise AssertionError(message)

    def go_on(self) -> None:
        """Let a held job go on."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Its exit status after SIGTERM, or what ended it before."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)


@dataclass
class Yard:
    """A database with jobs, and the workers started for it."""

    url: str
    nursery: Nursery | None = None
    workers: list[Worker] = field(default_factory=list)

    def start(self, *command: str, env: Mapping[str, str] | None = None) -> Worker:
        """A worker of the nursery that is up, by its module and arguments."""
        assert self.nursery is not None
        process = self.nursery.start(*(command or ("tests.faults.job_child", self.url)), env=env)
        worker = self.employ(process)
        worker.wait_for("up")
        return worker

    def employ(self, process: Child | subprocess.Popen[str]) -> Worker:
        """A worker that was started elsewhere."""
        worker = Worker(process)
        self.workers.append(worker)
        return worker

    def run(self, story: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - whatever the story gives.
        """What a coroutine function of a connection gives."""

        async def go() -> object:
            connection = await asyncpg.connect(libpq_url(self.url))
            try:
                return await story(connection)
            finally:
                await connection.close()

        return asyncio.run(go())

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows."""
        return [tuple(row) for row in self.run(lambda it: it.fetch(sql, *values))]

    def order(self, kind: str, count: int = 1, *, attempts: int = 5, **payload: str) -> list[UUID]:
        """Put jobs in."""

        async def go() -> list[UUID]:
            async with (
                open_database(self.url, Settings()) as database,
                database.sessions.begin() as session,
            ):
                return [
                    await jobs.enqueue(
                        session,
                        jobs.Order(kind, payload, f"{kind}:{number}", "tester", "none", attempts),
                    )
                    for number in range(count)
                ]

        return asyncio.run(go())

    def until(self, sql: str, expected: T) -> None:
        """Look until a query's one value is as expected."""

        async def look(connection: asyncpg.Connection[asyncpg.Record]) -> object:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while (found := await connection.fetchval(sql)) != expected:
                if time.monotonic() > deadline:
                    return found
                # The server waits, since nothing here is told when a row changes.
                await connection.execute("SELECT pg_sleep(0.02)")
            return found

        assert self.run(look) == expected

    def job(self) -> Mapping[str, Any]:
        """The one job there is."""
        rows = self.run(lambda it: it.fetch("SELECT * FROM jobs"))
        assert len(rows) == 1
        return dict(rows[0])

    def steps(self) -> list[int]:
        """The steps noted, in order; a step taken twice stands twice."""
        return [step for (step,) in self.query("SELECT step FROM notes ORDER BY step")]


@contextmanager
def open_yard(url: str, nursery: Nursery) -> Iterator[Yard]:
    """A yard whose workers are gone afterwards."""
    yard = Yard(url, nursery)
    yard.query("CREATE TABLE notes (job_id uuid, step int, writer int)")
    try:
        yield yard
    finally:
        for worker in yard.workers:
            with worker.process:
                worker.process.kill()
