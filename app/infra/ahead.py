"""Working one step ahead: the next item is made while the caller works on the one before."""

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
    """The same for a coroutine; the event loop goes on meanwhile."""
    coming = asyncio.ensure_future(asyncio.to_thread(next, items, None))
    try:
        while (found := await coming) is not None:
            coming = asyncio.ensure_future(asyncio.to_thread(next, items, None))
            yield found
    finally:
        await asyncio.wait([coming])
        await asyncio.to_thread(_close, items)


def _close(items: Iterator[T]) -> None:
    if isinstance(items, Generator):
        items.close()
