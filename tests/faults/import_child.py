"""The real worker with small chunks: `python -m tests.faults.import_child URL DATA_DIR PLACE`.

PLACE says where it stops: `chunk:2` holds in the transaction of the third chunk until it gets a
line, `die:2` kills itself there, `-` does neither.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.features.imports.repository import runs
from app.features.imports.service import working as working_module
from app.infra.settings import Settings
from app.worker import run_worker
from tests.faults.job_child import tell

RECORD: Any = runs.record_chunk
WORKING: Any = working_module


def stop_at(place: str, chunk_no: int) -> None:
    """Stop if it is there."""
    if place == f"die:{chunk_no}":
        os.kill(os.getpid(), signal.SIGKILL)
    if place == f"chunk:{chunk_no}":
        tell("holding", chunk_no)
        os.read(0, 1)


async def leave(stop: Callable[[], None]) -> None:
    """Stop, and tell once the word has gone round."""
    stop()
    for _ in range(10):
        await asyncio.sleep(0)
    tell("leaving")


def main(url: str, data_dir: str, place: str) -> None:
    """Work until SIGTERM."""

    def record_chunk(session: object, **named: Any) -> None:  # noqa: ANN401 - handed on.
        stop_at(place, named["chunk_no"])
        RECORD(session, **named)

    runs.record_chunk = record_chunk
    WORKING.CHUNK_ROWS = 3
    settings = Settings(
        data_dir=Path(data_dir),
        job_lease_seconds=1.2,
        job_poll_seconds=0.05,
        job_retry_seconds=0.05,
        job_grace_seconds=5,
    )

    async def work() -> None:
        running = asyncio.get_running_loop()

        def started(stop: Callable[[], None]) -> None:
            running.add_signal_handler(signal.SIGTERM, lambda: running.create_task(leave(stop)))
            tell("up")

        await run_worker(url, settings, started)

    asyncio.run(work())


if __name__ == "__main__":
    main(*sys.argv[1:])
