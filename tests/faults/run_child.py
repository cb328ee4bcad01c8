"""A whole-book run that kills itself at one instant: `python -m tests.faults.run_child …`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import app.features.reevaluation.service.run  # noqa: F401 - its module is looked up below.
from app.infra.settings import Settings

RUN: Any = sys.modules["app.features.reevaluation.service.run"]
BOOK: Any = sys.modules["app.infra.book"]

#: Steps of a run, in the order in which the first chunk meets them.
INSTANTS = (
    "resolve_all",
    "stage_standings",
    "ensure_subject_keys",
    "copy_decisions",
    "apply_staged",
    "note",
    "finish",
)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dying(step: Callable[..., Awaitable[Any]], countdown: list[int]) -> Callable[..., Any]:
    """A step that is done and then never returns, the given time round."""

    async def dying(*given: object, **named: object) -> object:
        done = await step(*given, **named)
        countdown[0] -= 1
        if countdown[0] == 0:
            _die()
        return done

    return dying


def main(url: str, data_dir: str, day: str, instant: str, time_round: str) -> None:
    """Run over the book and die right after a step, the given time round."""
    BOOK.PART_CUSTOMERS, RUN.CHUNK_CHANGES = 20, 8
    holder = RUN.Writer if instant in {"note", "finish"} else RUN
    setattr(holder, instant, _dying(getattr(holder, instant), [int(time_round)]))
    settings = Settings(data_dir=Path(data_dir))
    asyncio.run(RUN.run(url, settings, as_of=date.fromisoformat(day), apply=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
