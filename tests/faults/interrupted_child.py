"""An import that kills itself: `python -m tests.faults.interrupted_child PLACE NUMBER URL FOLDER`.

PLACE is `inside` a chunk's transaction or `between` two of them, and NUMBER which of those.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from app.features.imports.repository import runs
from app.features.imports.service import ImportOptions, Surroundings, run_import
from app.infra.cipher import Vault, load_master_key
from app.infra.database import open_database
from app.infra.settings import Settings
from tests.features.imports.desk import TODAY

RECORD: Any = runs.record_chunk


class Countdown:
    """Dies at one place, when it is reached the given time."""

    def __init__(self, place: str, number: int) -> None:
        self._place = place
        self._left = number

    def reach(self, place: str) -> None:
        """Note that a place is reached."""
        self._left -= place == self._place
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(place: str, number: str, url: str, folder: str) -> None:
    """Import until death."""
    countdown = Countdown(place, int(number))

    def record_chunk(*arguments: object, **named: object) -> None:
        countdown.reach("inside")
        RECORD(*arguments, **named)

    def progress(stage: str, _done: int, _total: int) -> None:
        if stage == "writing":
            countdown.reach("between")

    runs.record_chunk = record_chunk
    settings = Settings(data_dir=Path(folder) / "data")
    async with open_database(url, settings) as database:
        around = Surroundings(database, settings, Vault(load_master_key(settings)), TODAY)
        options = ImportOptions(chunk_rows=3, rejects=Path(folder) / "rejects.csv")
        await run_import(around, Path(folder) / "customers.csv", options, progress)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
