"""The real worker with small parts: `python -m tests.faults.simulation_child URL DATA_DIR PLACE`.

PLACE says where it stops: `batch:2` holds in the transaction of the third batch until it gets a
line, `die:2` kills itself there, `-` does neither.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from app.features.simulations.repository import movers
from app.infra.settings import Settings
from app.worker import run_worker
from tests.faults.import_child import leave
from tests.faults.job_child import tell

COPY: Any = movers.copy_movers
BOOK: Any = sys.modules["app.infra.book"]


def main(url: str, data_dir: str, place: str) -> None:
    """Work until SIGTERM."""
    batches: list[bytes] = []

    async def copy_movers(session: object, csv: bytes) -> None:
        await COPY(session, csv)
        batches.append(csv)
        number = len(batches) - 1
        if place == f"die:{number}":
            os.kill(os.getpid(), signal.SIGKILL)
        if place == f"batch:{number}":
            tell("holding", number)
            os.read(0, 1)

    movers.copy_movers = copy_movers
    BOOK.PART_CUSTOMERS = 20
    settings = Settings(
        data_dir=Path(data_dir),
        job_lease_seconds=1.2,
        job_poll_seconds=0.05,
        job_retry_seconds=0.05,
        job_grace_seconds=5,
    )

    async def work() -> None:
        running = asyncio.get_running_loop()

        def started(stop: Any) -> None:  # noqa: ANN401 - what the worker gives.
            running.add_signal_handler(signal.SIGTERM, lambda: running.create_task(leave(stop)))
            tell("up")

        await run_worker(url, settings, started)

    asyncio.run(work())


if __name__ == "__main__":
    main(*sys.argv[1:])
