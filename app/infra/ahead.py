"""Working one step ahead: the next item is made while the caller works on the one before.

No item may be None, which stands for the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Generator[T]:
    """The items in order, the next one made in a thread of its own; at most one waits.

    A thread cannot be stopped: left early, this waits for the item under way, and then closes a
    generator, so that nothing it works on is gone before it has ended.
    """
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, None)
        try:
            while (found := coming.result()) is not None:
                coming = thread.submit(next, items, None)
                yield found
        finally:
            coming.exception()
            _close(items)


async def ahead_of_loop(items: Iterator[T]) -> AsyncGenerator[T]:
    """The same for a coroutine; the event loop goes on meanwhile.

    Cancelled, this waits for the item under way too: the thread that makes it goes on whatever
    becomes of the task that waits for it, hence the shield.
    """
    coming = asyncio.ensure_future(asyncio.to_thread(next, items, None))
    try:
        while (found := await asyncio.shield(coming)) is not None:
            coming = asyncio.ensure_future(asyncio.to_thread(next, items, None))
            yield found
    finally:
        await asyncio.wait([coming])
        await asyncio.to_thread(_close, items)


def _close(items: Iterator[T]) -> None:
    if isinstance(items, Generator):
        items.close()
