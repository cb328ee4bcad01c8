"""A worker whose jobs stop where a test says: `python -m tests.faults.job_child URL`.

It tells on standard output what it reaches, and a held job goes on with the next line of standard
input. TIERING_TEST_NO_FENCE=1 switches the fence off, to see that the tests need it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from functools import partial

from sqlalchemy import text

from app.domain.errors import Invalid
from app.infra.database import create_database, open_database
from app.infra.jobs import JobLoop, Lease, LeaseLostError, Pace
from app.infra.settings import Settings

PACE = Pace(lease_seconds=1.2, poll_seconds=0.05, retry_seconds=0.02, grace_seconds=1)
SETTINGS = Settings(pool_size=3)

LEAVING = threading.Event()

DONE = text("SELECT count(*) FROM notes WHERE job_id = :id")
NOTE = text("INSERT INTO notes (job_id, step, writer) VALUES (:id, :step, :writer)")


def tell(*words: object) -> None:
    """One line to whoever watches."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def hold(lease: Lease) -> None:
    """Wait for a line, and then for a word of the loop that is on its way."""
    # Not by way of sys.stdin, whose lock a thread would take with it when the process leaves.
    os.read(0, 1)
    while LEAVING.is_set() and not lease.is_stopped:
        time.sleep(0.001)


async def take_steps(url: str, lease: Lease) -> None:
    """Write a note for each step, each in a transaction; hold before one of them."""
    steps, held = int(lease.payload["steps"]), int(lease.payload.get("hold", "-1"))
    async with open_database(url, SETTINGS) as database:
        async with database.sessions() as session:
            first = await session.scalar(DONE, {"id": lease.id}) or 0
        for step in range(first, steps):
            if step == held and lease.attempt == 1:
                tell("holding", step)
                hold(lease)
            if lease.is_stopped or lease.is_cancelled:
                lease.check()
            try:
                async with database.sessions.begin() as session:
                    writer = {"id": lease.id, "step": step, "writer": os.getpid()}
                    await session.execute(NOTE, writer)
                    if os.environ.get("TIERING_TEST_NO_FENCE") != "1":
                        await lease.confirm(session, done=step + 1, total=steps)
            except LeaseLostError:
                tell("lost", step)
                raise
    tell("ended", lease.id)


async def die(_url: str, _lease: Lease) -> None:
    """What no worker survives."""
    os.kill(os.getpid(), signal.SIGKILL)


async def fail(_url: str, lease: Lease) -> None:
    """What passes by itself at the third attempt, or never."""
    if lease.payload["how"] == "for-good":
        slug = "cannot-be"
        raise Invalid(slug, "line 3: no such thing; write another")
    if lease.attempt < int(lease.payload["until"]):
        message = "secret 13800138000"
        raise RuntimeError(message)


async def main(url: str) -> None:
    """Work until SIGTERM."""
    database = create_database(url, SETTINGS)
    does = {"steps": take_steps, "poison": die, "failing": fail}
    loop = JobLoop(
        database, {kind: partial(do, url) for kind, do in does.items()}, PACE, listen_url=url
    )

    def leave() -> None:
        LEAVING.set()
        loop.stop()
        tell("leaving")

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave)
    tell("up")
    await loop.run()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
