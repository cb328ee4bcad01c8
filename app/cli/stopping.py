"""Ctrl-C and SIGTERM: the first one stops a command in order, and nothing disturbs it then."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final, TypeVar

T = TypeVar("T")

INTERRUPTED: Final = 130
"""The status of a command that Ctrl-C stopped, as shells count."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_SHELLS_COUNT_FROM: Final = 128


@dataclass(slots=True)
class Stop:
    """Whether the command at hand was told to stop, and how it is."""

    status: int = 0
    cancel: Callable[[], object] | None = None

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Cancel what runs in an event loop, and interrupt whatever else is done.

        Whoever presses Ctrl-C again and again is not to cancel the clearing up, so that further
        signals pass unheard, to the very end of the process.
        """
        for other in _SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        self.status = _SHELLS_COUNT_FROM + number
        if self.cancel is None:
            raise KeyboardInterrupt
        self.cancel()


_stop = Stop()


@contextmanager
def listening() -> Iterator[Stop]:
    """Listen to the signals; unless one came, whoever listened before does so again after."""
    _stop.status = 0
    before = {number: signal.signal(number, _stop.on_signal) for number in _SIGNALS}
    try:
        yield _stop
    finally:
        if not _stop.status:
            for number, handler in before.items():
                signal.signal(number, handler)


def run(main: Coroutine[Any, Any, T]) -> T:
    """What `asyncio.run` does, except that a signal cancels it once and only once.

    Raises:
        KeyboardInterrupt: it was cancelled.
    """
    try:
        return asyncio.run(_cancelled_by_signals(main))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _cancelled_by_signals(main: Coroutine[Any, Any, T]) -> T:
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(main)
    _stop.cancel = lambda: loop.call_soon_threadsafe(task.cancel)
    try:
        return await task
    finally:
        _stop.cancel = None
